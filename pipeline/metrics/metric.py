"""What tables, pages and the bootstrap must know of a metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.metrics.cases import Cases
from pipeline.metrics.weighting import Estimates, Weights
from pipeline.shapes import Labels


def always_defined(labels: Labels) -> str | None:  # noqa: ARG001
    """Return None: any labels have this metric."""
    return None


@dataclass(frozen=True)
class Metric:
    """One number about predictions, and how to show it.

    Attributes
    ----------
    function : callable
        The definition: takes the arguments named below and ``weights``.
    arguments : tuple of str
        Fields of `Cases` given to the function, in order.
    better : "lower", "higher" or "zero"
        Which values are good; "zero" for a signed gap.
    percent : bool
        Whether tables show it times 100 with a percent sign.
    label : str
        Heading in tables.
    description : str
        One line for pages.
    why_undefined : callable
        From labels to the reason why they have no such number, or None.
    interval : "percentile", "corrected" or "none"
        Which interval over patients holds the true value about as often as it says: that of the
        resampled values, `bias_bounded_interval`, or neither. A resample repeats cases, and what
        takes absolute values or maxima of noise then comes out too high.
    """

    function: Callable[..., Estimates]
    arguments: tuple[str, ...]
    better: Literal["lower", "higher", "zero"]
    percent: bool
    label: str
    description: str
    why_undefined: Callable[[Labels], str | None] = always_defined
    interval: Literal["percentile", "corrected", "none"] = "percentile"

    def __call__(self, cases: Cases, weights: Weights | None = None) -> Estimates:
        """Evaluate on the cases, each counted as often as its weight says."""
        values = [getattr(cases, name) for name in self.arguments]
        return self.function(*values, weights=weights)

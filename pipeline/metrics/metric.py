"""What tables, pages and the bootstrap must know of a metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from typing import Literal, get_args

from pipeline.metrics.cases import Cases
from pipeline.metrics.weighting import Estimates, Weights
from pipeline.shapes import Labels

Kind = Literal["accuracy", "calibration", "selective"]
"""What a metric measures; each kind has a table of its own among all metrics."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Place = Literal[
    "comparison", "ranking", "selection", "groups", "model_card", "metrics_file", "results"
]
"""Where some metrics are shown beside the tables that hold them all.

``comparison`` of losses and calibrators on an experiment's page; ``ranking`` over experiments, and
differences to the baseline; ``selection``, what else could decide which cases are answered;
``groups`` of patients; ``model_card``; ``metrics_file``, `reports/STUDY/metrics`; ``results``, the
published ones of docs/results.md, which `agree` compares.
"""


def always_defined(labels: Labels) -> str | None:  # noqa: ARG001
    """Return None: any labels have this metric."""
    return None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number about predictions, and how and where to show it."""

    name: str
    """In tables, claims and files."""
    function: Callable[..., Estimates]
    """The definition: its parameters are fields of `Cases`, and ``weights``; a metric of `DERIVED`
    may also take ``cases`` (all of them), ``patients`` and ``truth``."""
    kind: Kind
    better: Literal["lower", "higher", "zero", "none"]
    """Which values are good; "zero" for a signed gap, "none" for what no model is judged by."""
    label: str
    """Heading in tables."""
    description: str
    """One line for pages."""
    # Errors of a percent or two need the second decimal; accuracies do not.
    unit: Literal["%", "nats", ""] = "%"
    """A share is shown in percent, times 100."""
    digits: int = 2
    """Decimals, in its unit."""
    shown: tuple[Place, ...] = ()
    """Beside the tables of all metrics."""
    target: float | None = None
    """The share wrong that it is about: it is shown at the target of the model shown alone."""
    weighs_classes: bool = False
    """Whether a class has a weight of its own in it, however few its cases: with all other numbers
    it would give a masked class away, so that it is left out where one is masked."""
    why_undefined: Callable[[Labels], str | None] = always_defined
    """From labels to the reason why they have no such number, or None."""
    interval: Literal["percentile", "corrected", "none"] = "percentile"
    """Which interval over patients holds the true value about as often as it says: that of the
    resampled values, `bias_bounded_interval`, or neither. A resample repeats cases, and what takes
    absolute values or maxima of noise then comes out too high."""

    def __call__(self, cases: Cases, weights: Weights | None = None) -> Estimates:
        """Evaluate on the cases, each counted as often as its weight says."""
        values = {name: getattr(cases, name) for name in self.arguments}
        return self.function(**values, weights=weights)

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """What the definition is given by name, besides weights."""
        given = ("weights", *getattr(self.function, "keywords", ()))
        return tuple(name for name in signature(self.function).parameters if name not in given)

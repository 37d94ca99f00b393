"""What the search for a safe threshold is given, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, log, log1p
from typing import Literal

import numpy as np
from jaxtyping import Int

from pipeline.errors import InputError
from pipeline.metrics.risk_tests import RiskTest, Shares
from pipeline.metrics.selective import RiskCoverage

Status = Literal["found", "none", "too_few"]


@dataclass(frozen=True)
class Question:
    """What a threshold must promise."""

    target: float
    """Largest selective risk wanted, in (0, 1)."""
    delta: float
    """Chance, over repeated samples, allowed for a threshold whose true risk exceeds the target."""
    test: RiskTest
    """The p-value that suits the losses."""

    def __post_init__(self) -> None:
        for name, value in [("target", self.target), ("delta", self.delta)]:
            if not 0 < value < 1:
                message = f"{name} must lie in (0, 1), got {value}"
                raise InputError(message)


@dataclass(frozen=True)
class Candidate:
    """A threshold that was looked at, with what it answers."""

    threshold: float
    answered: int
    wrong: float
    """Their summed loss: the number of wrong answers when losses are 0 or 1."""
    upper_limit: float
    """One-sided upper limit of the true risk, at the level this one candidate was tested."""


@dataclass(frozen=True)
class ThresholdChoice:
    """A threshold, or why there is none."""

    status: Status
    """"none": no threshold is shown to meet the target, so refer every case. "too_few": so few
    cases that even without an error none could be."""
    chosen: Candidate | None
    best: Candidate | None
    """The candidate with the lowest upper limit, found or not; None if there were too few cases."""
    num_candidates: int
    num_cases: int
    minimum_answered: int
    """Fewest answered cases that could pass, all of them right. No candidate that answers fewer can
    have been chosen."""
    target: float
    delta: float

    @property
    def threshold(self) -> float | None:
        """Answer cases that score at least this; None: refer every case."""
        return None if self.chosen is None else self.chosen.threshold


def minimum_answered(target: float, delta: float) -> int:
    r"""Return the fewest error-free answers that show a risk of at most ``target``.

    .. math:: a_{\min} = \lceil \ln \delta / \ln(1 - \mathrm{target}) \rceil

    >>> [minimum_answered(target, 0.05) for target in (0.05, 0.02, 0.01)]
    [59, 149, 299]
    """
    return ceil(log(delta) / log1p(-target))


def coverage_steps(num_cases: int, num_steps: int) -> list[int]:
    """Return how many cases are answered at coverages 1/steps, 2/steps ... 1, rounded up.

    >>> coverage_steps(5, 2)
    [3, 5]
    """
    # In whole numbers: a share such as 0.06 times 50 is more than 3 in floats.
    return [-(-step * num_cases // num_steps) for step in range(1, num_steps + 1)]


def points_answering(curve: RiskCoverage, asked: Sequence[int]) -> Int[np.ndarray, "candidates"]:
    """Return the first point of the curve that answers each number asked for, strictest first.

    Equal scores are answered together, which may merge several; each point is named once. Only the
    scores and the numbers asked for decide, never a loss.

    >>> from pipeline.metrics.selective import risk_coverage_curve
    >>> curve = risk_coverage_curve(np.array([0.9, 0.8, 0.8, 0.7, 0.6]), np.zeros(5))
    >>> points_answering(curve, [2, 3, 5])  # 3 of 5, 3 of 5 again, 5 of 5
    array([1, 3])
    """
    return np.unique(np.searchsorted(curve.answered, asked))


def conclude(
    question: Question,
    curve: RiskCoverage,
    points: Iterable[int],
    chosen: int | None,
    *,
    level: float | Shares,
    fewest: int,
) -> ThresholdChoice:
    """Put the answer together.

    Parameters
    ----------
    points : iterable of int
        The curve's points that were tested; none if there were too few cases.
    chosen : int or None
        The point chosen.
    level : float or float array, (candidates,)
        Level of each single test: delta, or the part of it that each candidate was given.
    fewest : int
        Fewest answered cases that could pass.
    """
    candidates = np.fromiter(points, dtype=np.int64)
    losses, answered = curve.losses[candidates], curve.answered[candidates]
    limits = question.test.upper_limit(losses, answered, level)

    def candidate(position: int) -> Candidate:
        return Candidate(
            threshold=float(curve.thresholds[candidates[position]]),
            answered=int(answered[position]),
            wrong=float(losses[position]),
            upper_limit=float(limits[position]),
        )

    few = len(candidates) == 0
    status: Status = "too_few" if few else "none" if chosen is None else "found"
    return ThresholdChoice(
        status=status,
        chosen=None if chosen is None else candidate(int(np.flatnonzero(candidates == chosen)[0])),
        best=None if few else candidate(int(limits.argmin())),
        num_candidates=len(candidates),
        num_cases=int(curve.answered[-1]),
        minimum_answered=fewest,
        target=question.target,
        delta=question.delta,
    )

"""The figures of selective prediction, from sums over the answered cases of many resamples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, Shaped

from pipeline.errors import InputError
from pipeline.metrics.ranking import multiplicity_blocks, rank
from pipeline.metrics.weighting import Weights
from pipeline.shapes import require_finite, require_same_length

SelectionScores = Float[np.ndarray, "cases"]
"""Higher means surer; any finite scale."""

Losses = Shaped[np.ndarray, "cases"]
"""What answering the case costs: 0 or 1, or any finite cost >= 0."""

Value = float | Float[np.ndarray, "resamples"]
"""One number, or one for each resample where the weights have two axes."""


@dataclass(frozen=True)
class RiskSums:
    """Cases answered and their summed loss as the threshold falls, one row a resample."""

    answered: Int[np.ndarray, "resamples points"]
    """Number of cases that score at least each distinct score; the last column is all cases. A
    score that no case of a resample has repeats the column before it."""
    losses: Float[np.ndarray, "resamples points"]
    """Summed loss of those cases."""

    @property
    def num_cases(self) -> Int[np.ndarray, "resamples"]:
        """Number of cases in each resample."""
        return self.answered[:, -1]

    @cached_property
    def tied(self) -> Int[np.ndarray, "resamples points"]:
        """Number of cases that have each score."""
        return _steps(self.answered)

    @cached_property
    def tied_losses(self) -> Float[np.ndarray, "resamples points"]:
        """Summed loss of the cases that have each score."""
        return _steps(self.losses)

    @cached_property
    def coverage(self) -> Float[np.ndarray, "resamples points"]:
        """Share answered."""
        return self.answered / self.num_cases[:, None]

    @cached_property
    def risk(self) -> Float[np.ndarray, "resamples points"]:
        """Mean loss of the answered; 0 where there are none."""
        return self.losses / np.maximum(self.answered, 1)


def _steps(
    values: Shaped[np.ndarray, "resamples points"],
) -> Shaped[np.ndarray, "resamples points"]:
    """Return by how much each value exceeds the one before it, the first by how much zero."""
    steps = np.empty_like(values)
    steps[:, 0] = values[:, 0]
    np.subtract(values[:, 1:], values[:, :-1], out=steps[:, 1:])
    return steps


Statistic = Callable[[RiskSums], Float[np.ndarray, "resamples"]]


def area_under_risk(sums: RiskSums) -> Float[np.ndarray, "resamples"]:
    """Average the expected selective risk over every count of answered cases.

    A tie of g cases with summed loss S follows a cases with summed loss L. After m of them the
    expected risk is (L + m S/g) / (a + m) = S/g + (L - a S/g) / (a + m), whose sum over m = 1..g is
    S + (L - a S/g) (H_{a+g} - H_a), with H the harmonic numbers: no loop over the tie.

    >>> area_under_risk(RiskSums(np.array([[1, 3]]), np.array([[0.0, 1.0]])))  # 0, 1/4, 1/3
    array([0.19444444])
    """
    harmonic = np.zeros(sums.num_cases.max() + 1)
    np.cumsum(1.0 / np.arange(1, len(harmonic)), out=harmonic[1:])
    mean = sums.tied_losses / np.maximum(sums.tied, 1)
    # In place from here on: what is allocated costs as much as what is computed.
    mean *= sums.answered - sums.tied
    excess = sums.losses - sums.tied_losses
    excess -= mean
    excess *= _steps(np.take(harmonic, sums.answered))
    return (sums.losses[:, -1] + excess.sum(axis=1)) / sums.num_cases


def area_under_joint_risk(sums: RiskSums) -> Float[np.ndarray, "resamples"]:
    """Integrate the rate of "answered and wrong" over coverage by trapezoids from 0.

    >>> area_under_joint_risk(RiskSums(np.array([[1, 2]]), np.array([[0.0, 1.0]])))
    array([0.125])
    """
    area = sums.tied_losses / -2
    area += sums.losses
    area *= sums.tied
    return area.sum(axis=1) / sums.num_cases.astype(float) ** 2


def largest_coverage(sums: RiskSums, *, target: float) -> Float[np.ndarray, "resamples"]:
    """Return the largest coverage whose selective risk is at most ``target``, or 0.

    >>> largest_coverage(RiskSums(np.array([[1, 2]]), np.array([[0.0, 1.0]])), target=0.1)
    array([0.5])
    """
    # The quotient is compared, not a product: 29/100 <= 0.29 holds in floats, 29 <= 0.29 * 100 not.
    met = sums.risk <= target
    last = met.shape[1] - 1 - np.argmax(met[:, ::-1], axis=1)
    row = np.arange(len(met))
    return np.where(met[row, last], sums.coverage[row, last], 0.0)


def risk_from_coverage(sums: RiskSums, *, coverage: float) -> Float[np.ndarray, "resamples"]:
    """Return the selective risk at the smallest coverage that is at least ``coverage``.

    >>> risk_from_coverage(RiskSums(np.array([[1, 2]]), np.array([[0.0, 1.0]])), coverage=0.6)
    array([0.5])
    """
    first = np.argmax(sums.coverage >= coverage, axis=1)
    return sums.risk[np.arange(len(first)), first]


def evaluate_statistics(
    statistics: Mapping[str, Statistic],
    confidence: SelectionScores,
    losses: Losses,
    weights: Weights | None,
) -> dict[str, Value]:
    """Evaluate each statistic on every resample: one sort, then blocks that fit in cache."""
    scores, costs = checked_scores(confidence, losses)
    ranking = rank(scores)
    ordered_costs = _counted(costs)[ranking.order]
    blocks: dict[str, list[Float[np.ndarray, "block"]]] = {name: [] for name in statistics}
    for multiplicities in multiplicity_blocks(weights, num_cases=len(scores)):
        ordered = np.take(multiplicities, ranking.order, axis=-1)
        summed = ranking.cumulate_ordered(ordered * ordered_costs)
        sums = RiskSums(ranking.cumulate_ordered(ordered), summed.astype(np.float64))
        for name, statistic in statistics.items():
            blocks[name].append(statistic(sums))
    values = {name: np.concatenate(parts) for name, parts in blocks.items()}
    if weights is None or weights.ndim == 1:
        return {name: float(value[0]) for name, value in values.items()}
    return dict(values)


def _counted(costs: Float[np.ndarray, "cases"]) -> Shaped[np.ndarray, "cases"]:
    """Return costs of 0 and 1 as integers: numpy cumulates those several times as fast."""
    return costs.astype(np.int64) if np.isin(costs, (0.0, 1.0)).all() else costs


def checked_scores(
    confidence: SelectionScores, losses: Losses
) -> tuple[SelectionScores, Float[np.ndarray, "cases"]]:
    """Return scores and losses as floats; see `pipeline.metrics.selective.aurc` for errors."""
    scores, costs = np.asarray(confidence, dtype=float), np.asarray(losses, dtype=float)
    require_same_length(confidence=scores, losses=costs)
    if len(scores) == 0:
        message = "a risk needs at least one case, got none"
        raise InputError(message)
    require_finite("confidence", scores)
    require_finite("losses", costs)
    if costs.min() < 0:
        message = f"losses must be at least 0, got {costs.min()}"
        raise InputError(message)
    return scores, costs

r"""Selective prediction: answer the cases one is sure of, refer the others.

A case is answered when its score is at least a threshold. **Coverage** is the share answered,
**selective risk** the mean loss of those answered. Equal scores are answered or referred together,
so a curve has one point for each distinct score. A loss is 0 (right) or 1 (wrong), or a cost >= 0.

Every function takes ``weights``: how many times each case counts. A weight of w is the same as
repeating the case w times; a row of weights for each resample gives one value for each, from a
single sort, which is what a bootstrap needs. `selective_summary` shares the sums as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pipeline.metrics.metric import Metric
from pipeline.metrics.ranking import multiplicity_blocks, rank
from pipeline.metrics.risk_points import coverage_statistic, risk_statistic
from pipeline.metrics.risk_sums import (
    Losses,
    SelectionScores,
    Statistic,
    Value,
    area_under_joint_risk,
    area_under_risk,
    checked_scores,
    evaluate_statistics,
)
from pipeline.metrics.weighting import Weights


@dataclass(frozen=True)
class RiskCoverage:
    """A risk-coverage curve: one point for each distinct score, strictest threshold first."""

    thresholds: Float[np.ndarray, "points"]
    """Distinct scores, falling: cases that score at least this are answered."""
    coverage: Float[np.ndarray, "points"]
    """Share of cases answered, rising to 1."""
    risk: Float[np.ndarray, "points"]
    """Mean loss of the answered."""
    answered: Int[np.ndarray, "points"]
    losses: Float[np.ndarray, "points"]
    """Summed loss of the answered: the number of wrong answers when losses are 0 or 1."""


def aurc(confidence: SelectionScores, losses: Losses, weights: Weights | None = None) -> Value:
    r"""Return the area under the risk-coverage curve.

    .. math:: \mathrm{AURC} = \frac1n \sum_{i=1}^n E\Big[\frac1i \sum_{j \le i} \ell_{(j)}\Big]

    where (j) runs from the highest score to the lowest and the expectation is over the order of
    equal scores, each order being as likely.

    Between the AURC of the best order and that of the worst; the mean loss if all scores tie.

    Scores are higher when surer; a loss is 0 or 1, or any cost >= 0.

    Raises `InputError` if lengths differ, a value is not finite, a loss is negative, or there is no
    case.

    References
    ----------
    Geifman, Uziel and El-Yaniv, ICLR 2019, arXiv:1805.08206, section 3.

    Examples
    --------
    >>> aurc(np.array([0.9, 0.8]), np.array([0, 1]))  # (0/1 + 1/2) / 2
    0.25
    """
    return evaluate_statistics({"aurc": area_under_risk}, confidence, losses, weights)["aurc"]


AURC = Metric(
    name="aurc",
    function=aurc,
    kind="selective",
    better="lower",
    label="AURC",
    description="Mean selective risk over all coverages.",
    shown=("comparison", "ranking", "selection", "groups", "metrics_file", "results"),
)


def e_aurc(confidence: SelectionScores, losses: Losses, weights: Weights | None = None) -> Value:
    """Return the excess AURC: AURC minus that of the best order of these very losses.

    The best order is by rising loss: the finite-sample optimum, not its continuous limit
    r + (1 - r) log(1 - r). Arguments, errors and source as for `aurc`; at least 0.

    >>> e_aurc(np.array([0.8, 0.9]), np.array([0, 1]))  # (1/1 + 1/2) / 2 - (0/1 + 1/2) / 2
    0.5
    """
    return _excess(
        aurc(confidence, losses, weights), aurc(-np.asarray(losses, float), losses, weights)
    )


E_AURC = Metric(
    name="e_aurc",
    function=e_aurc,
    kind="selective",
    better="lower",
    label="E-AURC",
    description="AURC above that of a perfect ranking.",
)


def augrc(confidence: SelectionScores, losses: Losses, weights: Weights | None = None) -> Value:
    r"""Return the area under the generalised risk-coverage curve.

    The generalised risk is the joint rate of "answered and wrong", the summed loss of the answered
    over ALL cases: silent errors for each case that arrives. The area over coverage, from 0, is
    taken by trapezoids between attained points (which is what the order of ties gives on average):

    .. math:: \mathrm{AUGRC} = \sum_t \frac{a_t - a_{t-1}}{n} \cdot \frac{L_t + L_{t-1}}{2n}

    with a the cases answered and L their summed loss. For losses of 0 or 1 this is
    (1 - AUROC) r (1 - r) + r^2 / 2, with r the error and AUROC that of right against wrong.
    Arguments and errors as for `aurc`.

    References
    ----------
    Traub et al., NeurIPS 2024, arXiv:2407.01032, equations 5 and 6.

    Examples
    --------
    >>> augrc(np.array([0.9, 0.8]), np.array([0, 1]))  # (1/2) * (0 + 1) / (2 * 2)
    0.125
    """
    return evaluate_statistics({"augrc": area_under_joint_risk}, confidence, losses, weights)[
        "augrc"
    ]


AUGRC = Metric(
    name="augrc",
    function=augrc,
    kind="selective",
    better="lower",
    label="AUGRC",
    description="Mean share of all cases that are answered and wrong, over all coverages.",
    shown=("comparison", "ranking", "selection", "metrics_file"),
)


def selective_summary(
    confidence: SelectionScores,
    losses: Losses,
    *,
    targets: Sequence[float],
    coverages: Sequence[float],
    weights: Weights | None = None,
) -> dict[str, Value]:
    """Return all areas and points at once: one sort and one pass over the weights for all.

    Keys are ``aurc``, ``e_aurc``, ``augrc``, ``coverage_at_risk_T`` for each target and
    ``risk_at_coverage_C`` for each coverage, with T and C in percent. Each equals the function of
    its name.

    >>> summary = selective_summary(
    ...     np.array([0.9, 0.8]), np.array([0, 1]), targets=[0.05], coverages=[0.9]
    ... )
    >>> list(summary)
    ['aurc', 'e_aurc', 'augrc', 'coverage_at_risk_5', 'risk_at_coverage_90']
    """
    statistics: dict[str, Statistic] = {
        "aurc": area_under_risk,
        "augrc": area_under_joint_risk,
    }
    for target in targets:
        name = f"coverage_at_risk_{100 * target:.6g}"
        statistics[name] = coverage_statistic(target)
    for coverage in coverages:
        name = f"risk_at_coverage_{100 * coverage:.6g}"
        statistics[name] = risk_statistic(coverage)
    summary = evaluate_statistics(statistics, confidence, losses, weights)
    best = aurc(-np.asarray(losses, float), losses, weights)
    areas = {"aurc": summary["aurc"], "e_aurc": _excess(summary["aurc"], best)}
    return areas | {name: value for name, value in summary.items() if name not in areas}


def risk_coverage_curve(
    confidence: SelectionScores, losses: Losses, weights: Int[np.ndarray, "cases"] | None = None
) -> RiskCoverage:
    """Return the risk-coverage curve, one point for each distinct score that counts.

    Weights of 1 for one class and 0 for the others give that class's curve: its miss rate against
    the share of it that is answered.

    >>> curve = risk_coverage_curve(np.array([0.9, 0.8, 0.8]), np.array([0, 1, 0]))
    >>> curve.thresholds, curve.coverage, curve.risk
    (array([0.9, 0.8]), array([0.33333333, 1.        ]), array([0.        , 0.33333333]))
    """
    scores, costs = checked_scores(confidence, losses)
    ranking = rank(scores)
    (multiplicities,) = multiplicity_blocks(weights, num_cases=len(scores))
    answered = ranking.cumulate(multiplicities[0])
    summed = ranking.cumulate(multiplicities[0] * costs)
    counts = np.diff(answered, prepend=0) > 0
    answered, summed = answered[counts], summed[counts]
    return RiskCoverage(
        thresholds=ranking.scores[counts],
        coverage=answered / answered[-1],
        risk=summed / answered,
        answered=answered,
        losses=summed,
    )


def _excess(value: Value, best: Value) -> Value:
    """Subtract the optimum; rounding alone could leave less than 0."""
    excess = np.maximum(np.subtract(value, best), 0.0)
    return excess if excess.ndim else float(excess)

"""Cox's recalibration line: how far log-odds must be shifted and stretched to be right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from pipeline.errors import InputError
from pipeline.metrics.weighting import Weights, case_weights
from pipeline.shapes import Labels, LogProbabilities, require_same_length

LARGEST_LOG_ODDS = 36.0
"""Beyond it a float64 probability is 0 or 1: log-odds are cut here, so none is infinite."""

MAX_STEPS = 100
TOLERANCE = 1e-10


SAME = 1e-9
"""Log-odds so near to one another differ by the rounding of the logarithms they are taken from."""


@dataclass(frozen=True)
class CoxLine:
    """Outcome log-odds as a line in predicted log-odds."""

    slope: float
    """1 if calibrated; below 1 the predictions are too extreme (over-fitted), above 1 too timid."""
    intercept: float
    """Of that same line; read it together with the slope."""
    intercept_at_slope_one: float
    """The shift that makes the mean prediction right: 0 if calibrated in the large, below 0 the
    predictions are too high."""


def cox_line(
    log_odds: Float[np.ndarray, "cases"],
    outcomes: Bool[np.ndarray, "cases"] | Int[np.ndarray, "cases"],
    *,
    weights: Weights | None = None,
) -> CoxLine:
    r"""Fit Cox's calibration intercept and slope by maximum likelihood.

    .. math:: \mathrm{logit}\, P(a_i = 1) = \alpha + \beta\, \mathrm{logit}\, p_i

    The line is always finite.

    Log-odds are natural logarithms, see `one_vs_rest_log_odds`, cut at +-36; outcomes say whether
    it happened.

    Raises `InputError` where there is no such line: outcomes all alike, log-odds all alike, or a
    threshold that separates the outcomes without error, whose slope would be infinite.

    References
    ----------
    Cox, Biometrika 45 (1958); Van Calster et al., BMC Medicine 17 (2019), "weak calibration".

    Examples
    --------
    >>> log_odds = np.log(np.repeat([3.0, 1 / 3], 4))
    >>> line = cox_line(log_odds, np.array([1, 1, 1, 0, 1, 0, 0, 0]))  # 3 to 1, as predicted
    >>> round(line.slope, 9), round(abs(line.intercept), 9)
    (1.0, 0.0)
    """
    require_same_length(log_odds=log_odds, outcomes=outcomes)
    weights = case_weights(weights, len(log_odds))
    counted = weights > 0
    predictor = np.clip(log_odds[counted].astype(np.float64), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    happened = outcomes[counted].astype(bool)
    reason = why_no_cox_line(predictor, happened)
    if reason is not None:
        raise InputError(reason)
    intercept, slope = _fit_line(predictor, happened, weights[counted])
    shift = _fit_shift(predictor, happened, weights[counted])
    return CoxLine(float(slope), float(intercept), shift)


def cox_lines_by_class(log_probabilities: LogProbabilities, labels: Labels) -> list[CoxLine | str]:
    """Return each class's Cox line against all the others, or why it has none.

    >>> cox_lines_by_class(np.log([[0.75, 0.25], [0.25, 0.75]]), np.array([0, 1]))[1]
    'a Cox slope needs outcomes that overlap, got log-odds that separate them without error'
    """
    lines: list[CoxLine | str] = []
    for k, log_odds in enumerate(one_vs_rest_log_odds(log_probabilities).T):
        reason = why_no_cox_line(log_odds, labels == k)
        lines.append(cox_line(log_odds, labels == k) if reason is None else reason)
    return lines


def one_vs_rest_log_odds(
    log_probabilities: LogProbabilities,
) -> Float[np.ndarray, "cases classes"]:
    r"""Return each class's log-odds against all the others, cut at +-36.

    .. math:: \log p_k - \log \sum_{j \ne k} p_j

    Taken from logarithms: the odds of a probability that rounds to one are still told apart.

    >>> one_vs_rest_log_odds(np.log([[0.75, 0.25]])).round(4)  # log 3
    array([[ 1.0986, -1.0986]])
    """
    num_classes = log_probabilities.shape[1]
    floor = np.maximum(log_probabilities.astype(np.float64), -2 * LARGEST_LOG_ODDS)
    others = [np.delete(floor, k, axis=1) for k in range(num_classes)]
    rest = np.column_stack([np.logaddexp.reduce(columns, axis=1) for columns in others])
    return np.clip(floor - rest, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)


def why_no_cox_line(
    log_odds: Float[np.ndarray, "cases"], happened: Bool[np.ndarray, "cases"]
) -> str | None:
    """Return why these outcomes have no finite Cox line, or None if they have one.

    >>> why_no_cox_line(np.array([-1.0, 1.0]), np.array([False, True]))
    'a Cox slope needs outcomes that overlap, got log-odds that separate them without error'
    """
    if happened.all() or not happened.any():
        return f"a Cox slope needs both outcomes, got {int(happened.sum())} of {len(happened)}"
    if log_odds.max() - log_odds.min() <= SAME:
        return f"a Cox slope needs predictions that differ, got log-odds {log_odds[0]:g} throughout"
    yes, no = log_odds[happened], log_odds[~happened]
    if no.max() <= yes.min() + SAME or yes.max() <= no.min() + SAME:
        return (
            "a Cox slope needs outcomes that overlap, got log-odds that separate them without error"
        )
    return None


def _fit_line(
    predictor: Float[np.ndarray, "cases"],
    happened: Bool[np.ndarray, "cases"],
    weights: Float[np.ndarray, "cases"],
) -> Float[np.ndarray, "2"]:
    """Maximise the logistic likelihood by Newton's method, halving steps that do not help."""
    sign = np.where(happened, 1.0, -1.0)
    design = np.column_stack([np.ones_like(predictor), predictor])

    def loss(line: Float[np.ndarray, "2"]) -> float:
        return float(weights @ np.logaddexp(0.0, -sign * (design @ line)))

    line = np.zeros(2)
    least = loss(line)
    for _ in range(MAX_STEPS):
        chance, variance = _chance_and_variance(design @ line)
        gradient = design.T @ (weights * (happened - chance))
        curvature = (design * (weights * variance)[:, None]).T @ design
        step = np.linalg.solve(curvature, gradient)
        while (found := loss(line + step)) >= least and np.abs(step).max() > TOLERANCE:
            step = step / 2
        line, least = line + step, found
        if np.abs(step).max() <= TOLERANCE:
            return line
    message = f"a Cox slope needs outcomes that overlap, none was found within {MAX_STEPS} steps"
    raise InputError(message)


def _fit_shift(
    predictor: Float[np.ndarray, "cases"],
    happened: Bool[np.ndarray, "cases"],
    weights: Float[np.ndarray, "cases"],
) -> float:
    """Halve the range of shifts: the mean prediction rises with the shift."""
    num_happened = weights @ happened
    # At either end every chance lies on the far side of any share that n cases can have.
    reach = 2 * LARGEST_LOG_ODDS + np.log(weights.sum())
    lower, upper = -reach, reach
    while upper - lower > TOLERANCE:
        middle = (lower + upper) / 2
        if weights @ _chance(predictor + middle)[0] < num_happened:
            lower = middle
        else:
            upper = middle
    return float(middle)


def _chance_and_variance(
    log_odds: Float[np.ndarray, "cases"],
) -> tuple[Float[np.ndarray, "cases"], Float[np.ndarray, "cases"]]:
    # Through the small exponential, so that a chance near 1 keeps its variance.
    chance, small = _chance(log_odds)
    return chance, small / (1.0 + small) ** 2


def _chance(
    log_odds: Float[np.ndarray, "cases"],
) -> tuple[Float[np.ndarray, "cases"], Float[np.ndarray, "cases"]]:
    """Return the chance at each log-odds, and the odds against the likelier outcome."""
    small = np.exp(-np.abs(log_odds))
    return np.where(log_odds > 0, 1.0, small) / (1.0 + small), small

r"""Calibration that keeps the order of confidences, and with it the risk-coverage curve.

With more than two classes a temperature does not fix what becomes of a confidence: two cases of
equal confidence, one with a strong runner-up and one without, part at the same T. So no step or
line T(c), however isotone, keeps the order. Here each case has a temperature of its own, the one
at which its confidence becomes :math:`g(c)`, with :math:`g` strictly increasing and one for all:
what was equal stays equal and what was larger stays larger, on any cases. Our choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import isotonic_regression

from pipeline.calibrators.calibrator import checked_logits
from pipeline.calibrators.confidence_bins import bin_of, equal_mass_edges
from pipeline.calibrators.piecewise import CalibrationSet, PiecewiseTemperature
from pipeline.calibrators.roots import (
    LOG_TEMPERATURE_BOUNDS,
    TEMPERATURE_BOUNDS,
    Limits,
    Terms,
    solve_log_temperatures,
)
from pipeline.calibrators.softmax import confidence_log_odds, highest_logits, row_blocks
from pipeline.shapes import Logits, LogProbabilities

SMALLEST_SLOPE = 0.01
"""Least rise of the curve on the log-odds scale, so that rounding makes no ties."""

MOST_KNOTS = 100
CASES_A_KNOT = 20

WIDEST_LOG_TEMPERATURE = 50.0
"""Stands for no upper bound: to stop at one would break the order."""

LAST_STEP = 1e-5
"""In a case's log T. About its cube is left, which its row's sum misses one by."""


@dataclass(frozen=True)
class MonotoneTemperature:
    """Give each case the temperature at which its confidence c becomes g(c).

    g is piecewise linear on the scale of log-odds above chance, log c/(1 - c) + log(classes - 1),
    which is zero for equal logits. It starts from zero there, runs through the knots, and goes
    on beyond the last along the ray from zero (for two classes: at a constant temperature).
    """

    preserves_argmax: ClassVar[bool] = True

    knots: tuple[float, ...]
    """Uncalibrated log-odds above chance, ascending from 0."""
    values: tuple[float, ...]
    """Calibrated log-odds above chance at the knots, ascending from 0."""
    num_classes: int
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one.

        A case that would need T below 0.05, because its largest logits are nearly equal, is left
        at 0.05; its other classes are then lowered together until its confidence is g(c).
        """
        logits = checked_logits(logits, num_classes=self.num_classes)
        chance = np.log(self.num_classes - 1.0)
        before = np.maximum(confidence_log_odds(logits) + chance, 0.0)
        after = self.curve(before)
        with np.errstate(divide="ignore", invalid="ignore"):
            # Exact for two classes, close for more.
            guess = np.where(before > 0, np.log(before / after), 0.0)
        return _with_confidence(logits, after - chance, guess)

    def curve(self, above_chance: Float[np.ndarray, "cases"]) -> Float[np.ndarray, "cases"]:
        """Return calibrated for uncalibrated log-odds above chance; strictly increasing."""
        knots, values = np.asarray(self.knots), np.asarray(self.values)
        slopes = np.append(np.diff(values) / np.diff(knots), values[-1] / knots[-1])
        piece = np.searchsorted(knots, above_chance, side="right") - 1
        line = values[piece] + slopes[piece] * (above_chance - knots[piece])
        # The end of a line must not round past the knot that follows it.
        return np.minimum(line, np.append(values[1:], np.inf)[piece])


@dataclass(frozen=True)
class _RunnerUpEquation:
    """Log-odds of confidence at T less the wanted ones, from the classes below the largest."""

    logits: Logits
    highest: Float[np.ndarray, "cases"]
    top: Int[np.ndarray, "cases"]
    wanted: Float[np.ndarray, "cases"]

    def __call__(
        self, cases: Int[np.ndarray, "chosen"], inverse: Float[np.ndarray, "chosen"]
    ) -> Terms:
        """Return each case's excess of log-odds and its derivatives by -log T, at 1/T."""
        excess, mean, square = np.empty(len(cases)), np.empty(len(cases)), np.empty(len(cases))
        for rows in row_blocks(len(cases), self.logits.shape[1]):
            chosen = cases[rows]
            own = (np.arange(len(chosen)), self.top[chosen])
            gaps = self.logits[chosen] - self.highest[chosen, None]
            gaps[own] = -np.inf
            second = gaps.max(axis=1)
            weights = np.exp((gaps - second[:, None]) * inverse[rows, None])
            gaps[own] = 0.0
            total = weights.sum(axis=1)
            excess[rows] = -(inverse[rows] * second + np.log(total)) - self.wanted[chosen]
            weights *= gaps
            mean[rows] = np.einsum("ij->i", weights) / total
            square[rows] = np.einsum("ij,ij->i", weights, gaps) / total
        mean, variance = mean * inverse, (square - mean**2) * inverse**2
        return excess, -mean, -mean - variance


def _with_confidence(
    logits: Logits,
    log_odds: Float[np.ndarray, "cases"],
    guess: Float[np.ndarray, "cases"],
) -> LogProbabilities:
    top, highest = logits.argmax(axis=1), highest_logits(logits)
    equation = _RunnerUpEquation(logits, highest, top, log_odds)
    cases = np.arange(len(logits))
    log_temperatures = solve_log_temperatures(
        equation,
        cases,
        num_groups=len(logits),
        start=guess,
        limits=Limits((LOG_TEMPERATURE_BOUNDS[0], WIDEST_LOG_TEMPERATURE), LAST_STEP),
    ).log_temperatures
    inverse = np.exp(-log_temperatures)
    excess, _, _ = equation(cases, inverse)
    confidence = -np.logaddexp(0.0, -log_odds)
    result = (logits - highest[:, None]) * inverse[:, None]
    # Zero but for rounding where T was free; never above, so that the arg-max stays.
    result += (confidence + np.minimum(excess, 0.0))[:, None]
    result[cases, top] = confidence
    return result


def monotone_temperature(
    calibration: CalibrationSet, steps: PiecewiseTemperature
) -> MonotoneTemperature:
    """Draw the curve through mean confidences before and after piecewise temperatures.

    The means are taken over many small groups of cases of like confidence: no labels enter here,
    so that small groups do no harm. Those after are made isotone by pool-adjacent-violators.
    """
    num_classes = calibration.likelihood.logits.shape[1]
    log_odds = calibration.log_odds
    edges = equal_mass_edges(log_odds, MOST_KNOTS, at_least=CASES_A_KNOT)
    groups, cases = bin_of(log_odds, edges), np.arange(len(log_odds))
    before = calibration.confidences(cases, np.zeros(len(cases)))
    after = calibration.confidences(cases, steps.log_temperatures_at(log_odds))
    counts = np.bincount(groups)
    isotone = isotonic_regression(np.bincount(groups, after) / counts, weights=counts).x
    knots, values = _rising_curve(
        _above_chance(np.bincount(groups, before) / counts, num_classes),
        _above_chance(isotone, num_classes),
    )
    return MonotoneTemperature(knots, values, num_classes, steps.notes)


def _above_chance(
    confidences: Float[np.ndarray, "bins"], num_classes: int
) -> Float[np.ndarray, "bins"]:
    inside = np.clip(confidences, 0.0, 1.0 - np.finfo(np.float64).eps)
    with np.errstate(divide="ignore"):
        return np.log(inside) - np.log1p(-inside) + np.log(num_classes - 1.0)


def _rising_curve(
    before: Float[np.ndarray, "bins"], after: Float[np.ndarray, "bins"]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Start at zero, keep the ratio within T's bounds, and rise by `SMALLEST_SLOPE` at least."""
    informed = before > np.sqrt(np.finfo(np.float64).eps)
    if not informed.any():
        return (0.0, 1.0), (0.0, 1.0)
    knots = np.concatenate([[0.0], before[informed]])
    sharpest, widest = TEMPERATURE_BOUNDS
    bounded = np.clip(np.append(0.0, after[informed]), knots / widest, knots / sharpest)
    values = np.maximum.accumulate(bounded - SMALLEST_SLOPE * knots) + SMALLEST_SLOPE * knots
    # Saturated confidences round to one knot: a line between two equal ones has no slope.
    last_of_equals = np.append(np.diff(knots) > 0, True)
    return tuple(knots[last_of_equals].tolist()), tuple(values[last_of_equals].tolist())

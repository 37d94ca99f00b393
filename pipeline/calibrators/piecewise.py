"""A temperature that depends on the uncalibrated confidence, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from pipeline.calibrators.calibrator import checked_logits
from pipeline.calibrators.confidence_bins import bin_of, smoothed_accuracy
from pipeline.calibrators.roots import (
    ConfidenceEquation,
    Equation,
    LikelihoodEquation,
    Roots,
    likelihood_equation,
    solve_log_temperatures,
)
from pipeline.calibrators.softmax import confidence_log_odds, exponential_moments, log_softmax
from pipeline.shapes import Labels, Logits, LogProbabilities


@dataclass(frozen=True)
class PiecewiseTemperature:
    """Divide each case's logits by the temperature of its confidence, then apply the log-softmax.

    Confidence is measured by its log-odds log c/(1 - c), which do not crowd near c = 1.
    """

    preserves_argmax: ClassVar[bool] = True

    edges: tuple[float, ...]
    """Inner edges between the bins; a case on an edge belongs to the bin below."""
    log_temperatures: tuple[float, ...]
    counts: tuple[int, ...]
    """Calibration cases in each bin."""
    extent: tuple[float, float]
    """Lowest and highest log-odds of the calibration cases."""
    interpolation: str
    """``constant`` in a bin, or ``linear`` between the bins' centres by confidence quantile."""
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        logits = checked_logits(logits)
        return log_softmax(logits, np.exp(self.log_temperatures_at(confidence_log_odds(logits))))

    @property
    def temperatures(self) -> Float[np.ndarray, "bins"]:
        """Temperature of each bin, from the least to the most confident."""
        return np.exp(self.log_temperatures)

    def log_temperatures_at(
        self, log_odds: Float[np.ndarray, "cases"]
    ) -> Float[np.ndarray, "cases"]:
        """Return log T for cases of the given log-odds of uncalibrated confidence, (n,)."""
        values = np.asarray(self.log_temperatures)
        if self.interpolation == "constant":
            return values[bin_of(log_odds, np.asarray(self.edges))]
        reached = np.concatenate([[0.0], np.cumsum(self.counts) / sum(self.counts)])
        knots = [self.extent[0], *self.edges, self.extent[1]]
        return np.interp(
            np.interp(log_odds, knots, reached), 0.5 * (reached[1:] + reached[:-1]), values
        )


@dataclass(frozen=True)
class CalibrationSet:
    """Calibration cases with all that the search for temperatures asks of them again and again."""

    likelihood: LikelihoodEquation
    log_odds: Float[np.ndarray, "cases"]
    """Of uncalibrated confidence."""
    hits: Bool[np.ndarray, "cases"]

    @classmethod
    def of(cls, logits: Logits, labels: Labels) -> CalibrationSet:
        """Derive everything from logits and labels already checked."""
        return cls(
            likelihood_equation(logits, labels),
            confidence_log_odds(logits),
            logits.argmax(axis=1) == labels,
        )

    def negative_log_likelihoods(
        self, cases: Int[np.ndarray, "chosen"], log_temperatures: Float[np.ndarray, "chosen"]
    ) -> Float[np.ndarray, "chosen"]:
        """Return -log p of the label of each chosen case at its temperature."""
        gaps = self.likelihood.label_gaps[cases]
        return np.log(self._totals(cases, log_temperatures)) - np.exp(-log_temperatures) * gaps

    def confidences(
        self, cases: Int[np.ndarray, "chosen"], log_temperatures: Float[np.ndarray, "chosen"]
    ) -> Float[np.ndarray, "chosen"]:
        """Return the largest probability of each chosen case at its temperature."""
        return 1.0 / self._totals(cases, log_temperatures)

    def _totals(
        self, cases: Int[np.ndarray, "chosen"], log_temperatures: Float[np.ndarray, "chosen"]
    ) -> Float[np.ndarray, "chosen"]:
        known = self.likelihood
        inverse = np.exp(-log_temperatures)
        return exponential_moments(known.logits, known.highest, cases, inverse, 1)[0]


def fit_bin_temperatures(
    calibration: CalibrationSet,
    edges: Float[np.ndarray, "edges"],
    *,
    objective: str,
    cases: Int[np.ndarray, "chosen"] | None = None,
    towards: float | Float[np.ndarray, "bins"] = 0.5,
) -> Roots:
    """Find each bin's temperature from its own cases.

    Parameters
    ----------
    calibration : CalibrationSet
    edges : float array, (bins - 1,)
        Log-odds of confidence between the bins.
    objective : {"confidence", "nll"}
        Mean confidence equals the smoothed accuracy, or the likelihood is largest.
    cases : int array, (chosen,), optional
        Ascending indices of the cases to learn from; all by default.
    towards : float or float array, (bins,)
        What accuracy is smoothed towards.
    """
    chosen = np.arange(len(calibration.hits)) if cases is None else cases
    bins = bin_of(calibration.log_odds[chosen], edges)
    equation: Equation = calibration.likelihood
    if objective == "confidence":
        counts = np.bincount(bins, minlength=len(edges) + 1)
        hits = np.bincount(bins, calibration.hits[chosen], len(edges) + 1)
        targets = np.zeros(len(calibration.hits))
        targets[chosen] = smoothed_accuracy(hits, counts, towards)[bins]
        known = calibration.likelihood
        equation = ConfidenceEquation(known.logits, known.highest, targets)
    return solve_log_temperatures(equation, bins, num_groups=len(edges) + 1, cases=chosen)


def piecewise_temperature(
    calibration: CalibrationSet,
    edges: Float[np.ndarray, "edges"],
    log_temperatures: Float[np.ndarray, "bins"],
    *,
    interpolation: str = "constant",
    cases: Int[np.ndarray, "chosen"] | None = None,
    notes: tuple[str, ...] = (),
) -> PiecewiseTemperature:
    """Gather what was fitted on the chosen cases into a calibrator of plain numbers."""
    log_odds = calibration.log_odds if cases is None else calibration.log_odds[cases]
    counts = np.bincount(bin_of(log_odds, edges), minlength=len(edges) + 1)
    return PiecewiseTemperature(
        edges=tuple(edges.tolist()),
        log_temperatures=tuple(log_temperatures.tolist()),
        counts=tuple(counts.tolist()),
        extent=(float(log_odds.min()), float(log_odds.max())),
        interpolation=interpolation,
        notes=notes,
    )

"""A temperature that depends on the uncalibrated confidence, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from pipeline.calibrators.calibrator import checked_logits
from pipeline.calibrators.confidence_bins import bin_of, smoothed_accuracy
from pipeline.calibrators.roots import (
    TEMPERATURE_BOUNDS,
    ConfidenceEquation,
    LikelihoodEquation,
    Roots,
    in_single_precision,
    likelihood_equation,
    solve_log_temperatures,
)
from pipeline.calibrators.softmax import confidence_log_odds, exponential_moments, log_softmax
from pipeline.shapes import Labels, Logits, LogProbabilities

SMALLEST_GAP = 1e-6
"""Of two logits. Stands for accuracies below chance, which no temperature attains."""


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
    rough_likelihood: LikelihoodEquation
    """In single precision."""
    log_odds: Float[np.ndarray, "cases"]
    """Of uncalibrated confidence."""
    hits: Bool[np.ndarray, "cases"]

    @classmethod
    def of(cls, logits: Logits, labels: Labels) -> CalibrationSet:
        """Derive everything from logits and labels already checked."""
        likelihood = likelihood_equation(logits, labels)
        return cls(
            likelihood,
            in_single_precision(likelihood),
            confidence_log_odds(logits, likelihood.highest),
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


def fit_whole_temperature(calibration: CalibrationSet) -> Roots:
    """Find the likeliest temperature of all cases, as plain temperature scaling does."""
    in_one = np.zeros(len(calibration.hits), dtype=np.intp)
    rough = calibration.rough_likelihood
    return solve_log_temperatures(calibration.likelihood, in_one, num_groups=1, rough=rough)


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
    log_odds = calibration.log_odds[chosen]
    bins, num_bins = bin_of(log_odds, edges), len(edges) + 1
    knowns = calibration.likelihood, calibration.rough_likelihood
    if objective == "nll":
        roots = solve_log_temperatures(
            knowns[0], bins, num_groups=num_bins, cases=chosen, rough=knowns[1]
        )
    else:
        counts = np.bincount(bins, minlength=num_bins)
        hits = np.bincount(bins, calibration.hits[chosen], num_bins)
        accuracy = smoothed_accuracy(hits, counts, towards)
        targets = np.zeros(len(calibration.hits))
        targets[chosen] = accuracy[bins]
        equation, rough = (ConfidenceEquation(k.logits, k.highest, targets) for k in knowns)
        mean_log_odds = np.bincount(bins, log_odds, num_bins) / np.maximum(counts, 1)
        start = _if_all_others_were_equal(mean_log_odds, accuracy, equation.logits.shape[1])
        roots = solve_log_temperatures(
            equation, bins, num_groups=num_bins, cases=chosen, start=start, rough=rough
        )
    # A bin that determines nothing stays as it is, whatever its first guess.
    return replace(roots, log_temperatures=np.where(roots.determined, roots.log_temperatures, 0.0))


def _if_all_others_were_equal(
    log_odds: Float[np.ndarray, "bins"], accuracy: Float[np.ndarray, "bins"], num_classes: int
) -> Float[np.ndarray, "bins"]:
    """Return each bin's log T if the probabilities below the largest were equal: a first guess.

    Log-odds above those of chance are then a gap of two logits, which T divides.

    >>> np.exp(_if_all_others_were_equal(np.log([9.0]), np.array([0.75]), 2)).round(9)
    array([2.])
    """
    chance = -np.log(num_classes - 1.0)
    confident, right = log_odds - chance, np.log(accuracy) - np.log1p(-accuracy) - chance
    sharpest, widest = TEMPERATURE_BOUNDS
    return np.log(np.clip(confident / np.maximum(right, SMALLEST_GAP), sharpest, widest))


def piecewise_temperature(
    calibration: CalibrationSet,
    edges: Float[np.ndarray, "edges"],
    roots: Roots,
    *,
    interpolation: str = "constant",
    cases: Int[np.ndarray, "chosen"] | None = None,
    notes: tuple[str, ...] = (),
) -> PiecewiseTemperature:
    """Gather what was fitted on the chosen cases into a calibrator of plain numbers."""
    log_odds = calibration.log_odds if cases is None else calibration.log_odds[cases]
    return PiecewiseTemperature(
        edges=tuple(edges.tolist()),
        log_temperatures=tuple(roots.log_temperatures.tolist()),
        counts=tuple(roots.counts.tolist()),
        extent=(float(log_odds.min()), float(log_odds.max())),
        interpolation=interpolation,
        notes=notes,
    )

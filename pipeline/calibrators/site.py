"""Few-shot recalibration: a new site's own temperatures, as far as its cases bear them out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from pipeline.arguments import whole_number
from pipeline.calibrators.bin_choice import shrink
from pipeline.calibrators.calibrator import Calibrator, SiteCases, checked_cases
from pipeline.calibrators.confidence_bins import (
    MINIMUM_PER_BIN,
    bin_of,
    equal_mass_edges,
)
from pipeline.calibrators.piecewise import (
    CalibrationSet,
    PiecewiseTemperature,
    fit_bin_temperatures,
    piecewise_temperature,
)
from pipeline.calibrators.roots import ConfidenceEquation
from pipeline.shapes import Logits, LogProbabilities

MINIMUM_CASES = 2


@dataclass(frozen=True)
class SiteRecalibration:
    """Calibrate as at the source, then divide by the site's temperature at that confidence.

    Temperatures multiply: where the source is a temperature scaling, T of the site is the source's
    times the adjustment's.
    """

    source: Calibrator
    adjustment: PiecewiseTemperature
    notes: tuple[str, ...] = ()

    @property
    def preserves_argmax(self) -> bool:
        """As the source does: the adjustment divides by temperatures only."""
        return self.source.preserves_argmax

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        return self.adjustment(self.source(logits))


def fit_site(calibrator: Calibrator, target: SiteCases, *, bins: int = 5) -> SiteRecalibration:
    r"""Shrink the site's adaptive temperatures towards the source's by empirical Bayes.

    In each bin of source-calibrated confidence the factor :math:`\delta_b` on the source's
    temperature is found at which mean confidence equals the site's accuracy, and then :math:`\log
    \delta_b` is multiplied by :math:`\tau^2 / (\tau^2 + s_b^2)`: s its sampling error if the
    source's calibration held, :math:`\tau^2` the spread between bins beyond that error. With no
    evidence against the source the weight is 0. The construction is our choice.

    Keeps the arg-max if the source calibrator does. The weights are named in ``notes``.

    Parameters
    ----------
    calibrator : Calibrator
        Fitted at the source, usually by ats.
    target : SiteCases
        Labelled cases of the site, at least 2; a few dozen begin to tell.
    bins : int
        Most bins; neighbours are merged until each holds at least 50 of the site's cases.

    References
    ----------
    Efron and Morris, JASA 68 (1973) 117, for empirical-Bayes shrinkage; `bin_choice.shrink` for the
    estimate of the spread.
    """
    whole_number("bins", bins, lowest=1)
    logits, labels = checked_cases(target.logits, target.required_labels, at_least=MINIMUM_CASES)
    site = CalibrationSet.of(calibrator(logits), labels)
    edges = equal_mass_edges(site.log_odds, bins, at_least=MINIMUM_PER_BIN)
    confidence, errors = _at_source(site, edges)
    roots = fit_bin_temperatures(site, edges, objective="confidence", towards=confidence)
    shrunk = shrink(roots.log_temperatures, errors, 0.0)
    adjustment = piecewise_temperature(site, edges, replace(roots, log_temperatures=shrunk))
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.nan_to_num(shrunk / roots.log_temperatures)
    listed = ", ".join(f"{weight:.2f}" for weight in weights)
    note = f"weight of the site's own {len(labels)} cases by bin: {listed}"
    return SiteRecalibration(calibrator, adjustment, (*calibrator.notes, note))


def _at_source(
    site: CalibrationSet, edges: Float[np.ndarray, "edges"]
) -> tuple[Float[np.ndarray, "bins"], Float[np.ndarray, "bins"]]:
    """Return each bin's mean source-calibrated confidence and the error of its log T at T = 1."""
    bins = bin_of(site.log_odds, edges)
    known = site.likelihood
    equation = ConfidenceEquation(known.logits, known.highest, targets=np.zeros(len(bins)))
    confidence, slopes, _ = equation(np.arange(len(bins)), np.ones(len(bins)))
    total_slopes = np.bincount(bins, slopes)
    with np.errstate(divide="ignore"):
        errors = np.sqrt(np.bincount(bins, confidence * (1.0 - confidence))) / total_slopes
    means = np.bincount(bins, confidence) / np.bincount(bins)
    return means, np.where(total_slopes > 0, errors, np.inf)

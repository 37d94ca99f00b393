"""Bin-wise temperature scaling: the likeliest temperature in each bin of confidence."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pipeline.arguments import whole_number
from pipeline.calibrators.ats import merge_notes
from pipeline.calibrators.calibrator import checked_cases
from pipeline.calibrators.confidence_bins import (
    MINIMUM_PER_BIN,
    equal_mass_edges,
)
from pipeline.calibrators.piecewise import (
    CalibrationSet,
    PiecewiseTemperature,
    fit_bin_temperatures,
    fit_whole_temperature,
    piecewise_temperature,
)
from pipeline.calibrators.temperature import bound_notes, settle_at_bounds
from pipeline.errors import InputError
from pipeline.shapes import Labels, Logits

MINIMUM_CASES = 2


def fit_bts(
    logits: Logits, labels: Labels, *, bins: int = 50, threshold: float = 0.999
) -> PiecewiseTemperature:
    r"""Fit the temperature of least negative log-likelihood in each bin of confidence.

    Confidences up to ``threshold`` fall into ``bins - 1`` bins of equal mass, those above into one.

    Accuracy is unchanged, because the arg-max of a row is; the order of cases may change. A bin
    whose temperature stopped at a bound takes that of all cases, our choice: the source's bins hold
    thousands. Such bins and merged ones are named in ``notes``.

    Parameters
    ----------
    bins : int
        Neighbours are merged until each holds at least 50 cases, which the source leaves open.
    threshold : float
        Confidence in (0, 1) above which there is a single bin.

    References
    ----------
    Ji et al., arXiv:1908.11528.

    Examples
    --------
    60 cases claim 0.9 and 45 are right, at odds of 3 to 1: T = log 9 / log 3 = 2.

    >>> fit_bts(np.log([[9.0, 1.0]] * 60), np.repeat([0, 1], [45, 15])).temperatures
    array([2.])
    """
    logits, labels = checked_cases(logits, labels, at_least=MINIMUM_CASES)
    whole_number("bins", bins, lowest=1)
    if not 0.0 < threshold < 1.0:
        message = f"threshold must lie in (0, 1), got {threshold}"
        raise InputError(message)
    calibration = CalibrationSet.of(logits, labels)
    boundary = float(np.log(threshold) - np.log1p(-threshold))
    edges = _edges(calibration.log_odds, bins, boundary)
    roots = fit_bin_temperatures(calibration, edges, objective="nll")
    roots, settled = settle_at_bounds(roots, fit_whole_temperature(calibration))
    notes = merge_notes(bins, len(edges) + 1) + settled + bound_notes(roots)
    return piecewise_temperature(calibration, edges, roots, notes=notes)


def _edges(
    log_odds: Float[np.ndarray, "cases"], bins: int, boundary: float
) -> Float[np.ndarray, "edges"]:
    below = log_odds[log_odds <= boundary]
    if min(len(below), len(log_odds) - len(below)) < MINIMUM_PER_BIN:
        return equal_mass_edges(log_odds, bins, at_least=MINIMUM_PER_BIN)
    inner = equal_mass_edges(below, max(1, bins - 1), at_least=MINIMUM_PER_BIN)
    return np.append(inner, boundary)

"""Adaptive piecewise temperature scaling: a temperature for each level of confidence."""

from __future__ import annotations

from pipeline.arguments import one_of, whole_number
from pipeline.calibrators.bin_choice import BinChoice, fit_chosen_bins
from pipeline.calibrators.calibrator import checked_cases
from pipeline.calibrators.confidence_bins import (
    MINIMUM_PER_BIN,
    equal_mass_edges,
)
from pipeline.calibrators.monotone import MonotoneTemperature, monotone_temperature
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


def fit_ats(
    logits: Logits,
    labels: Labels,
    *,
    bins: int | str = 20,
    interpolation: str = "constant",
    objective: str = "confidence",
    monotone: bool = False,
    seed: int = 0,
) -> PiecewiseTemperature | MonotoneTemperature:
    r"""Fit a temperature in each of several bins of uncalibrated confidence.

    Cases are sorted by confidence into bins of equal mass, and neighbours merged until each holds
    at least 50. In bin b the temperature solves

    .. math:: \frac{1}{n_b} \sum_{i \in b} \max_k \mathrm{softmax}(z_i / T_b)_k
              = \frac{\mathrm{hits}_b + 1}{n_b + 2}, \qquad 0.05 \le T_b \le 20

    by bisection with Halley's steps inside the bracket. The text of the method's paper is not
    public: what is known is that it is gradient-free, works on the confidences of bins and was
    evaluated with 20 of them. All the rest is our choice.

    Accuracy is unchanged, because the arg-max of a row is. Without ``monotone`` the order of cases
    may change: count it with `pipeline.calibrators.rank_inversions`. Merged bins and temperatures
    at a bound are named in ``notes``.

    Raises `InputError` if an argument is not one of the above, or the cases are not fit for
    fitting.

    Parameters
    ----------
    bins : int or "auto"
        Number of bins, or the one of 1, 2, 5, 10, 20, 50 with the least 5-fold negative
        log-likelihood, each T_b then shrunk towards plain temperature scaling's by its sampling
        error. Choose "auto" for small splits: fixed bins over-fit where there is little to mend.
    interpolation : {"constant", "linear"}
        T of the bin, or log T linear between the bins' centres by quantile of confidence.
    objective : {"confidence", "nll"}
        The equation above, or the T_b of the largest likelihood; a bin whose likelihood rises up
        to a bound takes the temperature of all cases.
    monotone : bool
        Keep the order of confidences, hence the risk-coverage curve, on any cases: see
        `pipeline.calibrators.monotone`.
    seed : int
        Draws the folds of "auto".

    References
    ----------
    Zhan, Zhou, Shen, arXiv:2604.06689.

    Examples
    --------
    60 cases claim 0.9 and 46 are right: 47/62 lies at odds of 47 to 15.

    >>> import numpy as np
    >>> logits = np.log([[9.0, 1.0]] * 60)
    >>> fitted = fit_ats(logits, np.repeat([0, 1], [46, 14]))
    >>> fitted.temperatures * np.log(47 / 15) / np.log(9)
    array([1.])
    """
    logits, labels = checked_cases(logits, labels, at_least=MINIMUM_CASES)
    one_of("interpolation", interpolation, ("constant", "linear"))
    one_of("objective", objective, ("confidence", "nll"))
    one_of("monotone", monotone, (False, True))
    calibration = CalibrationSet.of(logits, labels)
    if bins == "auto":
        choice = BinChoice(objective, interpolation, seed)
        fitted = fit_chosen_bins(calibration, choice)
    elif isinstance(bins, str):
        message = f'bins must be a whole number or "auto", got {bins!r}'
        raise InputError(message)
    else:
        whole_number("bins", bins, lowest=1)
        fitted = _fit_fixed_bins(calibration, bins, objective, interpolation)
    return monotone_temperature(calibration, fitted) if monotone else fitted


def _fit_fixed_bins(
    calibration: CalibrationSet, bins: int, objective: str, interpolation: str
) -> PiecewiseTemperature:
    edges = equal_mass_edges(calibration.log_odds, bins, at_least=MINIMUM_PER_BIN)
    roots = fit_bin_temperatures(calibration, edges, objective=objective)
    settled: tuple[str, ...] = ()
    if objective == "nll":
        roots, settled = settle_at_bounds(roots, fit_whole_temperature(calibration))
    return piecewise_temperature(
        calibration,
        edges,
        roots,
        interpolation=interpolation,
        notes=merge_notes(bins, len(edges) + 1) + settled + bound_notes(roots),
    )


def merge_notes(wanted: int, kept: int) -> tuple[str, ...]:
    """Say how many bins the cases allowed, if not all that were wanted.

    >>> merge_notes(20, 10)
    ('10 of 20 bins kept, each with at least 50 cases and equal confidences together',)
    """
    if kept == wanted:
        return ()
    rule = f"each with at least {MINIMUM_PER_BIN} cases and equal confidences together"
    return (f"{kept} of {wanted} bins kept, {rule}",)

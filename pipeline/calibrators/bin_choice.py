"""How many bins the calibration cases can afford, and how far to believe each temperature."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import brentq

from pipeline.calibrators.confidence_bins import (
    MINIMUM_PER_BIN,
    bin_of,
    equal_mass_edges,
    smoothed_accuracy,
)
from pipeline.calibrators.piecewise import (
    CalibrationSet,
    PiecewiseTemperature,
    fit_bin_temperatures,
    piecewise_temperature,
)
from pipeline.calibrators.roots import Roots, solve_log_temperatures
from pipeline.calibrators.temperature import bound_notes

CANDIDATES = (1, 2, 5, 10, 20, 50)
FOLDS = 5


@dataclass(frozen=True)
class BinChoice:
    """How `fit_chosen_bins` is to fit, and to choose among numbers of bins."""

    objective: str
    interpolation: str
    seed: int


def fit_chosen_bins(calibration: CalibrationSet, choice: BinChoice) -> PiecewiseTemperature:
    """Fit with the number of bins of least K-fold negative log-likelihood, temperatures shrunk.

    Each candidate is scored as it would be used: fitted on the other folds and shrunk there
    (`shrink`).
    """
    num_cases = len(calibration.hits)
    candidates = _distinct_edges(calibration)
    losses = np.zeros(len(candidates))
    if len(candidates) > 1:
        fold_of = np.random.default_rng(choice.seed).permutation(num_cases) % FOLDS
        for fold in range(FOLDS):
            kept_out, others = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
            for index, fitted in enumerate(_shrunk_fits(calibration, candidates, choice, others)):
                log_temperatures = fitted.log_temperatures_at(calibration.log_odds[kept_out])
                losses[index] += calibration.negative_log_likelihoods(
                    kept_out, log_temperatures
                ).sum()
    best = int(losses.argmin())
    (fitted,) = _shrunk_fits(calibration, candidates[best : best + 1], choice, np.arange(num_cases))
    chosen = f"{len(fitted.counts)} bins chosen by {FOLDS}-fold likelihood"
    return replace(fitted, notes=(chosen, *fitted.notes))


def _distinct_edges(calibration: CalibrationSet) -> list[Float[np.ndarray, "edges"]]:
    found: dict[int, Float[np.ndarray, "edges"]] = {}
    for num_bins in CANDIDATES:
        edges = equal_mass_edges(calibration.log_odds, num_bins, at_least=MINIMUM_PER_BIN)
        found.setdefault(len(edges), edges)
    return list(found.values())


def _shrunk_fits(
    calibration: CalibrationSet,
    candidates: list[Float[np.ndarray, "edges"]],
    choice: BinChoice,
    cases: Int[np.ndarray, "chosen"],
) -> list[PiecewiseTemperature]:
    in_one = np.zeros(len(cases), dtype=np.intp)
    overall = solve_log_temperatures(calibration.likelihood, in_one, num_groups=1, cases=cases)
    centre = float(overall.log_temperatures[0])
    fits = []
    for edges in candidates:
        roots = fit_bin_temperatures(calibration, edges, objective=choice.objective, cases=cases)
        errors = sampling_errors(calibration, edges, roots, cases=cases, objective=choice.objective)
        shrunk = replace(roots, log_temperatures=shrink(roots.log_temperatures, errors, centre))
        fits.append(
            piecewise_temperature(
                calibration,
                edges,
                shrunk,
                interpolation=choice.interpolation,
                cases=cases,
                notes=bound_notes(shrunk),
            )
        )
    return fits


def sampling_errors(
    calibration: CalibrationSet,
    edges: Float[np.ndarray, "edges"],
    roots: Roots,
    *,
    cases: Int[np.ndarray, "chosen"],
    objective: str,
) -> Float[np.ndarray, "bins"]:
    r"""Return the standard error of each bin's log T by the delta method; infinite where flat.

    A root of :math:`\sum_i f_i(\log T)` has variance :math:`\mathrm{var}(\sum f_i) / (\sum
    f_i')^2`.
    """
    bins = bin_of(calibration.log_odds[cases], edges)
    num_bins = len(edges) + 1
    if objective == "confidence":
        counts = np.bincount(bins, minlength=num_bins)
        accuracy = smoothed_accuracy(np.bincount(bins, calibration.hits[cases], num_bins), counts)
        variance = counts * accuracy * (1.0 - accuracy)
    else:
        scores, _, _ = calibration.likelihood(cases, np.exp(-roots.log_temperatures)[bins])
        variance = np.bincount(bins, scores**2, num_bins)
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.sqrt(variance) / roots.slopes
    return np.where(roots.slopes > 0, errors, np.inf)


def shrink(
    values: Float[np.ndarray, "bins"], errors: Float[np.ndarray, "bins"], centre: float
) -> Float[np.ndarray, "bins"]:
    r"""Pull each value towards the centre by the share of its spread that is sampling error.

    .. math:: c + \frac{\tau^2}{\tau^2 + s_b^2} (v_b - c), \qquad
              \sum_b \frac{(v_b - c)^2}{\tau^2 + s_b^2} = \text{number of bins}

    with :math:`\tau^2 = 0` if even that leaves the sum below the number of bins.

    References
    ----------
    Paule and Mandel, J. Res. Natl. Bur. Stand. 87 (1982) 377, for the estimate of :math:`\tau^2`,
    here about a centre that is known.

    Examples
    --------
    (3 - 1)^2 / (3 + 1) = 1 bin, so that tau^2 = 3 and three quarters of the distance stay:

    >>> shrink(np.array([3.0]), np.array([1.0]), 1.0).round(9)
    array([2.5])
    """
    squares = (values - centre) ** 2
    known = np.isfinite(errors)

    def surplus(variance: float) -> float:
        return float((squares[known] / (variance + errors[known] ** 2)).sum() - known.sum())

    if not known.any() or surplus(0.0) <= 0:
        return np.full(len(values), centre)
    between = brentq(surplus, 0.0, squares[known].sum() + 1.0)
    with np.errstate(invalid="ignore"):
        weights = np.where(known, between / (between + errors**2), 0.0)
    return centre + weights * (values - centre)

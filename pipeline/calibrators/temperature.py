"""Temperature scaling: one scalar softens or sharpens every prediction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from pipeline.calibrators.calibrator import checked_cases, checked_logits
from pipeline.calibrators.roots import (
    LOG_TEMPERATURE_BOUNDS,
    Roots,
    in_single_precision,
    likelihood_equation,
    solve_log_temperatures,
)
from pipeline.calibrators.softmax import log_softmax
from pipeline.shapes import Labels, Logits, LogProbabilities

MINIMUM_CASES = 2


@dataclass(frozen=True)
class TemperatureScaling:
    """Divide logits by ``temperature``, then apply the log-softmax."""

    preserves_argmax: ClassVar[bool] = True

    temperature: float
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        return log_softmax(checked_logits(logits), self.temperature)


def fit_temperature(logits: Logits, labels: Labels) -> TemperatureScaling:
    r"""Fit the temperature that minimises mean negative log-likelihood.

    .. math:: \hat T = \arg\min_{0.05 \le T \le 20}
              \frac1n \sum_i -\log \mathrm{softmax}(z_i/T)_{y_i}

    The likelihood is convex in 1/T: its derivative has one root, which a bracketed Halley search
    finds.

    Accuracy is unchanged, because the arg-max of a row is. A temperature at its bound, or one the
    cases leave open (constant logits; then 1), is named in ``notes``.

    Raises `InputError` if a label has no logit column, a logit is not finite, or there are fewer
    than 2 cases.

    Parameters
    ----------
    logits : float array, (n, classes)
        Held-out calibration logits, in nats; never the training split. At least 2 cases.

    References
    ----------
    Guo et al., ICML 2017, arXiv:1706.04599, section 4.2.

    Examples
    --------
    Logits claim odds of 9 to 1, and are right in 3 of 4 cases: T = log 9 / log 3 = 2.

    >>> fitted = fit_temperature(np.log([[9.0, 1.0]] * 4), np.array([0, 0, 0, 1]))
    >>> round(fitted.temperature, 6)
    2.0
    """
    logits, labels = checked_cases(logits, labels, at_least=MINIMUM_CASES)
    equation = likelihood_equation(logits, labels)
    roots = solve_log_temperatures(
        equation,
        np.zeros(len(labels), dtype=np.intp),
        num_groups=1,
        rough=in_single_precision(equation),
    )
    temperature = float(np.exp(roots.log_temperatures[0]))
    return TemperatureScaling(temperature, bound_notes(roots))


def bound_notes(roots: Roots) -> tuple[str, ...]:
    """Say which temperatures stopped at a bound of the search, or had nothing to be found from.

    >>> log_temperatures = np.array([0.0, LOG_TEMPERATURE_BOUNDS[0]])
    >>> bound_notes(Roots(log_temperatures, np.ones(2), np.ones(2, bool), np.ones(2, int)))
    ('temperature at its bound 0.05 in bin 2 of 2',)
    """
    found = {
        "temperature at its bound 0.05": roots.log_temperatures == LOG_TEMPERATURE_BOUNDS[0],
        "temperature at its bound 20": roots.log_temperatures == LOG_TEMPERATURE_BOUNDS[1],
        "temperature not determined by the calibration cases, kept at 1": ~roots.determined,
    }
    num_groups = len(roots.determined)
    notes = []
    for fact, where in found.items():
        bins = ", ".join(str(index + 1) for index in np.flatnonzero(where))
        if bins:
            notes.append(fact if num_groups == 1 else f"{fact} in bin {bins} of {num_groups}")
    return tuple(notes)


def settle_at_bounds(roots: Roots, whole: Roots) -> tuple[Roots, tuple[str, ...]]:
    """Give each bin whose temperature stopped at a bound that of all cases, and say which.

    A bin of few cases, all of them right or nearly all unsure, has a likelihood that rises up to
    the bound: believed, it makes cases next to an even chance certain. A single bin stays as it is.

    `roots` are of the bins, `whole` of all cases as one group.

    >>> bins = Roots(np.array([0.5, np.log(0.05)]), np.ones(2), np.ones(2, bool), np.ones(2, int))
    >>> one = Roots(np.array([0.25]), np.ones(1), np.ones(1, bool), np.ones(1, int))
    >>> settled, notes = settle_at_bounds(bins, one)
    >>> settled.log_temperatures, notes
    (array([0.5 , 0.25]), ('temperature of all cases in bin 2 of 2, whose own is at its bound',))
    """
    at_bound = np.isin(roots.log_temperatures, LOG_TEMPERATURE_BOUNDS)
    if len(at_bound) == 1 or not at_bound.any():
        return roots, ()
    settled = np.where(at_bound, whole.log_temperatures[0], roots.log_temperatures)
    bins = ", ".join(str(index + 1) for index in np.flatnonzero(at_bound))
    note = f"temperature of all cases in bin {bins} of {len(at_bound)}, whose own is at its bound"
    return replace(roots, log_temperatures=settled), (note,)

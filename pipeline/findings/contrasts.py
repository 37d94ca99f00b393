"""Contrasts of cells of replicates: what a line of levels changes, and how far it bends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.metrics.intervals import Interval
from pipeline.metrics.power import detectable_difference


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of cells' means, with the noise of their replicates.

    Attributes
    ----------
    estimate, standard_error : float
    interval : Interval or None
        Student's, uncorrected. None where replicates of every cell agree, as is what follows.
    p_value : float or None
        Two-sided, against none.
    freedom : float or None
        Degrees of freedom.
    """

    estimate: float
    standard_error: float
    interval: Interval | None
    p_value: float | None
    freedom: float | None

    def detectable(self, level: float) -> float | None:
        """Return the true size that a test at this level would have shown four times in five."""
        if self.freedom is None:
            return None
        num = int(self.freedom) + 1
        return detectable_difference(self.standard_error * num**0.5, num, level)


def change_weights(places: Float[np.ndarray, "levels"]) -> Float[np.ndarray, "levels"]:
    """Return weights of a line's change from its first to its last place, by least squares.

    >>> change_weights(np.arange(4.0)).round(9).tolist()
    [-0.9, -0.3, 0.3, 0.9]
    """
    return _coefficient(places, 1) * (places[-1] - places[0])


def bend_weights(places: Float[np.ndarray, "levels"]) -> Float[np.ndarray, "levels"]:
    """Return weights of how far a parabola's middle is above the chord between its ends.

    The parabola is that of least squares, its middle half-way between the first and the last place;
    three or more places are needed.

    >>> bend_weights(np.arange(3.0)).round(9).tolist()
    [-0.5, 1.0, -0.5]
    """
    return -_coefficient(places, 2) * ((places[-1] - places[0]) / 2) ** 2


def contrast(
    weights: Float[np.ndarray, "cells"],
    values: Float[np.ndarray, "cells replicates"],
    level: float,
) -> Contrast:
    r"""Return a contrast of cells whose noise may differ.

    .. math:: \hat c = \sum_c w_c \bar y_c, \qquad
              \mathrm{se}^2 = \sum_c v_c, \quad v_c = \frac{w_c^2 s_c^2}{R}, \qquad
              \nu = \frac{(\sum_c v_c)^2}{\sum_c v_c^2 / (R - 1)}

    Parameters
    ----------
    weights : array, shape (cells,)
    values : array, shape (cells, at least 2)
    level : float
        Of the interval.

    References
    ----------
    Welch, The generalization of "Student's" problem, Biometrika 34 (1947); Satterthwaite, An
    approximate distribution of estimates of variance components, Biometrics Bulletin 2 (1946).

    Examples
    --------
    >>> found = contrast(np.array([-1.0, 1.0]), np.array([[0.0, 2.0], [3.0, 5.0]]), 0.95)
    >>> found.estimate, round(found.standard_error**2, 9), found.freedom
    (3.0, 2.0, 2.0)
    """
    num_replicates = values.shape[1]
    estimate = float(weights @ values.mean(axis=1))
    # Rounding gives replicates that are all equal a variance of 1e-33.
    variances = np.where(np.ptp(values, axis=1) > 0, values.var(axis=1, ddof=1), 0.0)
    parts = weights**2 * variances / num_replicates
    error = float(np.sqrt(parts.sum()))
    if error == 0:
        return Contrast(estimate, error, None, None, None)
    # Imported here, because it takes longer than the rest of the package together.
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415

    freedom = float(parts.sum() ** 2 / (parts**2 / (num_replicates - 1)).sum())
    half = float(stdtrit(freedom, 0.5 + level / 2) * error)
    p_value = float(2 * stdtr(freedom, -abs(estimate) / error))
    return Contrast(estimate, error, Interval(estimate - half, estimate + half), p_value, freedom)


def _coefficient(places: Float[np.ndarray, "levels"], power: int) -> Float[np.ndarray, "levels"]:
    """Return the weights of a coefficient of the polynomial of that degree, by least squares."""
    return np.linalg.pinv(np.vander(places, power + 1, increasing=True))[power]

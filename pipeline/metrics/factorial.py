"""A two-level factorial: effects of factors and of their pairs, with replicates' own noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from jaxtyping import Float

from pipeline.errors import InputError
from pipeline.metrics.intervals import LEVEL, Interval, require_level


@dataclass(frozen=True)
class Effect:
    """What one factor, or a pair of factors, changes.

    Attributes
    ----------
    factors : tuple of int
        One or two, by their place.
    estimate : float
        Of a factor: mean at its high level less mean at its low one. Of a pair: half of what the
        one's effect is greater at the other's high level than at its low one.
    standard_error : float
        From the replicates within cells; the same for every effect.
    interval : Interval or None
        Student's, uncorrected. None where replicates are all equal, as is the p-value.
    p_value : float or None
        Two-sided, against no effect.
    """

    factors: tuple[int, ...]
    estimate: float
    standard_error: float
    interval: Interval | None
    p_value: float | None


@dataclass(frozen=True)
class Line:
    """A straight line through cells: change per unit, its interval, share of variation it takes."""

    slope: float
    interval: Interval
    share: float


def design_of(num_factors: int) -> list[tuple[int, ...]]:
    """Return every cell of a two-level factorial: -1 and +1 a factor, the last the fastest.

    >>> design_of(2)
    [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    """
    return list(product((-1, 1), repeat=num_factors))


def effects(
    values: Float[np.ndarray, "cells replicates"], num_factors: int, level: float = LEVEL
) -> list[Effect]:
    r"""Return main effects and two-factor interactions of a full two-level factorial.

    .. math:: \hat e = \frac2C \sum_c x_c \bar y_c, \qquad
              \mathrm{se} = \frac{2 s}{\sqrt{C R}}, \qquad
              s^2 = \frac1{C (R - 1)} \sum_{c, r} (y_{cr} - \bar y_c)^2

    with x the factor's column of -1 and +1, or the product of two. Columns are orthogonal, so that
    this is least squares, and no effect depends on which others are asked for. Noise that differs
    between cells leaves the standard error right, since every cell has the same weight; the
    C (R - 1) degrees of freedom of Student's t are then somewhat too many.

    Parameters
    ----------
    values : array, shape (2 ** num_factors, at least 2)
        Replicates of each cell, in the order of `design_of`.
    num_factors : int
    level : float
        Of the intervals.

    Raises
    ------
    InputError
        If a cell is missing, there is one replicate alone, or a value is not finite.

    References
    ----------
    Box, Hunter and Hunter, Statistics for Experimenters, 2nd edition (2005), chapter 5.

    Examples
    --------
    >>> found = effects(np.array([[0.0, 2.0], [3.0, 5.0]]), 1)  # means 1 and 4; s^2 = 2
    >>> found[0].estimate, round(found[0].standard_error**2, 9)  # 4 - 1; 4 * 2 / 4
    (3.0, 2.0)
    """
    require_level(level)
    values = np.asarray(values, dtype=np.float64)
    num_cells, num_replicates = _require_full(values, num_factors)
    columns = np.array(design_of(num_factors))
    # Rounding gives replicates that are all equal a variance of 1e-33.
    variance = float(values.var(axis=1, ddof=1).mean()) if np.ptp(values, axis=1).any() else 0.0
    error = 2.0 * float(np.sqrt(variance / values.size))
    freedom = num_cells * (num_replicates - 1)
    found = []
    for size in (1, 2):
        for chosen in combinations(range(num_factors), size):
            column = columns[:, chosen].prod(axis=1)
            estimate = float(2.0 * (column * values.mean(axis=1)).mean())
            found.append(_effect(chosen, estimate, error, freedom, level))
    return found


def explained_share(means: Float[np.ndarray, "cells"], found: Sequence[Effect]) -> float | None:
    r"""Return the share of the variation between cells that some effects take.

    .. math:: \frac{\sum_e \hat e^2 / 4}{\frac1C \sum_c (\bar y_c - \bar y)^2}

    None where the cells are all equal.
    """
    variation = float(np.var(means))
    if variation == 0:
        return None
    return float(sum(each.estimate**2 for each in found) / 4 / variation)


def line_through(
    places: Float[np.ndarray, "cells"], means: Float[np.ndarray, "cells"], level: float = LEVEL
) -> Line | None:
    """Return the least-squares line of the cells' means; None where all are at one place.

    All else that differs between cells is noise to it: Student's interval, C - 2 degrees of
    freedom.
    """
    require_level(level)
    if len(places) < 3 or np.min(places) == np.max(places):
        return None
    # Imported here, because it takes longer than the rest of the package together.
    from scipy.special import stdtrit  # noqa: PLC0415
    from scipy.stats import linregress  # noqa: PLC0415

    found = linregress(places, means)
    half = float(stdtrit(len(places) - 2, 0.5 + level / 2) * found.stderr)
    slope = float(found.slope)
    return Line(slope, Interval(slope - half, slope + half), float(found.rvalue) ** 2)


def _require_full(
    values: Float[np.ndarray, "cells replicates"], num_factors: int
) -> tuple[int, int]:
    num_cells = 2**num_factors
    if values.ndim != 2 or len(values) != num_cells or values.shape[1] < 2:
        message = (
            f"{num_cells} cells with at least 2 replicates each expected, got an array of shape "
            f"{values.shape}"
        )
        raise InputError(message)
    if not np.isfinite(values).all():
        message = "replicates must be finite numbers"
        raise InputError(message)
    return values.shape


def _effect(
    factors: tuple[int, ...], estimate: float, error: float, freedom: int, level: float
) -> Effect:
    if error == 0:
        return Effect(factors, estimate, error, None, None)
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415

    half = float(stdtrit(freedom, 0.5 + level / 2) * error)
    p_value = float(2 * stdtr(freedom, -abs(estimate) / error))
    return Effect(factors, estimate, error, Interval(estimate - half, estimate + half), p_value)

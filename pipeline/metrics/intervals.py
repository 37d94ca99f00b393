"""Intervals: exact ones for a proportion, percentile ones for resampled values."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

from pipeline.errors import InputError

LEVEL = 0.95
"""Confidence level unless said."""


@dataclass(frozen=True)
class Interval:
    """The two ends of an interval, both inside it."""

    lower: float
    upper: float


def proportion_interval(num_hits: int, num_cases: int, level: float = LEVEL) -> Interval:
    r"""Return the exact (Clopper-Pearson) interval of a proportion.

    .. math:: \Big[ B_{\alpha/2}(k, n - k + 1),\; B_{1-\alpha/2}(k + 1, n - k) \Big],
              \qquad \alpha = 1 - \mathrm{level}

    with B the quantiles of the beta distribution. It holds the true proportion in at least
    ``level`` of all samples, whatever the proportion; where no case was hit, where a bootstrap
    would give 0 to 0, its upper end is :math:`1 - (\alpha/2)^{1/n}`.

    Cases are drawn independently: patients, not several images of one.

    Raises `InputError` if the counts or the level lie outside these ranges.

    References
    ----------
    Clopper and Pearson, Biometrika 26 (1934).

    Examples
    --------
    >>> interval = proportion_interval(0, 60)
    >>> interval.lower, round(interval.upper, 4), round(1 - 0.025 ** (1 / 60), 4)
    (0.0, 0.0596, 0.0596)
    """
    if num_cases < 1 or not 0 <= num_hits <= num_cases:
        message = f"hits must lie in 0..cases with at least one case, got {num_hits} of {num_cases}"
        raise InputError(message)
    require_level(level)
    # Imported here, because it takes longer than the rest of the package together.
    from scipy.special import betaincinv  # noqa: PLC0415

    tail = (1.0 - level) / 2
    num_misses = num_cases - num_hits
    lower = betaincinv(num_hits, num_misses + 1, tail) if num_hits else 0.0
    upper = betaincinv(num_hits + 1, num_misses, 1.0 - tail) if num_misses else 1.0
    return Interval(float(lower), float(upper))


def difference_interval(
    counts: tuple[int, int], other_counts: tuple[int, int], level: float = LEVEL
) -> Interval:
    r"""Return Newcombe's interval of the difference of two independent proportions.

    Each proportion's Wilson interval is :math:`[l, u]`; the difference :math:`d = p - q` lies in

    .. math:: \Big[ d - \sqrt{(p - l_p)^2 + (u_q - q)^2},\;
              d + \sqrt{(u_p - p)^2 + (q - l_q)^2} \Big]

    Counts are the hits and the cases of either.

    References
    ----------
    Newcombe, Statistics in Medicine 17 (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<873,
    method 10.

    Examples
    --------
    >>> interval = difference_interval((56, 70), (48, 80))  # the source's table II, example a
    >>> round(interval.lower, 4), round(interval.upper, 4)
    (0.0524, 0.3339)
    """
    require_level(level)
    share, other = counts[0] / counts[1], other_counts[0] / other_counts[1]
    first, second = _wilson_interval(*counts, level), _wilson_interval(*other_counts, level)
    down = hypot(share - first.lower, second.upper - other)
    up = hypot(first.upper - share, other - second.lower)
    return Interval(share - other - down, share - other + up)


def _wilson_interval(num_hits: int, num_cases: int, level: float) -> Interval:
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = num_hits / num_cases
    centre = share + z**2 / (2 * num_cases)
    spread = z * sqrt(share * (1 - share) / num_cases + z**2 / (4 * num_cases**2))
    scale = 1 + z**2 / num_cases
    return Interval(max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def percentile_interval(
    values: Float[np.ndarray, "resamples"], level: float = LEVEL
) -> Interval | None:
    """Return what is left of the resampled values when either end has lost an equal share.

    Its ends are values that occurred (so an infinite one stays infinite). Resamples where the
    value is not defined (NaN) are left out; None if there is no other.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 13.3.

    Examples
    --------
    >>> percentile_interval(np.arange(1.0, 1001.0))
    Interval(lower=26.0, upper=975.0)
    """
    require_level(level)
    defined = np.sort(values[~np.isnan(values)])
    if len(defined) == 0:
        return None
    # 1,000 times 0.025 is 25 whatever the float says.
    num_cut = int(round((1.0 - level) / 2 * len(defined), 6))
    return Interval(float(defined[num_cut]), float(defined[-1 - num_cut]))


def bias_bounded_interval(
    value: float,
    resampled: Float[np.ndarray, "resamples"],
    most_bias: float,
    level: float = LEVEL,
) -> Interval:
    r"""Return an interval for an error that noise can only raise, as it does that of bins.

    .. math:: [\hat e - b - z s,\; \hat e + z s]

    with s the standard deviation of the resampled values. ECE is a norm of the bins' gaps, so by
    the triangle inequality its bias lies between zero and what noise alone would score, b. The
    resamples give its spread alone: they hold twice the noise, so their centre is too high.

    Parameters
    ----------
    value : float
        The error on the cases themselves, non-negative.
    resampled : float array, (resamples,)
        The error on each resample.
    most_bias : float
        What a calibrated model would score, `expected_ece_if_calibrated`.
    level : float
        In (0, 1). Held where gaps are large; exceeded near zero, where the lower end is zero.

    Examples
    --------
    >>> interval = bias_bounded_interval(0.10, np.array([0.11, 0.13]), most_bias=0.02)
    >>> round(interval.lower, 4), round(interval.upper, 4)  # 0.08 - 1.96 0.01, 0.10 + 1.96 0.01
    (0.0604, 0.1196)
    """
    require_level(level)
    reach = NormalDist().inv_cdf(0.5 + level / 2) * float(resampled.std())
    return Interval(max(0.0, value - most_bias - reach), value + reach)


def require_level(level: float) -> None:
    """Raise `InputError` unless the confidence level lies strictly between 0 and 1."""
    if not 0 < level < 1:
        message = f"level must lie in (0, 1), got {level}"
        raise InputError(message)

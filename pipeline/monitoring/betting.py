"""Tests that one may look at every day: wealth from fair bets against a hypothesis.

Whoever bets against a true hypothesis at fair odds, with what they have, gets rich by chance alone:
to 1 / delta times the stake, at any time in an endless game, in at most a share delta of games
(Ville's inequality). So the wealth, called an e-value, is evidence at whatever time one looks.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

EXCESSES = (1.5, 2.0, 3.0)
"""Odds of a wrong answer that are bet on, as multiples of those at the target."""

TILTS = (1 / 2, 2 / 3, 3 / 2, 2.0)
"""Odds of an event that are bet on, as multiples of those expected."""

SLOPES, CURVATURES = (-0.9, -0.4, 0.4, 0.9), (-0.9, 0.9)
"""Of the densities that are bet on against the uniform one; below 1, so that no stake is lost."""

LogFactors = Float[np.ndarray, "times *runs bets"]
"""Natural logarithm of what each bet turns a stake of 1 into, at each time."""


def log_wealth(log_factors: LogFactors) -> Float[np.ndarray, "times *runs"]:
    r"""Return the logarithm of the wealth after each time, starting from 1.

    .. math:: E_t = \sum_{s < t} w_s \frac1B \sum_b \prod_{s < i \le t} f_{ib} + \frac1{\log_2(t+2)}
       \quad\text{with}\quad w_s = \frac1{\log_2(s + 2)} - \frac1{\log_2(s + 3)}

    A share w of the stake is put on all bets alike before each time, for good; the rest waits. So a
    change is seen after a long time without one, which a wealth that shrank until then would hide.
    If the expected factors are at most 1 given the past, so is the expected wealth: an average of
    test supermartingales is one. The weights are our choice: any that sum to 1 would do.

    References
    ----------
    Waudby-Smith and Ramdas, JRSS B 86 (2024) 1, arXiv:2010.09686, section 4 (betting); Shin, Ramdas
    and Rinaldo, arXiv:2203.03532 (starts at all times).

    Examples
    --------
    Of a first bet that doubles, 1 - 1 / log2(3) = 0.369 of the stake was on it:

    >>> np.exp(log_wealth(np.log([[2.0]]))).round(3)  # 2 * 0.369 + 0.631
    array([1.369])
    """
    num_times, num_bets = len(log_factors), log_factors.shape[-1]
    waiting = 1.0 / np.log2(np.arange(num_times + 1) + 2)
    shape = (-1,) + (1,) * (log_factors.ndim - 2)
    log_stakes = np.log(-np.diff(waiting) / num_bets).reshape(shape)
    wealth = np.broadcast_to(np.log(waiting[1:]).reshape(shape), log_factors.shape[:-1])
    for bet in range(num_bets):
        total = np.cumsum(log_factors[..., bet], axis=0)
        started = np.logaddexp.accumulate(log_stakes - (total - log_factors[..., bet]), axis=0)
        wealth = np.logaddexp(wealth, total + started)
    return wealth


def excess_bets(wrong: Bool[np.ndarray, "times *runs"], target: float) -> LogFactors:
    r"""Return bets against "each answer is wrong with a chance of at most ``target``".

    The likelihood ratio of a higher chance p, which is :math:`1 + \lambda (x - target)` with
    :math:`\lambda = (p - target) / (target (1 - target))`: its expectation is 1 at the target and
    less below, whatever the past. Odds rather than chances are multiplied, so that p stays below 1.

    >>> np.exp(excess_bets(np.array([True, False]), 0.5))  # p = 3/5, 2/3, 3/4 against 1/2
    array([[1.2       , 1.33333333, 1.5       ],
           [0.8       , 0.66666667, 0.5       ]])
    """
    return tilted_bets(wrong, target, EXCESSES)


def tilted_bets(
    happened: Bool[np.ndarray, "times *runs"],
    chance: float | Float[np.ndarray, "times *runs"],
    tilts: tuple[float, ...] = TILTS,
) -> LogFactors:
    """Return bets against "the event has this chance": that its odds are multiples of that.

    >>> np.exp(tilted_bets(np.array([True]), 0.5, (2.0,)))  # (2/3) / (1/2)
    array([[1.33333333]])
    """
    odds = np.asarray(tilts)
    normaliser = np.log1p(np.expand_dims(chance, -1) * (odds - 1.0))
    return np.where(np.expand_dims(happened, -1), np.log(odds), 0.0) - normaliser


def uniform_bets(p_values: Float[np.ndarray, "times *runs"]) -> LogFactors:
    r"""Return bets against "each p-value is uniform on [0, 1], whatever the past".

    Densities :math:`1 + c\,(2p - 1)`, for values that move to one side, and
    :math:`1 + c\,(6p^2 - 6p + 1)`, for values that gather in the middle or at the ends: Legendre's
    polynomials, each of mean 0.

    >>> np.exp(uniform_bets(np.array([1.0])))
    array([[0.1, 0.6, 1.4, 1.9, 0.1, 1.9]])
    """
    p = np.expand_dims(p_values, -1)
    slopes = np.log1p(np.asarray(SLOPES) * (2.0 * p - 1.0))
    curvatures = np.log1p(np.asarray(CURVATURES) * (6.0 * p * p - 6.0 * p + 1.0))
    return np.concatenate([slopes, curvatures], axis=-1)

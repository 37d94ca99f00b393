"""Tests of "the true risk exceeds the target", each exact or conservative for any sample size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.special import betainc, betaincinv, xlogy

# Halvings of [0, 1]: 1e-15 is left, and the middle never rounds to 1.
BISECTIONS = 50

Sums = Shaped[np.ndarray, "candidates"]
"""Summed loss of the answered, each loss in [0, 1]."""

Counts = Int[np.ndarray, "candidates"]
"""Number answered, at least 1."""

Shares = Float[np.ndarray, "candidates"]
"""Probabilities or risks in [0, 1]."""


@dataclass(frozen=True)
class RiskTest:
    """A test of whether a mean loss exceeds a target."""

    p_value: Callable[[Sums, Counts, float | Shares], Shares]
    """``(losses, answered, target)`` to the p-value of H: risk > target. Small means safe: under H
    it is at most u with probability at most u."""
    upper_limit: Callable[[Sums, Counts, float | Shares], Shares]
    """``(losses, answered, delta)`` to the one-sided upper confidence limit at level 1 - delta: the
    smallest target that the test would pass at level delta. One delta, or one a candidate."""
    binary: bool
    """Whether losses must be 0 or 1; otherwise anything in [0, 1]."""


def binomial_p_value(losses: Sums, answered: Counts, target: float | Shares) -> Shares:
    r"""Return P(Binomial(answered, target) <= losses), exact for losses of 0 or 1.

    >>> binomial_p_value(np.array([0]), np.array([2]), 0.5)  # 0.5 ** 2
    array([0.25])
    """
    # The incomplete beta function is the binomial's tail; it has no value where all are wrong.
    right = np.maximum(answered - losses, 1)
    return np.where(answered > losses, betainc(right, losses + 1, 1.0 - target), 1.0)


def binomial_upper_limit(losses: Sums, answered: Counts, delta: float | Shares) -> Shares:
    """Return the one-sided Clopper-Pearson upper limit of an error rate at level 1 - delta.

    >>> binomial_upper_limit(np.array([0]), np.array([2]), 0.25)  # 1 - 0.25 ** (1/2)
    array([0.5])
    """
    right = np.maximum(answered - losses, 1)
    return np.where(answered > losses, betaincinv(losses + 1, right, 1.0 - delta), 1.0)


def hoeffding_bentkus_p_value(losses: Sums, answered: Counts, target: float | Shares) -> Shares:
    r"""Return a p-value that holds for any losses in [0, 1], such as scaled costs.

    .. math:: p = \min\Big(e^{-n\,h(\min(\hat r, t), t)},\;
              e\,P(\mathrm{Bin}(n, t) \le \lceil n \hat r \rceil)\Big)

    with n cases answered, mean loss r, target t and
    h(a, b) = a log(a/b) + (1 - a) log((1 - a)/(1 - b)).

    References
    ----------
    Bates, Angelopoulos, Lei, Malik and Jordan, J. ACM 2021, arXiv:2101.02703, section 3.1.
    Angelopoulos et al., arXiv:2110.01052, proposition 1.

    Examples
    --------
    >>> hoeffding_bentkus_p_value(np.array([0.0]), np.array([2]), 0.5)  # 0.5 ** 2 again
    array([0.25])
    """
    mean = np.minimum(losses / answered, target)
    divergence = xlogy(mean, mean / target) + xlogy(1 - mean, (1 - mean) / (1 - target))
    hoeffding = np.exp(-answered * divergence)
    bentkus = np.e * binomial_p_value(np.ceil(losses), answered, target)
    return np.minimum(np.minimum(hoeffding, bentkus), 1.0)


def hoeffding_bentkus_upper_limit(losses: Sums, answered: Counts, delta: float | Shares) -> Shares:
    """Return the smallest target that `hoeffding_bentkus_p_value` passes at level delta.

    >>> hoeffding_bentkus_upper_limit(np.array([0.0]), np.array([2]), 0.25).round(12)
    array([0.5])
    """
    # The p-value is 1 for a target below the mean loss and falls above it, so bisection finds it.
    low, high = np.zeros(np.shape(losses)), np.ones(np.shape(losses))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        passes = hoeffding_bentkus_p_value(losses, answered, middle) <= delta
        low, high = np.where(passes, low, middle), np.where(passes, middle, high)
    return high


RISK_TESTS: dict[str, RiskTest] = {
    "exact_binomial": RiskTest(binomial_p_value, binomial_upper_limit, binary=True),
    "hoeffding_bentkus": RiskTest(
        hoeffding_bentkus_p_value, hoeffding_bentkus_upper_limit, binary=False
    ),
}

"""Limits of a risk that hold at all times at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.special import betainc, betaln, xlog1py, xlogy

BISECTIONS = 50
"""Halvings of [0, 1]: 1e-15 is left."""

Counts = Int[np.ndarray, "looks"]
Risks = Float[np.ndarray, "looks"]


def confidence_sequence(wrong: Counts, answered: Counts, delta: float) -> tuple[Risks, Risks]:
    """Return lower and upper limits of a constant risk; with chance 1 - delta none ever fails.

    Half of delta goes to each side. A risk is excluded from above while `log_wealth_below` it is at
    least that of 2 / delta, and from below likewise with right and wrong exchanged. Only how many
    answers are wrong counts, not their order.

    Parameters
    ----------
    wrong, answered : int arrays, (looks,)
        Errors and answers so far, at each look; 0 and 0 give all of [0, 1].
    delta : float
        Chance, in (0, 1), that the risk is ever outside.

    References
    ----------
    Robbins, Ann. Math. Statist. 41 (1970) 1397; Waudby-Smith and Ramdas, JRSS B 86 (2024) 1,
    arXiv:2010.09686 (inverting bets).

    Examples
    --------
    >>> low, high = confidence_sequence(np.array([0]), np.array([105]), 0.05)
    >>> low, high.round(3)
    (array([0.]), array([0.05]))
    """
    low = 1.0 - _upper_limit(answered - wrong, answered, delta / 2)
    return low, _upper_limit(wrong, answered, delta / 2)


def log_wealth_below(wrong: Counts, answered: Counts, risk: Risks | float) -> Risks:
    r"""Return the log of the wealth from betting that the true risk is below ``risk``.

    The stake is spread evenly over all lower risks:

    .. math:: E(r) = \frac{\frac1r \int_0^r p^k (1-p)^{n-k} \, dp}{r^k (1-r)^{n-k}}

    for k errors among n answers. Its expectation is 1 if the risk is r, and less if it is more.

    >>> wealth = np.exp(log_wealth_below(np.array([0]), np.array([1]), 0.5))
    >>> wealth.round(3)  # (0.5 - 0.5 ** 2 / 2) / 0.5 / (1 - 0.5)
    array([1.5])
    """
    right = answered - wrong
    with np.errstate(divide="ignore"):
        # No wealth is left where the integral is too small for a float.
        integral = betaln(wrong + 1, right + 1) + np.log(betainc(wrong + 1, right + 1, risk))
        return integral - np.log(risk) - xlogy(wrong, risk) - xlog1py(right, -risk)


def _upper_limit(wrong: Counts, answered: Counts, delta: float) -> Risks:
    """Return the smallest risk above the share seen that is excluded; 1 if there is none."""
    possible = np.clip(wrong / np.maximum(answered, 1), 1e-12, 1.0)
    excluded = np.ones(len(wrong))
    for _ in range(BISECTIONS):
        middle = (possible + excluded) / 2
        still = log_wealth_below(wrong, answered, middle) < -np.log(delta)
        possible = np.where(still, middle, possible)
        excluded = np.where(still, excluded, middle)
    return excluded

"""What a test could have seen: the least difference that a number of seeds would have shown."""

from __future__ import annotations

import numpy as np

from pipeline.metrics.intervals import require_level

POWER = 0.8


def detectable_difference(
    standard_deviation: float | None, num_pairs: int, level: float, power: float = POWER
) -> float | None:
    r"""Return the least true mean difference that a paired t-test would have shown.

    .. math:: \delta = \lambda\, s / \sqrt n, \qquad
              P(T_{n-1}(\lambda) > t_{n-1,\,1 - \alpha/2}) = \mathrm{power}

    T is Student's, not central by lambda. Only a rejection on the true side counts, of which the
    other side adds less than 0.01 % at a power of 80 %.

    Parameters
    ----------
    standard_deviation : float or None
        s, of the differences, n - 1 in the divisor; taken for the true one.
    num_pairs : int
        n.
    level : float
        alpha, two-sided, in (0, 1).
    power : float
        Chance to reject, in (0, 1).

    Returns
    -------
    float or None
        In the unit of the differences, positive; None where the test is not defined: fewer than
        two pairs, or all differences equal.

    References
    ----------
    Cohen, Statistical Power Analysis for the Behavioral Sciences (1988), section 2.

    Examples
    --------
    >>> round(detectable_difference(1.0, 5, 0.05), 2)  # Cohen's d of five pairs
    1.68
    """
    require_level(1 - level)
    require_level(power)
    if num_pairs < 2 or not standard_deviation:
        return None
    # Imported here, because it takes longer than the rest of the package together.
    from scipy.special import nctdtrinc, stdtrit  # noqa: PLC0415

    critical = stdtrit(num_pairs - 1, 1 - level / 2)
    noncentrality = nctdtrinc(num_pairs - 1, 1 - power, critical)
    return float(noncentrality * standard_deviation / np.sqrt(num_pairs))

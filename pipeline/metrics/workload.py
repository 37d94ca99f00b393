"""Of 1,000 patients like these: how many are read alone, referred, and read wrongly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pipeline.errors import InputError
from pipeline.metrics.intervals import Interval, proportion_interval

ARRIVING = 1_000
"""Patients that a workload table speaks of."""

PREVALENCE_WITHIN = 1e-6
"""How far shares of the classes may sum from one."""


Counts = Int[np.ndarray, "classes"]

Rates = Float[np.ndarray, "classes"]
"""Shares in [0, 1], one for each class."""


@dataclass(frozen=True)
class AnswerCounts:
    """Counts at one threshold, class by true class."""

    cases: Counts
    answered: Counts
    wrong: Counts
    """Those answered wrongly: for a disease, missed."""
    wrong_if_all_answered: Counts
    """Those that would be wrong if none were referred."""

    @property
    def referred(self) -> Counts:
        """Cases of each class that are not answered."""
        return self.cases - self.answered


@dataclass(frozen=True)
class WorkloadRow:
    """One policy for one class, or for all together; numbers are patients per 1,000 arriving."""

    policy: str
    """"threshold": the operating point; "refer_nobody"; "refer_at_random": as many referred as the
    threshold refers, drawn by lot, on average."""
    label: int | None
    """The true class; None for all."""
    arriving: float
    answered: float
    right: float
    wrong: float
    referred: float
    """``arriving = answered + referred`` and ``answered = right + wrong``."""
    wrong_interval: Interval | None
    referred_interval: Interval | None
    """At the level asked, of the threshold's rows; None of the comparisons."""


def workload(
    point: AnswerCounts,
    *,
    level: float,
    prevalence: Rates | None = None,
) -> list[WorkloadRow]:
    r"""Return the workload per 1,000 patients: of all and of each class, for three policies.

    The rates within each class are the test set's; the classes come at the prevalence stated:

    .. math:: \mathrm{wrong} = 1000 \sum_k \pi_k \frac{w_k}{m_k}

    with m_k test cases of class k, w_k of them answered wrongly, and prevalence \pi_k. This assumes
    that a site differs in how often it sees a class, not in how the class looks.

    Raises `InputError` if the shares are no shares of the classes, or a class that is said to occur
    has no test case to learn its rates from.

    Parameters
    ----------
    point : AnswerCounts
        Counts at the threshold.
    level : float
        Confidence level. A class's interval is exact. So is that of all at the test set's own
        prevalence; at another it adds up the classes' intervals, each at level
        1 - (1 - level) / K, and so holds at least as often as stated.
    prevalence : float array, (classes,), optional
        Shares of the classes, summing to one; the test set's own if not given.

    Examples
    --------
    >>> point = AnswerCounts(
    ...     cases=np.array([50, 50]), answered=np.array([40, 30]), wrong=np.array([0, 10]),
    ...     wrong_if_all_answered=np.array([5, 20]),
    ... )
    >>> of_all = workload(point, level=0.95, prevalence=np.array([0.9, 0.1]))[0]
    >>> of_all.answered, of_all.wrong  # 900 * 40/50 + 100 * 30/50, 100 * 10/50
    (780.0, 20.0)
    """
    shares = _checked_prevalence(point.cases, prevalence)
    num_cases = np.maximum(point.cases, 1)
    answered, errors = point.answered / num_cases, point.wrong_if_all_answered / num_cases
    everyone = np.ones(len(shares))
    # A lot refers every class alike, as often as the threshold refers patients of this prevalence.
    drawn = everyone * (shares @ answered)
    wrong, referred = (
        _intervals(counts, point.cases, shares, level=level, stated=prevalence is not None)
        for counts in (point.wrong, point.referred)
    )
    return [
        *_rows("threshold", shares, answered, point.wrong / num_cases, wrong, referred),
        *_rows("refer_nobody", shares, everyone, errors),
        *_rows("refer_at_random", shares, drawn, drawn * errors),
    ]


def _rows(
    policy: str,
    shares: Rates,
    answered: Rates,
    wrong: Rates,
    wrong_intervals: Sequence[Interval | None] = (),
    referred_intervals: Sequence[Interval | None] = (),
) -> Iterator[WorkloadRow]:
    """Yield the row of all, then one for each class."""
    for row in range(len(shares) + 1):
        of = slice(None) if row == 0 else slice(row - 1, row)
        arriving = ARRIVING * shares[of]
        yield WorkloadRow(
            policy=policy,
            label=None if row == 0 else row - 1,
            arriving=float(arriving.sum()),
            answered=float(arriving @ answered[of]),
            right=float(arriving @ (answered - wrong)[of]),
            wrong=float(arriving @ wrong[of]),
            referred=float(arriving @ (1.0 - answered[of])),
            wrong_interval=wrong_intervals[row] if wrong_intervals else None,
            referred_interval=referred_intervals[row] if referred_intervals else None,
        )


def _intervals(
    counts: Counts, cases: Counts, shares: Rates, *, level: float, stated: bool
) -> list[Interval]:
    """Return the interval of all patients, then of each class, per 1,000 arriving."""

    def each(level: float) -> list[Interval]:
        exact = [
            proportion_interval(int(count), int(of), level) if of else Interval(0.0, 0.0)
            for count, of in zip(counts, cases, strict=True)
        ]
        scales = ARRIVING * shares
        return [
            Interval(float(scale * part.lower), float(scale * part.upper))
            for scale, part in zip(scales, exact, strict=True)
        ]

    if stated:
        parts = each(1.0 - (1.0 - level) / np.count_nonzero(shares))
        whole = Interval(sum(part.lower for part in parts), sum(part.upper for part in parts))
    else:
        exact = proportion_interval(int(counts.sum()), int(cases.sum()), level)
        whole = Interval(ARRIVING * exact.lower, ARRIVING * exact.upper)
    return [whole, *each(level)]


def _checked_prevalence(cases: Counts, prevalence: Rates | None) -> Rates:
    if prevalence is None:
        return cases / cases.sum()
    shares = np.asarray(prevalence, dtype=np.float64)
    if shares.shape != cases.shape or not (shares >= 0).all():
        message = f"prevalence must be {len(cases)} shares of at least 0, got {shares.tolist()}"
        raise InputError(message)
    if abs(shares.sum() - 1) > PREVALENCE_WITHIN:
        message = f"prevalence must sum to one, got {shares.sum():.6g}"
        raise InputError(message)
    unseen = np.flatnonzero((shares > 0) & (cases == 0))
    if len(unseen):
        message = (
            f"class {unseen[0]} has no test case to learn from, got prevalence {shares[unseen[0]]}"
        )
        raise InputError(message)
    return shares

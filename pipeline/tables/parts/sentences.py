"""What the first screen says of one operating point, word for word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW
from pipeline.tables.parts.wording import (
    counted,
    interval,
    missing,
    percent,
    target_text,
    threshold_text,
)

NOT_SEARCHED = (
    "No separate cases were given, so no threshold was searched and none is approved. Refer every "
    "case."
)


@dataclass(frozen=True)
class OperatingPoint:
    """One threshold, or its absence, chosen on one set of patients and tested on another.

    The fields are the columns of ``operating_points.csv``; shares lie in [0, 1] and are NaN where
    they are undefined. `unit` is what the counts count, in the plural.
    """

    status: str
    target: float
    delta: float
    threshold: float
    num_threshold_patients: int
    minimum_answered: int
    lowest_upper_limit: float
    lowest_limit_wrong: float
    lowest_limit_answered: float
    num_candidates: int
    num_test: int
    answered: int
    referred: int
    wrong: int
    risk: float
    risk_lower: float
    risk_upper: float
    one_sided_upper: float
    unit: str

    @property
    def found(self) -> bool:
        """Whether a threshold was found."""
        return self.status == "found"

    @property
    def wrong_per_thousand(self) -> float:
        """Wrong answers per 1,000 arriving."""
        return 1000 * self.wrong / self.num_test


def operating_point(row: pd.Series, unit: str) -> OperatingPoint:
    """Return the operating point in a row of ``operating_points.csv``."""
    fields = [name for name in OperatingPoint.__dataclass_fields__ if name != "unit"]
    values: dict[str, Any] = {name: row[name] for name in fields}
    whole = ("num_threshold_patients", "minimum_answered", "num_candidates", "num_test")
    counts = (*whole, "answered", "referred", "wrong")
    return OperatingPoint(**values | {name: int(values[name]) for name in counts}, unit=unit)


def verdict(point: OperatingPoint) -> tuple[str, str]:
    """Return the verdict's kind, for its sign, and its few words.

    The kinds are ``found``, ``unconfirmed``, ``missed``, ``none`` and ``too_few``.
    """
    target = target_text(point.target)
    if point.status == "too_few":
        few = f"Too few cases to tell at {target}"
        none = "No threshold was searched: no separate cases were given"
        return "too_few", few if point.num_threshold_patients else none
    if point.status == "none":
        return "none", f"No threshold shown to meet {target}"
    if missing(point.risk):
        return "unconfirmed", "Threshold found; no test case reached it"
    if point.risk > point.target:
        return "missed", f"Threshold found, but test error above {target}"
    if point.one_sided_upper > point.target:
        return "unconfirmed", f"Threshold found; the test set alone does not confirm {target}"
    return "found", f"Threshold found; test error below {target}"


def in_a_hundred(point: OperatingPoint) -> str:
    """Say the operating point in whole cases of a hundred."""
    if not point.found or point.answered == 0:
        return f"Reads none of 100 {point.unit} alone; refers all."
    answered, wrong, referred = (
        _of_a_hundred(count, point.num_test)
        for count in (point.answered, point.wrong, point.referred)
    )
    return f"Reads {answered} of 100 {point.unit} alone, {wrong} of them wrong; refers {referred}."


def _of_a_hundred(count: int, total: int) -> str:
    """Write a share in whole cases of a hundred; "none" and "all" are said of no share between.

    >>> [_of_a_hundred(count, 1000) for count in (0, 4, 6, 500, 994, 996, 1000)]
    ['none', 'fewer than 1', '1', '50', '99', 'more than 99', 'all']
    """
    if count in (0, total):
        return "all" if count else "none"
    # Halves go to the even number, so that a share and its rest make a hundred.
    hundred = round(100 * count / total)
    return {0: "fewer than 1", 100: "more than 99"}.get(hundred, f"{hundred}")


def main_sentence(point: OperatingPoint) -> str:
    """Say what was found, in counts with the exact interval."""
    if not point.num_threshold_patients:
        return NOT_SEARCHED
    if point.status == "too_few":
        return too_few(
            "no errors", point.minimum_answered, point.num_threshold_patients, point.unit
        )
    if point.status == "none":
        tried = none_passed(point.num_candidates, point.minimum_answered, point.unit, point.target)
        return (
            f"{tried}. The lowest upper limit was {percent(point.lowest_upper_limit)} "
            f"({point.lowest_limit_wrong:,.0f} wrong of {point.lowest_limit_answered:,.0f}). "
            "Refer every case."
        )
    answered = (
        f"At confidence {threshold_text(point.threshold)} or more, the model answered "
        f"{point.answered:,} of {counted(point.num_test, f'test {point.unit}')} "
        f"({percent(point.answered / point.num_test)}) and referred {point.referred:,}."
    )
    if missing(point.risk):
        return answered
    return (
        f"{answered} It was wrong in {point.wrong:,} of {point.answered:,} ({percent(point.risk)}; "
        f"95% CI {interval(point.risk_lower, point.risk_upper)})."
    )


def too_few(without: str, needed: int, there: int, unit: str) -> str:
    """Say that no number of errors seen could have shown the target to be met.

    >>> too_few("no errors", 59, 1, "cases")
    'Too few cases to tell: even with no errors 59 answered cases are needed; there was 1.'
    """
    return (
        f"Too few cases to tell: even with {without} {counted(needed, f'answered {unit}')} "
        f"{'is' if needed == 1 else 'are'} needed; there {'was' if there == 1 else 'were'} "
        f"{there:,}."
    )


def none_passed(num_tested: int, fewest: int, unit: str, target: float) -> str:
    """Say which thresholds were tested in vain: how many, and what they answer at the least.

    Those between may hold the target or not: nobody asked, since one before them failed.

    >>> none_passed(3, 80, "patients", 0.05)
    'None of the 3 thresholds tried, each answering at least 80 patients, could be shown to meet 5%'
    """
    whose = f"answering at least {counted(fewest, unit)},"
    if num_tested == 1:
        return f"The one threshold tried, {whose} could not be shown to meet {target_text(target)}"
    return (
        f"None of the {num_tested:,} thresholds tried, each {whose} could be shown to meet "
        f"{target_text(target)}"
    )


def unit_sentence(point: OperatingPoint) -> str:
    """Say what is counted where a patient has several images; empty where nobody has."""
    if point.unit != "patients":
        return ""
    return "A patient is answered if all of their images are, and wrong if any of these is."


def test_sentence(point: OperatingPoint) -> str:
    """Say where the test set does not bear the target out; empty where it does."""
    if not point.found or missing(point.risk):
        return ""
    target = target_text(point.target)
    if point.risk > point.target:
        return f"Test error was {percent(point.risk)}, above {target}: treat the target as not met."
    if point.one_sided_upper > point.target:
        return (
            f"The test set alone does not confirm {target}: its one-sided 95% upper limit is "
            f"{percent(point.one_sided_upper)}."
        )
    return ""


def guarantee_sentence(point: OperatingPoint) -> str:
    """Say what the rule that chose the threshold promises, and what it does not."""
    if not point.found:
        return ""
    searched = counted(point.num_threshold_patients, f"separate {point.unit}")
    return (
        f"The threshold came from {searched} by a rule that, over repeated samples from the same "
        "population, passes a threshold with true error "
        f"above {target_text(point.target)} at most {target_text(point.delta)} of the time; it "
        "promises nothing for other sites, scanners, subgroups or one patient."
    )


def critical_sentences(
    per_class: pd.DataFrame, critical: Iterable[str], unit: str
) -> tuple[str, ...]:
    """Say of each critical class how many were answered wrongly and how many referred.

    `per_class` holds one row a class: class, cases, answered, wrong, referred; no number of a
    masked class.
    """
    rows = {row["class"]: row for _, row in per_class.iterrows()}
    return tuple(_critical_sentence(name, rows[name], unit) for name in critical)


def _critical_sentence(name: str, row: pd.Series, unit: str) -> str:
    if missing(row["cases"]):
        return (
            f"{name}: fewer than {MASK_BELOW} {unit}, or shown it would give such a class away: "
            "not shown."
        )
    cases, wrong, referred = (int(row[key]) for key in ("cases", "wrong", "referred"))
    if not cases:
        return f"{name}: none of the test {unit}, so nothing is known of it."
    return (
        f"Of {counted(cases, unit)} with {name}, {wrong:,} "
        f"{'was' if wrong == 1 else 'were'} answered wrongly and {referred:,} referred."
    )

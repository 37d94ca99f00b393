"""Numbers as a reader meets them: units, rounding, intervals, and what is too few to show."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.metrics import described
from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.metrics.intervals import proportion_interval

MASKED = "–*"

RESAMPLED_ECE = (
    "The interval of ECE allows for what chance adds to it; the other calibration errors and the "
    "coverage at a risk have none, as none was found to hold its level."
)
"""Said where intervals are shown; see `Metric` and `bias_bounded_interval`."""


@dataclass(frozen=True)
class MetricName:
    """How a metric is written: label, meaning, better direction, factor, decimals and unit."""

    label: str
    meaning: str
    better: str
    factor: float
    digits: int
    unit: str


def metric_name(key: str) -> MetricName:
    """Return how a metric is written; one that is not listed keeps its key and no direction.

    >>> metric_name("nll").unit, metric_name("ece").unit, metric_name("rare_ece").label
    ('nats', '%', 'rare ece')
    """
    metric = described(key)
    if metric is None:
        plain = key.replace("_", " ")
        return MetricName(plain, plain, "none", 1.0, 4, "")
    factor = 100.0 if metric.unit == "%" else 1.0
    return MetricName(
        metric.label, metric.description, metric.better, factor, metric.digits, metric.unit
    )


def missing(value: Any) -> bool:
    """Return whether a number is undefined, or not shown."""
    return bool(pd.isna(value))


def counted(number: int, plural: str) -> str:
    """Write a number with what it counts.

    >>> counted(1, "classes"), counted(1, "patients"), counted(1200, "cases")
    ('1 class', '1 patient', '1,200 cases')
    """
    return f"{number:,} {one(plural) if number == 1 else plural}"


def one(plural: str) -> str:
    """Return the singular of what is counted.

    >>> one("classes"), one("cases"), one("losses"), one("pairs")
    ('class', 'case', 'loss', 'pair')
    """
    return plural.removesuffix("es") if plural.endswith("sses") else plural.removesuffix("s")


def one_or(plural: str, values: Sized) -> str:
    """Return the word for so many.

    >>> one_or("seeds", [0]), one_or("seeds", [0, 1])
    ('seed', 'seeds')
    """
    return one(plural) if len(values) == 1 else plural


def one_or_both(lower: str, upper: str) -> str:
    """Write the two ends of a range, once if they read the same.

    >>> one_or_both("1", "3"), one_or_both("1", "1")
    ('1 to 3', '1')
    """
    return " to ".join(dict.fromkeys((lower, upper)))


def number_text(count: float | None) -> str:
    """Write a whole number, or that it is masked.

    >>> number_text(1200.0), number_text(None)
    ('1,200', '–*')
    """
    return MASKED if count is None or missing(count) else f"{count:,.0f}"


def percent(share: float, digits: int = 1) -> str:
    """Write a share as a percentage.

    >>> percent(7 / 412), percent(0.0), percent(0.0002), percent(0.99996)
    ('1.7%', '0%', '<0.1%', '>99.9%')
    """
    return f"{_percent_number(share, digits)}%"


def threshold_text(threshold: float, digits: int = 1) -> str:
    """Write a confidence from which a model answers: with so many digits that it can be set.

    >>> threshold_text(0.8461), threshold_text(0.99999512), threshold_text(1.0)
    ('84.6%', '99.9995%', '100%')
    """
    while threshold < 1.0 and percent(threshold, digits).startswith(">"):
        digits += 1
    return percent(threshold, digits)


def _percent_number(share: float, digits: int) -> str:
    least = 10.0**-digits
    if share in {0.0, 1.0}:
        return f"{100 * share:.0f}"
    if 100 * share < least / 2:
        return f"<{least:.{digits}f}"
    if 100 * share > 100 - least / 2:
        return f">{100 - least:.{digits}f}"
    return f"{100 * share:.{digits}f}"


def plus_minus(deviation: float) -> str:
    """Write the standard deviation of shares, nothing of one seed.

    >>> plus_minus(0.012), plus_minus(float("nan"))
    ('± 1.2%', '')
    """
    return "" if missing(deviation) else f"± {percent(deviation)}"


def interval(lower: float, upper: float, digits: int = 1) -> str:
    """Write the two ends of an interval of shares, once if they read the same.

    >>> interval(0.0069, 0.0347), interval(0.0, 0.06), interval(1.0, 1.0)
    ('0.7–3.5%', '0–6.0%', '100%')
    """
    ends = (_percent_number(lower, digits), _percent_number(upper, digits))
    return f"{'–'.join(dict.fromkeys(ends))}%"


def share_of(count: int, total: int) -> str:
    """Write a count with its share and its exact 95 % interval.

    >>> share_of(7, 412), share_of(0, 0)
    ('7 of 412 (1.7%; 95% CI 0.7–3.5%)', '0 of 0')
    """
    if total == 0:
        return "0 of 0"
    limits = proportion_interval(count, total)
    span = interval(limits.lower, limits.upper)
    return f"{count:,} of {total:,} ({percent(count / total)}; 95% CI {span})"


def count_of(count: int, total: int) -> str:
    """Write a count as `share_of` does, with no share of few and nothing of very few.

    >>> count_of(7, 412), count_of(1, 20), count_of(1, 9)
    ('7 of 412 (1.7%; 95% CI 0.7–3.5%)', '1 of 20 (95% CI 0.1–24.9%)', '–*')
    """
    if 0 < total < MASK_BELOW:
        return MASKED
    if 0 < total < RATE_FROM:
        limits = proportion_interval(count, total)
        return f"{count:,} of {total:,} (95% CI {interval(limits.lower, limits.upper)})"
    return share_of(count, total)


def signed(points: float) -> str:
    """Write a difference with its sign, the minus a real one.

    >>> signed(-0.61), signed(2.0), signed(-0.01)
    ('−0.6', '+2.0', '0.0')
    """
    text = f"{points:+.1f}".replace("-", "−")
    return "0.0" if text[1:] == "0.0" else text


def target_text(target: float) -> str:
    """Write a target without trailing zeros.

    >>> target_text(0.05), target_text(0.025)
    ('5%', '2.5%')
    """
    return f"{100 * target:g}%"


def scaled(key: str, value: float) -> str:
    """Write a metric's value in its own unit, without the unit.

    >>> scaled("ece", 0.01234), scaled("nll", 0.5), scaled("ece", float("nan"))
    ('1.23', '0.500', '–')
    """
    name = metric_name(key)
    return "–" if missing(value) else f"{name.factor * value:.{name.digits}f}"

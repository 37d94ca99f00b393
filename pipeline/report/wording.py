"""Numbers as a reader meets them: units, rounding, intervals, and what is too few to show."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.metrics.intervals import proportion_interval

MASKED = "–*"


@dataclass(frozen=True)
class MetricName:
    """How a metric is written: short label, what it means, factor, decimals, better direction."""

    label: str
    meaning: str
    factor: float = 100.0
    digits: int = 1
    unit: str = "%"
    better: str = "lower"


METRIC_NAMES = {
    "accuracy": MetricName("Accuracy", "share of cases read rightly", better="higher"),
    "balanced_accuracy": MetricName(
        "Balanced accuracy", "accuracy averaged over the classes", better="higher"
    ),
    "macro_f1": MetricName("Macro-F1", "F1 averaged over the classes", better="higher"),
    "auroc": MetricName(
        "AUROC", "area under the ROC curve; one against the rest", 1.0, 3, "", "higher"
    ),
    "nll": MetricName("NLL", "mean negative log-likelihood", 1.0, 3, "nats"),
    "brier": MetricName("Brier", "squared error of the probabilities, summed", 1.0, 3, ""),
    "ece": MetricName("ECE", "expected calibration error", digits=2),
    "ada_ece": MetricName("AdaECE", "calibration error in equal-mass bins", digits=2),
    "classwise_ece": MetricName("Classwise ECE", "calibration error a class, averaged", digits=2),
    "mce": MetricName("MCE", "largest calibration error of a bin"),
    "aurc": MetricName("AURC", "area under the risk-coverage curve", digits=2),
    "e_aurc": MetricName("E-AURC", "AURC above that of a perfect ranking", digits=2),
    "augrc": MetricName("AUGRC", "average silent-error risk", digits=2),
    "truth_error": MetricName(
        "Truth error", "mean absolute error against the true probabilities", digits=2
    ),
}
for _share in (1, 2, 5, 10):
    METRIC_NAMES[f"coverage_at_risk_{_share}"] = MetricName(
        f"Answered at {_share}% risk",
        f"most answered with at most {_share}% wrong",
        better="higher",
    )
for _share in (80, 90, 95):
    METRIC_NAMES[f"risk_at_coverage_{_share}"] = MetricName(
        f"Risk at {_share}%", f"wrong among the {_share}% answered first", digits=2
    )


def metric_name(key: str) -> MetricName:
    """Return how a metric is written; one that is not listed keeps its key and no direction.

    >>> metric_name("nll").unit, metric_name("smooth_ece").label
    ('nats', 'smooth ece')
    """
    plain = MetricName(key.replace("_", " "), key.replace("_", " "), 1.0, 4, "", "")
    return METRIC_NAMES.get(key, plain)


def missing(value: float | None) -> bool:
    """Return whether a value is undefined."""
    return value is None or math.isnan(value)


def percent(share: float, digits: int = 1) -> str:
    """Write a share as a percentage.

    >>> percent(7 / 412), percent(0.0), percent(0.0002), percent(0.99996)
    ('1.7%', '0%', '<0.1%', '>99.9%')
    """
    return f"{_percent_number(share, digits)}%"


def _percent_number(share: float, digits: int) -> str:
    least = 10.0**-digits
    if share in {0.0, 1.0}:
        return f"{100 * share:.0f}"
    if 100 * share < least / 2:
        return f"<{least:.{digits}f}"
    if 100 * share > 100 - least / 2:
        return f">{100 - least:.{digits}f}"
    return f"{100 * share:.{digits}f}"


def interval(lower: float, upper: float, digits: int = 1) -> str:
    """Write the two ends of an interval of shares.

    >>> interval(0.0069, 0.0347), interval(0.0, 0.06)
    ('0.7–3.5%', '0–6.0%')
    """
    return f"{_percent_number(lower, digits)}–{percent(upper, digits)}"


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


def signed(points: float) -> str:
    """Write a difference with its sign, the minus a real one.

    >>> signed(-0.61), signed(2.0)
    ('−0.6', '+2.0')
    """
    return f"{points:+.1f}".replace("-", "−")


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

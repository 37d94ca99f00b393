"""Whether confidence can be trusted: what the reliability bins say, in a sentence and a table."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.metrics.group_shares import RATE_FROM
from pipeline.report.scores import Scores, pick
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import counted, interval, missing, percent, signed


@dataclass(frozen=True)
class CalibrationSummary:
    """Confidence against accuracy.

    Attributes
    ----------
    gap : float
        Mean confidence minus accuracy, in [-1, 1]: positive is over-confident.
    num_within, num_bins : int
        Bins of 30 cases and more whose accuracy lies in its range, and all such bins: 95 % of
        calibrated models lie in the ranges of all their bins.
    """

    gap: float
    num_within: int
    num_bins: int


def summarise_calibration(scores: Scores, loss: str, calibrator: str) -> CalibrationSummary:
    """Return the calibration of one loss and calibrator from its reliability bins."""
    bins = pick(scores.reliability, loss=loss, calibrator=calibrator)
    bins = bins[bins["count"] > 0]
    gap = (bins["count"] * (bins["confidence"] - bins["accuracy"])).sum() / bins["count"].sum()
    large = bins[bins["count"] >= RATE_FROM]
    within = large["accuracy"].between(large["consistency_lower"], large["consistency_upper"])
    return CalibrationSummary(float(gap), int(within.sum()), len(large))


def calibration_sentence(scores: Scores, loss: str, calibrator: str) -> str:
    """Say how far confidence is off, and how many bins a calibrated model's range holds."""
    summary = summarise_calibration(scores, loss, calibrator)
    direction = "over-confident" if summary.gap > 0 else "under-confident"
    points = abs(100 * summary.gap)
    off = (
        f"{points:.1f} points {direction}"
        if points >= 0.05
        else "neither over- nor under-confident"
    )
    if summary.num_bins == 0:
        return f"{calibrator}: on average {off}; no bin has {RATE_FROM} cases, so none is judged."
    lie = "lies in a range that holds" if summary.num_bins == 1 else "lie in ranges that hold"
    return (
        f"{calibrator}: on average {off}; {summary.num_within} of "
        f"{counted(summary.num_bins, 'bins')} with {RATE_FROM} cases or more {lie} every bin of "
        "95% of calibrated models."
    )


def trust_sentence(scores: Scores) -> str:
    """Say, for the first screen, whether the headline pair's confidence can be believed."""
    loss, calibrator = scores.record["headline_loss"], scores.record["headline_calibrator"]
    summary = summarise_calibration(scores, loss, calibrator)
    if summary.num_bins == 0:
        return "Too few cases in every confidence bin to tell."
    missed = summary.num_bins - summary.num_within
    word = f"within sampling error in every bin of {RATE_FROM} cases or more" if missed == 0 else (
        f"off in {missed} of {counted(summary.num_bins, 'bins')}, where 95% of calibrated models "
        "are off in none"
    )  # fmt: skip
    before = _ece(scores, loss, scores.uncalibrated)
    after = _ece(scores, loss, calibrator)
    ideal = _ece_of_calibrated(scores, loss, calibrator)
    return (
        f"Confidence is {word}; mean gap {signed(100 * summary.gap)} points. ECE "
        f"{before} before, {after} after {calibrator}.{ideal}"
    )


def _ece_of_calibrated(scores: Scores, loss: str, calibrator: str) -> str:
    rows = pick(scores.summary, loss=loss, calibrator=calibrator, metric="ece_if_calibrated")
    if rows.empty:
        return ""
    return f" A calibrated model would score ECE {percent(rows['mean'].iloc[0])} here."


def _ece(scores: Scores, loss: str, calibrator: str) -> str:
    row = pick(scores.summary, loss=loss, calibrator=calibrator, metric="ece").iloc[0]
    span = "" if missing(row["lower"]) else f" (95% CI {interval(row['lower'], row['upper'])})"
    return f"{percent(row['mean'])}{span}"


def reliability_table(scores: Scores, loss: str) -> Table:
    """Return the bins of one loss, before and after calibration."""
    record = scores.record
    names = [scores.uncalibrated, record["headline_calibrator"]]
    frame = pick(scores.reliability, loss=loss)
    frame = frame[frame["calibrator"].isin(names)]
    rows = []
    for _, row in frame[frame["count"] > 0].iterrows():
        few = row["count"] < RATE_FROM
        rates = ["–", "–", "–"] if few else [
            percent(row["confidence"]), percent(row["accuracy"]),
            interval(row["consistency_lower"], row["consistency_upper"]),
        ]  # fmt: skip
        edges = interval(row["lower_edge"], row["upper_edge"])
        cells = (row["calibrator"], edges, f"{row['count']:,.0f}", *rates)
        rows.append(tuple(Cell(text) for text in cells))
    return Table(
        name=f"reliability_{loss}",
        caption=f"Reliability of {loss}: counts are means over seeds; bins of "
        "fewer than 30 give no rate.",
        columns=(
            Column("Calibrator", numeric=False),
            Column("Confidence"),
            Column("In the bin", "cases"),
            Column("Mean confidence"),
            Column("Right"),
            Column("A calibrated model", "95% range of all bins together"),
        ),
        rows=tuple(rows),
        frame=frame,
        headings=2,
    )

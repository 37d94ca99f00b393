"""Reliability diagrams as a table: bins of equal mass, averaged over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from pipeline.method_names import named, titled
from pipeline.metrics.bootstrap import Patients
from pipeline.metrics.group_shares import RATE_FROM
from pipeline.metrics.reliability import consistency_band, reliability
from pipeline.metrics.top_label import TopLabel
from pipeline.tables.parts.column import CALIBRATOR, LOSS, count, number, share
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run, by_loss
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import counted, interval, missing, percent, signed

MAX_BINS = 15


MIN_CASES = 30
"""Fewer cases in a bin say little of its accuracy."""


def reliability_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return confidence and accuracy by bin, mean over seeds, by loss and calibrator.

    Bins hold equally many cases, at least 30 each and 15 bins at most. Equal confidences share a
    bin, so that one may hold more and the next fewer; a bin without a case in any seed is no row.
    Columns loss, calibrator, bin, lower_edge, upper_edge, count (means over seeds), confidence,
    accuracy (means over the seeds with a case in the bin), accuracy_sd (empty for one such seed),
    consistency_lower, consistency_upper: the ranges in all of which 95 % of calibrated models
    would lie, patients taken together, mean over these seeds, so they are the ranges of one seed.
    """
    rows = []
    for loss, seeds in by_loss(runs):
        patients = seeds[0].test.predictions.patients
        for calibrator in seeds[0].calibrators:
            table = _mean_bins([run.test.top(calibrator) for run in seeds], patients)
            table.insert(0, "loss", loss)
            table.insert(1, "calibrator", calibrator)
            rows.append(table)
    return pd.concat(rows, ignore_index=True)


def _mean_bins(tops: Sequence[TopLabel], patients: Patients) -> pd.DataFrame:
    num_bins = max(1, min(MAX_BINS, len(tops[0].correct) // MIN_CASES))
    points = [reliability(top.confidence, top.correct, num_bins, "mass") for top in tops]
    bands = [
        consistency_band(top.confidence, top.correct, patients, num_bins, "mass") for top in tops
    ]
    counts = np.array([each.counts for each in points])
    kept = np.flatnonzero(counts.any(axis=0))
    edges = np.mean([each.edges for each in points], axis=0)
    by_seed = {
        "confidence": [each.mean_confidence[kept] for each in points],
        "accuracy": [each.accuracy[kept] for each in points],
        "consistency_lower": [each.lower[kept] for each in bands],
        "consistency_upper": [each.upper[kept] for each in bands],
    }
    # Each bin that is kept has a seed to take its mean over.
    seen = counts.take(kept, axis=1) > 0
    means = {name: np.mean(values, axis=0, where=seen) for name, values in by_seed.items()}
    deviations = _standard_deviations(np.array(by_seed["accuracy"]), seen)
    columns = {
        "bin": kept,
        "lower_edge": edges[kept],
        "upper_edge": edges[kept + 1],
        "count": counts.mean(axis=0)[kept],
        "confidence": means["confidence"],
        "accuracy": means["accuracy"],
        "accuracy_sd": deviations,
    }
    return pd.DataFrame(columns | means)


def _standard_deviations(
    values: Float[np.ndarray, "seeds bins"], seen: Bool[np.ndarray, "seeds bins"]
) -> Float[np.ndarray, "bins"]:
    """Return each bin's over the seeds with a case in it; NaN where these are fewer than two."""
    several = np.flatnonzero(seen.sum(axis=0) > 1)
    deviations = np.full(values.shape[1], np.nan)
    theirs, where = values.take(several, axis=1), seen.take(several, axis=1)
    deviations[several] = theirs.std(axis=0, ddof=1, where=where)
    return deviations


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
    bins = pick(scores.frame("reliability"), loss=loss, calibrator=calibrator)
    bins = bins[bins["count"] > 0]
    gap = (bins["count"] * (bins["confidence"] - bins["accuracy"])).sum() / bins["count"].sum()
    large = bins[bins["count"] >= RATE_FROM]
    within = large["accuracy"].between(large["consistency_lower"], large["consistency_upper"])
    return CalibrationSummary(float(gap), int(within.sum()), len(large))


def calibration_sentence(scores: Scores, loss: str, calibrator: str) -> str:
    """Say how far confidence is off, and how many bins a calibrated model's range holds."""
    whose, summary = titled(calibrator), summarise_calibration(scores, loss, calibrator)
    direction = "over-confident" if summary.gap > 0 else "under-confident"
    points = abs(100 * summary.gap)
    off = (
        f"{points:.1f} points {direction}"
        if points >= 0.05
        else "neither over- nor under-confident"
    )
    if summary.num_bins == 0:
        return f"{whose}: on average {off}; no bin has {RATE_FROM} cases, so none is judged."
    lie = "lies in a range that holds" if summary.num_bins == 1 else "lie in ranges that hold"
    return (
        f"{whose}: on average {off}; {summary.num_within} of "
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
        f"{before} before, {after} after {scores.calibrator}.{ideal}"
    )


def _ece_of_calibrated(scores: Scores, loss: str, calibrator: str) -> str:
    rows = pick(
        scores.frame("summary"), loss=loss, calibrator=calibrator, metric="ece_if_calibrated"
    )
    if rows.empty:
        return ""
    return f" A calibrated model would score ECE {percent(rows['mean'].iloc[0])} here."


def _ece(scores: Scores, loss: str, calibrator: str) -> str:
    row = pick(scores.frame("summary"), loss=loss, calibrator=calibrator, metric="ece").iloc[0]
    span = "" if missing(row["lower"]) else f" (95% CI {interval(row['lower'], row['upper'])})"
    return f"{percent(row['mean'])}{span}"


def shown_reliability(scores: Scores, loss: str) -> Table:
    """Return the bins of one loss, before and after calibration."""
    frame = pick(scores.frame("reliability"), loss=loss)
    frame = frame[frame["calibrator"].isin(scores.before_and_after)]
    rates = ["confidence", "accuracy", "consistency_lower", "consistency_upper"]
    shown = frame[frame["count"] > 0]
    return rendered(
        f"reliability_{loss}",
        f"Reliability of {named(loss)}: counts are means over seeds; bins of fewer than "
        f"{RATE_FROM} give no rate.",
        RELIABILITY.only("calibrator", "lower_edge", "count", *rates[:3]),
        shown.assign(**{name: shown[name].where(shown["count"] >= RATE_FROM) for name in rates}),
        behind=frame,
    )


def _span(lower: str, upper: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: interval(row[lower], row[upper])


RELIABILITY = TableSpec(
    name="reliability",
    columns=(
        LOSS,
        CALIBRATOR,
        count("bin", key=True),
        share("lower_edge", "Confidence", key=True, write=_span("lower_edge", "upper_edge")),
        share("upper_edge"),
        number("count", "In the bin", unit="cases", digits=0),
        share("confidence", "Mean confidence"),
        share("accuracy", "Right"),
        share("accuracy_sd"),
        share(
            "consistency_lower",
            "A calibrated model",
            unit="95% range of all bins together",
            write=_span("consistency_lower", "consistency_upper"),
        ),
        share("consistency_upper"),
    ),
    compute=lambda experiment: reliability_table(experiment.runs),
    required=True,
)

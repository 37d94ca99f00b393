"""Tables of what is answered, referred and wrong: by target, by class, by coverage."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM, Visibility
from pipeline.metrics.intervals import proportion_interval
from pipeline.report.classes import COUNTS, class_rows, class_visibilities, training_cases
from pipeline.report.referred import referred_classes_sentence
from pipeline.report.scores import Scores, pick
from pipeline.report.sentences import OperatingPoint, operating_point, verdict
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import (
    MASKED,
    counted,
    interval,
    missing,
    number_text,
    percent,
    share_of,
    target_text,
    threshold_text,
)

WORKLOAD_COVERAGES = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Fixed before any result was seen."""


def operating_points_table(
    scores: Scores, targets: Sequence[float], *, name: str = "operating_points"
) -> Table:
    """Return the headline pair's operating points: one row a target and seed."""
    loss, calibrator = scores.record["headline_loss"], scores.record["headline_calibrator"]
    frame = pick(scores.operating_points, loss=loss, calibrator=calibrator)
    frame = frame[frame["target"].isin(list(targets))].sort_values(["target", "seed"])
    points = [operating_point(row, scores.unit) for _, row in frame.iterrows()]
    rows = [
        (Cell(target_text(point.target)), Cell(f"{seed}"), *_point_cells(point))
        for point, seed in zip(points, frame["seed"], strict=True)
    ]
    shown = zip(points, frame["seed"], strict=True)
    headline = (scores.record["headline_target"], scores.headline["seed"])
    marked = [i for i, (point, seed) in enumerate(shown) if (point.target, seed) == headline]
    return Table(
        name=name,
        caption=f"Operating points of {loss} with {calibrator}, every seed: "
        f"{_searched(points[0])}, counts of {counted(points[0].num_test, f'test {scores.unit}')}, "
        "exact 95% intervals.",
        columns=(
            Column("Target", "of the answered"),
            Column("Seed"),
            Column("Verdict", numeric=False),
            Column("Confidence from"),
            Column("Answered"),
            Column("Referred"),
            Column("Wrong among answered"),
            Column("Wrong", "per 1,000 arriving"),
        ),
        rows=tuple(rows),
        frame=frame,
        headings=2,
        marked=frozenset(marked),
    )


def _searched(point: OperatingPoint) -> str:
    if not point.num_threshold_patients:
        return "no threshold was searched, because no separate cases were given"
    return f"thresholds from {counted(point.num_threshold_patients, f'separate {point.unit}')}"


def _point_cells(point: OperatingPoint) -> tuple[Cell, ...]:
    words = verdict(point)[1]
    if not point.found:
        limit = "" if missing(point.lowest_upper_limit) else percent(point.lowest_upper_limit)
        detail = f"lowest upper limit {limit}" if limit else ""
        return (Cell(words, detail), Cell("–"), Cell("0"), Cell(f"{point.referred:,}"),
                Cell("–"), Cell("0"))  # fmt: skip
    wrong = share_of(point.wrong, point.answered)
    return (
        Cell(words),
        Cell(threshold_text(point.threshold)),
        Cell(f"{point.answered:,}", percent(point.answered / point.num_test)),
        Cell(f"{point.referred:,}", percent(point.referred / point.num_test)),
        Cell(wrong),
        Cell(f"{point.wrong_per_thousand:.1f}"),
    )


def per_class_table(scores: Scores) -> Table:
    """Return what became of each class at the headline's operating point.

    Critical classes come first, the others by training cases.

    Classes of fewer than 10 are masked, with others if need be; from 10 to 29 only counts are
    given.
    """
    target = scores.record["headline_target"]
    critical, training = set(scores.dataset["critical_classes"]), training_cases(scores)
    frame, shown = class_rows(scores), class_visibilities(scores)
    rows = [
        (
            Cell(row["class"], "critical" if row["class"] in critical else ""),
            *([Cell(number_text(training.get(row["class"])))] if training else []),
            *_class_cells(row, shown[row["class"]]),
        )
        for _, row in frame.iterrows()
    ]
    return Table(
        name="per_class",
        caption=f"What became of each class at the target of {target_text(target)}, seed "
        f"{scores.headline['seed']}, with exact 95% intervals, each of its class alone. "
        f"{MASKED} masked: fewer than {MASK_BELOW} {scores.unit}, or shown they would give such a "
        f"class away; below {RATE_FROM}, counts alone. "
        f"{referred_classes_sentence(scores)}".rstrip(),
        columns=(
            Column("True class", numeric=False),
            *([Column("Training images")] if training else []),
            Column(f"Test {scores.unit}"),
            Column("Answered"),
            Column("Wrong", "of the answered"),
            Column("Referred"),
        ),
        rows=tuple(rows),
        frame=frame,
    )


def _class_cells(row: pd.Series, visibility: Visibility) -> tuple[Cell, ...]:
    if visibility == "masked":
        return (Cell(MASKED),) * len(COUNTS)
    cells = [Cell(f"{row['cases']:,}")]
    for key, total in (("answered", "cases"), ("wrong", "answered"), ("referred", "cases")):
        rate = visibility == "full" and row[total] >= RATE_FROM
        cells.append(Cell(f"{row[key]:,}", _rate(row[key], row[total]) if rate else ""))
    return tuple(cells)


def _rate(count: int, total: int) -> str:
    limits = proportion_interval(count, total)
    return f"{percent(count / total)} ({interval(limits.lower, limits.upper)})"


def nearest_rows(band: pd.DataFrame, coverages: Sequence[float]) -> list[int]:
    """Return the places of the rows whose coverage is nearest to each, once each, in order.

    >>> nearest_rows(pd.DataFrame({"coverage": [0.2, 0.5, 1.0]}), (0.1, 0.3, 0.9))
    [0, 2]
    """
    return sorted({int((band["coverage"] - each).abs().argmin()) for each in coverages})


def risk_coverage_table(scores: Scores) -> Table:
    """Return risk at eight coverages, one row a loss, after the headline calibrator."""
    calibrator = scores.record["headline_calibrator"]
    return coverage_table(
        scores,
        pick(scores.risk_coverage, calibrator=calibrator),
        name="risk_coverage",
        caption=f"Wrong among the answered by share answered, after {calibrator}: "
        f"{scores.spread_text}.",
    )


def coverage_table(scores: Scores, frame: pd.DataFrame, *, name: str, caption: str) -> Table:
    """Return the risks of a frame at eight coverages, one row a loss."""
    grid = WORKLOAD_COVERAGES
    rows = []
    for loss in scores.record["losses"]:
        curve = pick(frame, loss=loss)
        cells = []
        for coverage in grid:
            at = curve.iloc[(curve["coverage"] - coverage).abs().argmin()]
            sd = "" if missing(at["risk_sd"]) else f"± {percent(at['risk_sd'])}"
            cells.append(Cell(percent(at["risk_mean"]), sd))
        rows.append((Cell(loss), *cells))
    return Table(
        name=name,
        caption=caption,
        columns=(
            Column("Loss", numeric=False),
            *(Column(target_text(c), "answered") for c in grid),
        ),
        rows=tuple(rows),
        frame=frame,
    )

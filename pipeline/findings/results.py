"""The README's table of results: one row a tracked experiment, from the committed reports alone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.config.plan import ExperimentRow, Plan
from pipeline.errors import InputError
from pipeline.report.scores import pick
from pipeline.report.sentences import in_a_hundred, operating_point, verdict
from pipeline.report.wording import metric_name, missing, scaled

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
METRICS = ("accuracy", "ece", "nll", "aurc")
INTRODUCTION = (
    "Every tracked experiment: mean ± standard deviation over the seeds, uncalibrated → after the "
    "calibrator named; one number where the calibrator changes no digit of it. The operating point "
    "is that of the second loss's first seed, not of its best. `python -m pipeline results` writes "
    "this table from `reports/`; `reports/findings.md` says what follows from it."
)


def results_section(plan: Plan, reports: Path) -> str:
    """Return the table as Markdown, between its marks.

    An experiment that the plan tracks and that is not reported yet is named beneath.

    Raises
    ------
    InputError
        If a report lacks a loss or calibrator that the plan shows of it.
    """
    heads = [f"{metric_name(key).label}{_unit(key)}" for key in METRICS]
    lines = [
        BEGIN,
        INTRODUCTION,
        "",
        f"| Experiment | Seeds | Losses, calibrator | {' | '.join(heads)} | Operating point |",
        f"|---|--:|---|{'---|' * (len(METRICS) + 1)}",
    ]
    absent = []
    for row in plan.experiments.values():
        folder = reports / row.study / "tables" / row.experiment
        if all((folder / f"{name}.csv").is_file() for name in _tables(row)):
            lines.append(_line(row, folder))
        else:
            absent.append(f"{row.study}/{row.experiment}")
    if absent:
        lines += ["", f"Tracked and not reported yet: {', '.join(absent)}."]
    return "\n".join([*lines, END])


def replace_section(text: str, section: str) -> str:
    """Return a text with what stands between the marks replaced; both marks belong to the section.

    Raises
    ------
    InputError
        If the text does not hold the two marks once each, in order.

    Examples
    --------
    >>> replace_section(f"a {BEGIN} old {END} z", f"{BEGIN} new {END}") == f"a {BEGIN} new {END} z"
    True
    """
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended) or BEGIN in rest or END in before + after:
        message = f"one '{BEGIN}' and after it one '{END}' expected"
        raise InputError(message)
    return before + section + after


def _tables(row: ExperimentRow) -> tuple[str, str, str]:
    return "comparison", "headline_points", f"reliability_{row.headline_loss}"


def _line(row: ExperimentRow, folder: Path) -> str:
    comparison, points, bins = (_read(folder / f"{name}.csv") for name in _tables(row))
    losses = list(dict.fromkeys([row.baseline, row.headline_loss]))
    found = [_cells(comparison, row, loss, folder) for loss in losses]
    seeds = pick(comparison, loss=losses[-1], calibrator=row.headline_calibrator)["num_seeds"]
    cells = [
        f"{row.study}: [{row.experiment}](reports/{row.study}/experiments/{row.experiment}.html)",
        str(int(seeds.max())),
        "<br>".join(f"{loss}, {row.headline_calibrator}" for loss in losses),
        *("<br>".join(each[key] for each in found) for key in METRICS),
        _point(points, bins, row, folder),
    ]
    return f"| {' | '.join(cells)} |"


def _cells(table: pd.DataFrame, row: ExperimentRow, loss: str, folder: Path) -> dict[str, str]:
    """Return each metric's values of a loss, before and after the calibrator."""
    none = "identity" if "identity" in row.calibrators else row.calibrators[0]
    found = {}
    for key in METRICS:
        texts = [
            _value(table, folder, loss=loss, calibrator=calibrator, metric=key)
            for calibrator in (none, row.headline_calibrator)
        ]
        found[key] = " → ".join(dict.fromkeys(texts))
    return found


def _value(table: pd.DataFrame, folder: Path, **keys: str) -> str:
    rows = pick(table, **keys)
    if len(rows) != 1:
        wanted = ", ".join(keys.values())
        message = f"{folder / 'comparison.csv'}: one row of {wanted} expected, got {len(rows)}"
        raise InputError(message)
    mean, sd = rows["mean"].iloc[0], rows["sd"].iloc[0]
    text = scaled(keys["metric"], mean)
    return text if missing(sd) else f"{text} ± {scaled(keys['metric'], sd)}"


def _point(points: pd.DataFrame, bins: pd.DataFrame, row: ExperimentRow, folder: Path) -> str:
    """Say what the shown model may decide alone, in the words of its report's first screen."""
    shown = pick(
        points,
        loss=row.headline_loss,
        calibrator=row.headline_calibrator,
        seed=row.seeds[0],
        target=row.headline_target,
    )
    if len(shown) != 1:
        message = f"{folder / 'headline_points.csv'}: the shown model once expected, not found"
        raise InputError(message)
    # The bins hold the test cases, the points count patients: cases, where nobody has two.
    num_cases = int(pick(bins, calibrator=row.headline_calibrator)["count"].sum())
    unit = "cases" if num_cases == int(shown["num_test"].iloc[0]) else "patients"
    point = operating_point(shown.iloc[0], unit)
    return f"{verdict(point)[1]}. {in_a_hundred(point)}"


def _read(path: Path) -> pd.DataFrame:
    text = dict.fromkeys(("loss", "calibrator", "metric", "class", "status"), str)
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])


def _unit(key: str) -> str:
    unit = metric_name(key).unit
    return f", {unit}" if unit else ""

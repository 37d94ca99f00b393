"""What was fitted, and what to know of it: bounds hit, classes changed, ranks turned round."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import exp

import pandas as pd

from pipeline.report.comparison import calibrators_shown_first
from pipeline.report.scores import Scores, pick
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import counted

MOST_ROWS = 200
"""With more fitted calibrators a page shows those of one model; the files hold all."""
INVERSION = (
    "A rank inversion is a pair of test cases whose order of confidence the calibrator turned "
    "round, which changes the risk-coverage curve."
)


def calibrator_notes_table(scores: Scores) -> Table:
    """Return one row a loss and calibrator: what any of its seeds makes worth knowing."""
    first = scores.calibrators["calibrator"].isin(calibrators_shown_first(scores))
    groups = scores.calibrators[first].groupby(["loss", "calibrator"], sort=False)
    more = "" if first.all() else " The files hold the other calibrators too."
    rows = [
        (
            Cell(str(loss)),
            Cell(str(calibrator)),
            Cell(_argmax(runs)),
            Cell(_range(runs["rank_inversions"].tolist())),
            Cell(_notes(runs)),
        )
        for (loss, calibrator), runs in groups
    ]
    return Table(
        name="calibrator_notes",
        caption=f"What to know of the calibrators, over all seeds. {INVERSION}{more}",
        columns=(
            Column("Loss", numeric=False),
            Column("Calibrator", numeric=False),
            Column("Predicted class", numeric=False),
            Column("Rank inversions", "fewest to most"),
            Column("To know", numeric=False),
        ),
        rows=tuple(rows),
        frame=scores.calibrators.drop(columns="parameters"),
        headings=2,
    )


def _argmax(runs: pd.DataFrame) -> str:
    if runs["preserves_argmax"].all():
        return "kept"
    return f"may change: {int(runs['argmax_changed'].sum()):,} did"


def _range(values: Sequence[int]) -> str:
    ends = dict.fromkeys((min(values), max(values)))
    return " to ".join(f"{value:,}" for value in ends)


def _notes(runs: pd.DataFrame) -> str:
    by_note = runs[runs["notes"] != ""].groupby("notes", sort=False)["seed"]
    notes = [f"{note} (seed {', '.join(str(seed) for seed in seeds)})" for note, seeds in by_note]
    return "; ".join(notes) or "–"


def calibrators_table(scores: Scores) -> Table:
    """Return what each fitted calibrator is, and what to know of it."""
    frame = scores.calibrators
    whose, shown = "Every fitted calibrator", frame
    if len(frame) > MOST_ROWS:
        model = {key: scores.headline[key] for key in ("loss", "seed")}
        whose = f"Every calibrator fitted to {model['loss']}, seed {model['seed']}"
        shown = pick(frame, **model)
    rows = []
    for _, row in shown.iterrows():
        argmax = "kept" if row["preserves_argmax"] else f"changed in {row['argmax_changed']:,}"
        rows.append(
            (
                Cell(row["loss"]),
                Cell(row["calibrator"]),
                Cell(f"{row['seed']}"),
                Cell(_parameters(row["parameters"])),
                Cell(argmax),
                Cell(f"{row['rank_inversions']:,}"),
                Cell(row["notes"] or "–"),
            )
        )
    return Table(
        name="calibrators",
        caption=f"{whose}. {INVERSION}{'' if shown is frame else ' The files hold all of them.'}",
        columns=(
            Column("Loss", numeric=False),
            Column("Calibrator", numeric=False),
            Column("Seed"),
            Column("Fitted", numeric=False),
            Column("Predicted class", numeric=False),
            Column("Rank inversions"),
            Column("To know", numeric=False),
        ),
        rows=tuple(rows),
        frame=frame,
        headings=3,
    )


def _parameters(text: str) -> str:
    """Write the single numbers of a calibrator's record, and the range of its temperatures.

    >>> _parameters('{"temperature": 1.23456, "edges": [1, 2, 3], "notes": [], "type": "T"}')
    'temperature 1.235'
    >>> _parameters('{"log_temperatures": [0.0, 0.7]}')
    'temperatures 1 to 2.014 in 2 bins'
    >>> _parameters('{"log_temperatures": [0.0]}')
    'temperature 1 in 1 bin'
    """
    words = []
    for name, value in json.loads(text or "{}").items():
        if name == "log_temperatures":
            low, high = (f"{exp(end(value)):.4g}" for end in (min, max))
            ends = f"temperature {low}" if low == high else f"temperatures {low} to {high}"
            words.append(f"{ends} in {counted(len(value), 'bins')}")
        elif isinstance(value, float):
            words.append(f"{name} {value:.4g}")
        elif isinstance(value, int | str) and name != "type":
            words.append(f"{name} {value}")
    return ", ".join(words) or "nothing"

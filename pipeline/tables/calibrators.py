"""What was fitted, and what it did to the test cases' classes and ranking."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import exp
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import log_softmax

from pipeline.calibrators import rank_inversions, to_json
from pipeline.metrics.top_label import top_label
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, count, flag, number, text
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores, calibrators_shown_first, pick
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import counted, one_or_both


def calibrators_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one row a loss, seed and calibrator: parameters, notes, and changes on the test cases.

    ``argmax_changed`` counts cases whose predicted class is another than the logits';
    ``rank_inversions`` counts pairs of cases whose order of confidence is.
    """
    rows = []
    for run in runs:
        predictions = run.test.predictions
        logits = predictions.logits.astype(np.float64)
        before = top_label(log_softmax(logits, axis=1), predictions.labels)
        for name, calibrator in run.calibrators.items():
            after = run.test.top(name)
            rows.append(
                {
                    "loss": run.loss,
                    "seed": run.seed,
                    "calibrator": name,
                    "parameters": json.dumps(to_json(calibrator), sort_keys=True),
                    "notes": "; ".join(calibrator.notes),
                    "preserves_argmax": calibrator.preserves_argmax,
                    "argmax_changed": int((before.predicted != after.predicted).sum()),
                    "rank_inversions": rank_inversions(before.confidence, after.confidence),
                }
            )
    return pd.DataFrame(rows)


MOST_ROWS = 200
"""With more fitted calibrators a page shows those of one model; the files hold all."""

PAIR = ["loss", "calibrator"]
_INVERSIONS = itemgetter("inversions")

INVERSION = (
    "A rank inversion is a pair of test cases whose order of confidence the calibrator turned "
    "round, which changes the risk-coverage curve."
)


def shown_calibrator_notes(scores: Scores) -> Table:
    """Return one row a loss and calibrator: what any of its seeds makes worth knowing."""
    every = scores.frame("calibrators")
    first = every["calibrator"].isin(calibrators_shown_first(scores))
    rows = [
        dict(zip(PAIR, pair, strict=True))
        | {"argmax": _argmax(runs), "inversions": _range(runs["rank_inversions"].tolist())}
        | {"notes": _notes(runs)}
        for pair, runs in every[first].groupby(PAIR, sort=False)
    ]
    more = "" if first.all() else " The files hold the other calibrators too."
    return rendered(
        "calibrator_notes",
        f"What to know of the calibrators, over all seeds. {INVERSION}{more}",
        [
            LOSS,
            CALIBRATOR,
            text("argmax", "Predicted class"),
            number("inversions", "Rank inversions", unit="fewest to most", write=_INVERSIONS),
            text("notes", "To know"),
        ],
        pd.DataFrame(rows),
        behind=every.drop(columns="parameters"),
    )


def _argmax(runs: pd.DataFrame) -> str:
    if runs["preserves_argmax"].all():
        return "kept"
    return f"may change: {int(runs['argmax_changed'].sum()):,} did"


def _range(values: Sequence[int]) -> str:
    return one_or_both(f"{min(values):,}", f"{max(values):,}")


def _notes(runs: pd.DataFrame) -> str:
    by_note = runs[runs["notes"] != ""].groupby("notes", sort=False)["seed"]
    notes = [f"{note} (seed {', '.join(str(seed) for seed in seeds)})" for note, seeds in by_note]
    return "; ".join(notes) or "–"


def shown_calibrators(scores: Scores) -> Table:
    """Return what each fitted calibrator is, and what to know of it."""
    frame = scores.frame("calibrators")
    whose, shown = "Every fitted calibrator", frame
    if len(frame) > MOST_ROWS:
        model = {key: scores.headline[key] for key in ("loss", "seed")}
        whose = f"Every calibrator fitted to {scores.loss}, seed {model['seed']}"
        shown = pick(frame, **model)
    return rendered(
        "calibrators",
        f"{whose}. {INVERSION}{'' if shown is frame else ' The files hold all of them.'}",
        CALIBRATORS.only(
            "loss",
            "calibrator",
            "seed",
            "parameters",
            "preserves_argmax",
            "rank_inversions",
            "notes",
        ),
        shown,
        behind=frame,
    )


def _predicted_class(row: Mapping[str, Any]) -> str:
    return "kept" if row["preserves_argmax"] else f"changed in {row['argmax_changed']:,}"


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


CALIBRATORS = TableSpec(
    name="calibrators",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
        text("parameters", "Fitted", write=lambda row: _parameters(row["parameters"])),
        text("notes", "To know", write=lambda row: row["notes"] or "–"),
        flag("preserves_argmax", "Predicted class", write=_predicted_class),
        count("argmax_changed"),
        count("rank_inversions", "Rank inversions"),
    ),
    compute=lambda experiment: calibrators_table(experiment.runs),
    required=True,
    section="methods",
    show=lambda scores: [shown_calibrators(scores)],
)

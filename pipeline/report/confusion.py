"""What is read as what: of the cases answered and of those referred, and the commonest errors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, visibilities
from pipeline.report.scores import Scores, pick
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import MASKED, missing, percent, target_text

MOST_CLASSES = 12
"""A matrix of more classes cannot be read; the commonest errors are listed in its place."""
MOST_ERRORS = 10


def confusion_tables(scores: Scores) -> list[Table]:
    """Return the matrix of few classes and the commonest errors; nothing where not computed."""
    if scores.accepted is None or scores.accepted.empty:
        return []
    answered, everything = _counts(scores, scores.accepted)
    names = scores.dataset["classes"]
    cases = dict(zip(names, everything.sum(axis=1), strict=True))
    shown = visibilities({name: int(number) for name, number in cases.items() if number})
    masked = {name for name in names if shown.get(name) == "masked"}
    tables = [_errors_table(scores, answered, everything, masked)]
    if len(names) <= MOST_CLASSES:
        tables.insert(0, _matrix_table(scores, answered, everything, masked))
    return tables


def _counts(scores: Scores, accepted: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return (labels, predictions) counts of what the approved threshold answers, and of all."""
    target = scores.record["headline_target"]
    point = pick(scores.operating_points, **scores.headline, target=target).iloc[0]
    rows = pick(accepted, **scores.headline)
    everything = rows[rows["threshold"] == rows["threshold"].min()]
    approved = float(point["threshold"])
    stricter = rows["threshold"][rows["threshold"] >= approved]
    if missing(approved) or stricter.empty:
        return _matrix(scores, rows.iloc[:0]), _matrix(scores, everything)
    return _matrix(scores, rows[rows["threshold"] == stricter.min()]), _matrix(scores, everything)


def _matrix(scores: Scores, rows: pd.DataFrame) -> np.ndarray:
    names = scores.dataset["classes"]
    number = {name: place for place, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), dtype=int)
    counts[rows["label"].map(number), rows["prediction"].map(number)] = rows["cases"]
    return counts


def _whose(scores: Scores) -> str:
    headline, target = scores.headline, target_text(scores.record["headline_target"])
    return (
        f"{headline['loss']} with {headline['calibrator']}, seed {headline['seed']}, at the target "
        f"of {target}"
    )


def _matrix_table(
    scores: Scores, answered: np.ndarray, everything: np.ndarray, masked: set[str]
) -> Table:
    names, referred = scores.dataset["classes"], everything - answered
    rows = [
        (
            Cell(name),
            *(
                Cell(MASKED)
                if name in masked
                else Cell(f"{answered[label, read]:,}", f"{referred[label, read]:,} referred")
                for read in range(len(names))
            ),
        )
        for label, name in enumerate(names)
    ]
    return Table(
        name="confusion",
        caption=f"What is read as what: {_whose(scores)}. Images of the answered {scores.unit}, "
        f"beneath them those of the referred and what they would have been read as. {MASKED} "
        f"masked: fewer than {MASK_BELOW} images, or shown they would give such a class away.",
        columns=(
            Column("True class", numeric=False),
            *(Column(name, "read as") for name in names),
        ),
        rows=tuple(rows),
        frame=_long(names, answered, referred, masked),
    )


def _long(
    names: list[str], answered: np.ndarray, referred: np.ndarray, masked: set[str]
) -> pd.DataFrame:
    return pd.DataFrame(
        {"label": name, "prediction": other}
        | {
            "answered": None if name in masked else int(answered[label, read]),
            "referred": None if name in masked else int(referred[label, read]),
        }
        for label, name in enumerate(names)
        for read, other in enumerate(names)
    ).astype({"answered": "Int64", "referred": "Int64"})


def _errors_table(
    scores: Scores, answered: np.ndarray, everything: np.ndarray, masked: set[str]
) -> Table:
    names = scores.dataset["classes"]
    frame = _long(names, answered, everything - answered, masked)
    wrong = frame[(frame["label"] != frame["prediction"]) & (frame["answered"] > 0)]
    wrong = wrong.sort_values("answered", ascending=False, kind="stable").head(MOST_ERRORS)
    cases = dict(zip(names, everything.sum(axis=1), strict=True))
    rows = [
        (
            Cell(row["label"]),
            Cell(row["prediction"]),
            Cell(f"{row['answered']:,}", percent(row["answered"] / cases[row["label"]])),
            Cell(f"{row['referred']:,}"),
        )
        for _, row in wrong.iterrows()
    ]
    first = (
        f"Commonest confident error: {wrong['label'].iloc[0]} read as "
        f"{wrong['prediction'].iloc[0]}."
        if len(wrong)
        else "No image that is answered and may be shown is read wrongly."
    )
    return Table(
        name="commonest_errors",
        caption=f"{first} {_whose(scores)}; images, at most {MOST_ERRORS} kinds.",
        columns=(
            Column("True class", numeric=False),
            Column("Read as", numeric=False),
            Column("Answered so", "of the class's images"),
            Column("Referred instead"),
        ),
        rows=tuple(rows),
        frame=wrong,
        headings=2,
    )

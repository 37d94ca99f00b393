"""How many answered cases of each class are read as each, threshold by threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.metrics.group_shares import RATE_FROM
from pipeline.tables.exact_band import EXACT_BAND
from pipeline.tables.parts.band_thresholds import thresholds_of
from pipeline.tables.parts.classes import class_visibilities
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, count, share, text
from pipeline.tables.parts.disclosure import Classes, without_classes
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import MASKED, missing, percent, target_text

CLASS_COLUMNS = ("loss", "calibrator", "seed", "threshold", "label", "prediction", "cases")


def accepted_table(
    run: Run, calibrator: str, exact_band: pd.DataFrame, classes: Sequence[str]
) -> pd.DataFrame:
    """Return how many answered cases of each class are read as each, at each threshold of a curve.

    Columns loss, calibrator, seed, threshold, label (the true class), prediction, cases. Thresholds
    are those of the `exact_band_table`; a case is answered with its patient; pairs of classes that
    no answered case has are left out.
    """
    test, top, key = run.test, run.test.top(calibrator), run.key(calibrator)
    lowest = test.patient_confidence(calibrator)
    pair = test.predictions.labels * len(classes) + top.predicted
    rows = []
    for threshold in thresholds_of(exact_band, key):
        counts = np.bincount(pair[lowest >= threshold])
        rows += [
            (*key.values(), threshold, classes[i // len(classes)], classes[i % len(classes)], n)
            for i, n in enumerate(counts)
            if n > 0
        ]
    return pd.DataFrame(rows, columns=list(CLASS_COLUMNS))


def _disclose(spec: TableSpec, table: pd.DataFrame, classes: Classes) -> pd.DataFrame:  # noqa: ARG001
    return without_classes("label", table, classes)


MOST_CLASSES = 12
"""A matrix of more classes cannot be read; the commonest errors are listed in its place."""

MOST_ERRORS = 10


def failures_sentence(scores: Scores, most: int) -> str:
    """Say which errors are commonest among the answered; that none is, only if that was counted."""
    if scores.frame("accepted").empty or scores.frame("accepted").empty:
        return "Which errors are commonest: not recorded."
    counts = _counts(scores, scores.frame("accepted"))
    if counts is None:
        return (
            f"Fewer than {RATE_FROM} {scores.unit} are answered, so which errors are commonest is "
            "not shown."
        )
    answered, everything = counts
    masked = _masked_classes(scores)
    frame = _long(scores.dataset["classes"], answered, everything - answered, masked)
    listed = "; ".join(
        f"{row['label']} read as {row['prediction']}: {row['answered']:,}"
        for _, row in _errors(frame).head(most).iterrows()
    )
    if not listed:
        return _no_error(frame, masked)
    return f"Images{_whose_of(masked)} answered wrongly, commonest first: {listed}."


def shown_confusion(scores: Scores) -> list[Table]:
    """Return the matrix of few classes and the commonest errors; nothing where not known."""
    counts = None if scores.frame("accepted").empty else _counts(scores, scores.frame("accepted"))
    if counts is None:
        return []
    answered, everything = counts
    names = scores.dataset["classes"]
    masked = _masked_classes(scores)
    tables = [_errors_table(scores, answered, everything, masked)]
    if len(names) <= MOST_CLASSES:
        tables.insert(0, _matrix_table(scores, answered, everything, masked))
    return tables


def _counts(scores: Scores, accepted: pd.DataFrame) -> tuple[np.ndarray, np.ndarray] | None:
    """Return (labels, predictions) counts of what the approved threshold answers, and of all.

    None where they are not known: thresholds that answer fewer than 30 are not in the table.
    """
    if accepted.empty:
        return None
    point = scores.point
    rows = pick(accepted, **scores.headline)
    everything = rows[rows["threshold"] == rows["threshold"].min()]
    approved = float(point["threshold"])
    stricter = rows["threshold"][rows["threshold"] >= approved]
    if not missing(approved) and point["answered"] and stricter.empty:
        return None
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


def _masked_classes(scores: Scores) -> set[str]:
    return {name for name, shown in class_visibilities(scores).items() if shown == "masked"}


def _errors(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what is read as something else and answered, commonest first."""
    wrong = frame[(frame["label"] != frame["prediction"]) & (frame["answered"] > 0)]
    return wrong.sort_values("answered", ascending=False, kind="stable")


def _no_error(frame: pd.DataFrame, masked: set[str]) -> str:
    """Say why no error is listed: nothing is answered, or no answered image is read wrongly.

    `frame` has what is answered by label and prediction, masked classes without a number.
    """
    whose = _whose_of(masked)
    if not frame["answered"].sum():
        return f"No image{whose} is answered, so none is misclassified."
    return f"No answered image{whose} was misclassified."


def _whose_of(masked: set[str]) -> str:
    """Return of which classes a sentence speaks, where it cannot be all."""
    return " of the classes that are not hidden" if masked else ""


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
        f"beneath them those of the referred and what they would have been read as.",
        columns=(
            Heading("True class", numeric=False),
            *(Heading(name, "read as") for name in names),
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
    wrong = _errors(frame).head(MOST_ERRORS)
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
        f"Commonest confident error{_whose_of(masked)}: {wrong['label'].iloc[0]} read as "
        f"{wrong['prediction'].iloc[0]}."
        if len(wrong)
        else _no_error(frame, masked)
    )
    return Table(
        name="commonest_errors",
        caption=f"{first} {_whose(scores)}; images, at most {MOST_ERRORS} kinds.",
        columns=(
            Heading("True class", numeric=False),
            Heading("Read as", numeric=False),
            Heading("Answered so", "of the class's images"),
            Heading("Referred instead"),
        ),
        rows=tuple(rows),
        frame=wrong,
        headings=2,
    )


ACCEPTED = TableSpec(
    name="accepted",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        share("threshold", key=True),
        text("label", key=True),
        text("prediction", key=True),
        count("cases"),
    ),
    compute=lambda experiment: accepted_table(
        experiment.shown,
        experiment.row.headline_calibrator,
        experiment.frame(EXACT_BAND),
        experiment.classes,
    ),
    may_be_empty=True,
    disclose=_disclose,
    section="answered",
    show=lambda scores: shown_confusion(scores),
)

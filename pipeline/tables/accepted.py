"""How many answered cases of each class are read as each, threshold by threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeline.method_names import heading
from pipeline.metrics.group_shares import RATE_FROM
from pipeline.tables.exact_band import EXACT_BAND
from pipeline.tables.parts.band_thresholds import thresholds_of
from pipeline.tables.parts.classes import class_visibilities
from pipeline.tables.parts.column import (
    CALIBRATOR,
    LOSS,
    SEED,
    Across,
    Column,
    count,
    share,
    text,
)
from pipeline.tables.parts.disclosure import Classes, without_classes
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import missing, target_text

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
    if scores.frame("accepted").empty:
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
    counts = _counts(scores, scores.frame("accepted"))
    if counts is None:
        return []
    answered, everything = counts
    names, masked = scores.dataset["classes"], _masked_classes(scores)
    frame = _long(names, answered, everything - answered, masked)
    tables = [_matrix_table(scores, frame)] if len(names) <= MOST_CLASSES else []
    cases = dict(zip(names, everything.sum(axis=1), strict=True))
    return [*tables, _errors_table(scores, frame, cases, masked)]


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


def _at_target(scores: Scores) -> str:
    return f"{scores.model}, at the target of {target_text(scores.record['headline_target'])}"


def _matrix_table(scores: Scores, frame: pd.DataFrame) -> Table:
    def answered(name: str) -> Column:
        detail = "{referred:,} referred".format_map
        return count(
            "answered", name, unit="read as", disclosure="count",
            write=lambda row: Cell(f"{row['answered']:,}", detail(row)),
        )  # fmt: skip

    return rendered(
        "confusion",
        f"What is read as what: {_at_target(scores)}. Images of the answered {scores.unit}, "
        f"beneath them those of the referred and what they would have been read as.",
        [TRUE_CLASS],
        frame,
        across=Across("prediction", scores.dataset["classes"], answered),
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
    scores: Scores, frame: pd.DataFrame, cases: Mapping[str, int], masked: set[str]
) -> Table:
    wrong = _errors(frame).head(MOST_ERRORS)
    first = (
        f"Commonest confident error{_whose_of(masked)}: {wrong['label'].iloc[0]} read as "
        f"{wrong['prediction'].iloc[0]}."
        if len(wrong)
        else _no_error(frame, masked)
    )
    return rendered(
        "commonest_errors",
        f"{first} {heading(_at_target(scores))}; images, at most {MOST_ERRORS} kinds.",
        [
            TRUE_CLASS,
            text("prediction", "Read as", key=True),
            count("answered", "Answered so", unit="of the class's images", rate="share"),
            count("referred", "Referred instead"),
        ],
        wrong.assign(share=wrong["answered"] / wrong["label"].map(cases).astype(float)),
        behind=wrong,
    )


TRUE_CLASS = text("label", "True class", key=True)

ACCEPTED = TableSpec(
    name="accepted",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        share("threshold", key=True),
        TRUE_CLASS,
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
    show=shown_confusion,
)

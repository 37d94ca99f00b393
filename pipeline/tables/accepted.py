"""How many answered cases of each class are read as each, threshold by threshold."""

from __future__ import annotations

from collections.abc import Sequence

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
from pipeline.tables.parts.scores import Scores
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
    frame, masked = _answers(scores), _masked_classes(scores)
    if frame is None:
        return (
            f"Fewer than {RATE_FROM} {scores.unit} are answered, so which errors are commonest is "
            "not shown."
        )
    listed = "; ".join(
        f"{row['label']} read as {row['prediction']}: {row['answered']:,}"
        for _, row in _errors(frame).head(most).iterrows()
    )
    if not listed:
        return _no_error(frame, masked)
    return f"Images{_whose_of(masked)} answered wrongly, commonest first: {listed}."


def shown_confusion(scores: Scores) -> list[Table]:
    """Return the matrix of few classes and the commonest errors; nothing where not known."""
    frame = _answers(scores)
    if frame is None:
        return []
    few = len(scores.dataset["classes"]) <= MOST_CLASSES
    return [*([_matrix_table(scores, frame)] if few else []), _errors_table(scores, frame)]


def _answers(scores: Scores) -> pd.DataFrame | None:
    """Return what the approved threshold answers and refers, by label and prediction, in images.

    Masked classes have no numbers. None where it is not known: thresholds that answer fewer than 30
    are not in the table.
    """
    rows, point, names = scores.shown("accepted"), scores.point, scores.dataset["classes"]
    # Nothing reaches a threshold that is not there.
    stricter = rows["threshold"][rows["threshold"] >= float(point["threshold"])]
    if stricter.empty and point["answered"] and not missing(point["threshold"]):
        return None
    pairs = pd.MultiIndex.from_product([names, names], names=["label", "prediction"])

    def at(threshold: float) -> pd.Series:
        own = rows[rows["threshold"] == threshold].set_index(pairs.names)["cases"]
        return own.reindex(pairs, fill_value=0).astype("Int64")

    answered, everything = at(stricter.min()), at(rows["threshold"].min())
    hidden = pairs.get_level_values("label").isin(list(_masked_classes(scores)))
    frame = pd.DataFrame({"answered": answered, "referred": everything - answered})
    return frame.mask(hidden[:, None] & [True, True]).reset_index()


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


def _errors_table(scores: Scores, frame: pd.DataFrame) -> Table:
    images = (frame["answered"] + frame["referred"]).groupby(frame["label"]).transform("sum")
    wrong = _errors(frame.assign(share=frame["answered"] / images)).head(MOST_ERRORS)
    masked = _masked_classes(scores)
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
        wrong,
        behind=wrong.drop(columns="share"),
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

"""Of 1,000 patients like the tested, or like a site's: read alone, referred, read wrongly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from pipeline.errors import InputError
from pipeline.metrics.intervals import LEVEL, Interval
from pipeline.metrics.patient_units import rarest_labels
from pipeline.metrics.workload import AnswerCounts, WorkloadRow, workload
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, TARGET, count, number, text
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Applied, Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import target_text

POLICIES = {
    "threshold": "model",
    "refer_nobody": "refer_nobody",
    "refer_at_random": "refer_at_random",
}
"""What the table calls the policies of `workload`."""


STATED = "stated"
"""The prevalence that was stated, beside that of the test split."""

KEY = ["loss", "calibrator", "seed", "target"]
"""What tells operating points apart."""


ENDS = [f"{name}_{end}" for name in ("wrong", "referred") for end in ("lower", "upper")]


def workload_table(
    runs: Sequence[Run],
    points: pd.DataFrame,
    classes: Sequence[str],
    stated: Mapping[str, float],
) -> pd.DataFrame:
    """Return the workload per 1,000 patients at each operating point, of all and of each class.

    The unit is the patient: answered if all of their cases are, wrong if any of these is, and of
    the rarest class among their cases.

    Parameters
    ----------
    runs : sequence of Run
    points : DataFrame
        Rows of the `operating_points_table`.
    classes : sequence of str
        In the order of the columns.
    stated : mapping of str to float
        Shares of the classes where the model is to be used, summing to one; a class left out does
        not occur there. Empty if nobody stated any.

    Returns
    -------
    DataFrame
        Columns loss, calibrator, seed, target, prevalence (``test``, the test patients' own, or
        ``stated``), policy (model, refer_nobody, refer_at_random: as many as the model refers, by
        lot), class (empty for all), patients (test patients of the class), then patients per 1,000
        arriving: arriving, answered, right, wrong, referred, wrong_lower, wrong_upper,
        referred_lower, referred_upper (95 %: exact, of all at a stated prevalence conservative;
        empty of the comparisons, and without a threshold, where nothing is left to chance).

    Raises
    ------
    InputError
        If the stated shares are no shares of these classes, or a class that is said to occur has no
        test patient.
    """
    tests = {(run.loss, run.seed): run.test for run in runs}
    prevalences: dict[str, Float[np.ndarray, "classes"] | None] = {"test": None}
    if stated:
        prevalences[STATED] = stated_shares(stated, classes)
    rows: list[dict[str, Any]] = []
    for point in points.to_dict("records"):
        key = {name: point[name] for name in KEY}
        test = tests[point["loss"], point["seed"]]
        counts = _counts(test, point["calibrator"], point["threshold"], len(classes))
        for name, shares in prevalences.items():
            found = workload(counts, level=LEVEL, prevalence=shares)
            rows += [key | {"prevalence": name} | row for row in _rows(found, counts, classes)]
    table = pd.DataFrame(rows)
    without = points[points["threshold"].isna()]
    fixed = table.set_index(KEY).index.isin(without.set_index(KEY).index)
    return table.assign(**{name: table[name].mask(fixed) for name in ENDS})


def stated_shares(
    stated: Mapping[str, float], classes: Sequence[str]
) -> Float[np.ndarray, "classes"]:
    """Return the share of each class, 0 of those left out.

    >>> stated_shares({"ill": 0.25, "well": 0.75}, ["well", "ill", "other"])
    array([0.75, 0.25, 0.  ])
    """
    if strangers := sorted(set(stated) - set(classes)):
        message = (
            f"the stated prevalence must be of the classes {', '.join(classes)}, "
            f"got {', '.join(strangers)}"
        )
        raise InputError(message)
    return np.array([stated.get(name, 0.0) for name in classes], dtype=np.float64)


def _counts(test: Applied, calibrator: str, threshold: float, num_classes: int) -> AnswerCounts:
    units = test.units(calibrator)
    labels = rarest_labels(test.predictions.labels, test.predictions.patients)
    # Nothing reaches a threshold that is not there: NaN compares false.
    answered, wrong = units.confidence >= threshold, units.losses > 0

    def count(chosen: np.ndarray) -> np.ndarray:
        return np.bincount(labels[chosen], minlength=num_classes)

    return AnswerCounts(
        cases=count(np.ones_like(answered)),
        answered=count(answered),
        wrong=count(answered & wrong),
        wrong_if_all_answered=count(wrong),
    )


def _rows(
    found: Sequence[WorkloadRow], counts: AnswerCounts, classes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for row in found:
        patients = counts.cases.sum() if row.label is None else counts.cases[row.label]
        yield {
            "policy": POLICIES[row.policy],
            "class": "" if row.label is None else classes[row.label],
            "patients": int(patients),
            "arriving": row.arriving,
            "answered": row.answered,
            "right": row.right,
            "wrong": row.wrong,
            "referred": row.referred,
            **_ends("wrong", row.wrong_interval),
            **_ends("referred", row.referred_interval),
        }


def _ends(name: str, interval: Interval | None) -> dict[str, float | None]:
    return {f"{name}_{end}": getattr(interval, end, None) for end in ("lower", "upper")}


PREVALENCES = {"test": "as tested", "stated": "as stated"}

POLICY_LABELS = {
    "model": "the model",
    "refer_nobody": "refer nobody",
    "refer_at_random": "refer as many at random",
}


def shown_workload(scores: Scores) -> Table:
    """Return the workload of the model on the first screen."""
    rows, target = scores.shown("workload"), scores.record["headline_target"]
    return rendered(
        "per_thousand",
        "What becomes of 1,000 patients arriving, with 95% intervals for the model: "
        f"{scores.model}, at the "
        f"threshold for a target of {target_text(target)}. {_stated_sentence(scores, rows)}",
        WORKLOAD.only(
            "prevalence", "policy", "class", "patients", "arriving", "answered", "wrong", "referred"
        ),
        rows.astype({"patients": "Int64"}),
    )


def _stated_sentence(scores: Scores, rows: pd.DataFrame) -> str:
    if "stated" not in set(rows["prevalence"]):
        return "Classes come as often as among the test patients: no other prevalence was stated."
    stated = scores.record["prevalence"]
    words = ", ".join(f"{name} {100 * share:.3g}%" for name, share in stated.items())
    return (
        f"As stated: {words}. This assumes that a site sees its classes this often, and that each "
        "looks as it does here."
    )


WORKLOAD = TableSpec(
    name="workload",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        TARGET,
        text(
            "prevalence",
            "Classes",
            key=True,
            write=lambda row: PREVALENCES[row["prevalence"]],
        ),
        text("policy", "Policy", key=True, write=lambda row: POLICY_LABELS[row["policy"]]),
        text(
            "class",
            "Patients",
            unit="of 1,000",
            key=True,
            write=lambda row: row["class"] or "all",
        ),
        count("patients", "Test patients", disclosure="count"),
        number("arriving", "Arriving", digits=0, disclosure="rate"),
        number("answered", "Answered", digits=0, disclosure="rate"),
        number("right", disclosure="rate"),
        number("wrong", "Wrong among them", ends=("wrong_lower", "wrong_upper"), disclosure="rate"),
        number(
            "referred",
            "Referred",
            digits=0,
            ends=("referred_lower", "referred_upper"),
            disclosure="rate",
        ),
        number("wrong_lower", disclosure="rate"),
        number("wrong_upper", disclosure="rate"),
        number("referred_lower", disclosure="rate"),
        number("referred_upper", disclosure="rate"),
    ),
    compute=lambda experiment: workload_table(
        experiment.first_seeds,
        experiment.points_at_target,
        experiment.classes,
        experiment.row.prevalence,
    ),
    disclose=by_class,
    section="answered",
    show=lambda scores: [shown_workload(scores)],
)

"""Of 1,000 patients arriving: answered, referred and read wrongly, at each prevalence known."""

from __future__ import annotations

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.wording import MASKED, missing, target_text

PREVALENCES = {"test": "as tested", "stated": "as stated"}
POLICIES = {
    "model": "the model",
    "refer_nobody": "refer nobody",
    "refer_at_random": "refer as many by lot",
}


def per_thousand_table(scores: Scores) -> Table | None:
    """Return the workload of the model on the first screen; None where it was not computed."""
    if scores.frame("workload").empty:
        return None
    target = scores.record["headline_target"]
    rows = scores.shown("workload")
    headline = scores.headline
    return Table(
        name="per_thousand",
        caption="Of 1,000 patients arriving, with 95% intervals of the model's: "
        f"{headline['loss']} with {headline['calibrator']}, seed {headline['seed']}, at the "
        f"threshold for a target of {target_text(target)}. {_stated_sentence(scores, rows)} "
        f"No rate of a class with fewer than {RATE_FROM} test patients; {MASKED} masked: fewer "
        f"than {MASK_BELOW}, or shown they would give such a class away.",
        columns=(
            Heading("Classes", numeric=False),
            Heading("Policy", numeric=False),
            Heading("Patients", "of 1,000", numeric=False),
            Heading("Test patients"),
            Heading("Arriving"),
            Heading("Answered"),
            Heading("Wrong among them"),
            Heading("Referred"),
        ),
        rows=tuple(_cells(row) for _, row in rows.iterrows()),
        frame=rows.astype({"patients": "Int64"}),
        headings=3,
    )


def _stated_sentence(scores: Scores, rows: pd.DataFrame) -> str:
    if "stated" not in set(rows["prevalence"]):
        return "Classes come as often as among the test patients: no other prevalence was stated."
    stated = scores.record["prevalence"]
    words = ", ".join(f"{name} {100 * share:.3g}%" for name, share in stated.items())
    return (
        f"As stated: {words}; that a site sees its classes so often and each looks as it does here "
        "is assumed."
    )


def _cells(row: pd.Series) -> tuple[Cell, ...]:
    names = (
        Cell(PREVALENCES[row["prevalence"]]),
        Cell(POLICIES[row["policy"]]),
        Cell(row["class"] or "all"),
    )
    if missing(row["patients"]):
        return (*names, *(Cell(MASKED),) * 5)
    patients = Cell(f"{row['patients']:,.0f}")
    if missing(row["arriving"]):
        return (*names, patients, *(Cell("–"),) * 4)
    return (
        *names,
        patients,
        Cell(f"{row['arriving']:.0f}"),
        Cell(f"{row['answered']:.0f}"),
        Cell(f"{row['wrong']:.1f}", _ends(row, "wrong")),
        Cell(f"{row['referred']:.0f}", _ends(row, "referred")),
    )


def _ends(row: pd.Series, name: str) -> str:
    lower, upper = row[f"{name}_lower"], row[f"{name}_upper"]
    return "" if missing(lower) else f"{lower:.1f}–{upper:.1f}"

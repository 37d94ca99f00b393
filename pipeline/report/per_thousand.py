"""Of 1,000 patients arriving: answered, referred and read wrongly, at each prevalence known."""

from __future__ import annotations

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM, visibilities
from pipeline.report.scores import Scores, pick
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import MASKED, missing

PREVALENCES = {"test": "as tested", "stated": "as stated"}
POLICIES = {
    "model": "the model",
    "refer_nobody": "refer nobody",
    "refer_at_random": "refer as many by lot",
}
NUMBERS = ["arriving", "answered", "wrong", "referred"]
ENDS = ["wrong_lower", "wrong_upper", "referred_lower", "referred_upper"]


def per_thousand_table(scores: Scores) -> Table | None:
    """Return the workload of the model on the first screen; None where it was not computed."""
    if scores.workload is None:
        return None
    rows = pick(scores.workload, **scores.headline)
    of_classes = rows[rows["class"] != ""]
    # A class is as rare under each policy and prevalence.
    patients = of_classes.groupby("class", sort=False)["patients"].first()
    shown = visibilities({str(name): int(count) for name, count in patients.items()})
    hidden = rows["class"].map(shown).fillna("full")
    public = rows.assign(
        **{name: rows[name].mask(hidden != "full") for name in ["right", *NUMBERS, *ENDS]},
        patients=rows["patients"].mask(hidden == "masked"),
    )
    headline = scores.headline
    return Table(
        name="per_thousand",
        caption="Of 1,000 patients arriving, with 95% intervals of the model's: "
        f"{headline['loss']} with {headline['calibrator']}, seed {headline['seed']}, at its "
        f"approved threshold. {_stated_sentence(rows)} No number of a class with fewer than "
        f"{RATE_FROM} test patients; {MASKED} below {MASK_BELOW}.",
        columns=(
            Column("Classes", numeric=False),
            Column("Policy", numeric=False),
            Column("Patients", "of 1,000", numeric=False),
            Column("Test patients"),
            Column("Arriving"),
            Column("Answered"),
            Column("Wrong among them"),
            Column("Referred"),
        ),
        rows=tuple(
            _cells(row, visibility)
            for (_, row), visibility in zip(public.iterrows(), hidden, strict=True)
        ),
        frame=public,
        headings=3,
    )


def _stated_sentence(rows: pd.DataFrame) -> str:
    if "stated" not in set(rows["prevalence"]):
        return "Classes come as often as among the test patients: no other prevalence was stated."
    shares = pick(rows, prevalence="stated", policy="model")
    shares = shares[shares["class"] != ""]
    words = ", ".join(
        f"{name} {arriving / 10:.3g}%"
        for name, arriving in zip(shares["class"], shares["arriving"], strict=True)
    )
    return (
        f"As stated: {words}; that a site sees its classes so often and each looks as it does here "
        "is assumed."
    )


def _cells(row: pd.Series, visibility: str) -> tuple[Cell, ...]:
    names = (
        Cell(PREVALENCES[row["prevalence"]]),
        Cell(POLICIES[row["policy"]]),
        Cell(row["class"] or "all"),
    )
    if visibility == "masked":
        return (*names, *(Cell(MASKED),) * 5)
    patients = Cell(f"{row['patients']:,.0f}")
    if visibility == "counts":
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

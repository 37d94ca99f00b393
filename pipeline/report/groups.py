"""Groups of patients: who is referred more, and who is answered wrongly more."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.report.scores import Scores
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import MASKED, interval, missing, percent, signed, target_text

QUANTITIES = ("referred", "wrong")


def group_rows(groups: pd.DataFrame) -> Iterator[tuple[str, str, pd.Series, pd.Series]]:
    """Yield column, group, and its rows of what is referred and of what is answered wrongly."""
    indexed = {
        quantity: rows.set_index(["column", "group"])
        for quantity, rows in groups.groupby("quantity")
    }
    referred, wrong = (indexed[quantity] for quantity in QUANTITIES)
    for column, group in referred.index:
        yield column, group, referred.loc[(column, group)], wrong.loc[(column, group)]


def groups_table(scores: Scores, groups: pd.DataFrame) -> Table:
    """Return one row a group, with the difference from all others where there are enough."""
    rows = [
        (
            Cell(column.replace("_", " ")),
            Cell(group),
            *_share_cells(referred),
            *_share_cells(wrong),
        )
        for column, group, referred, wrong in group_rows(groups)
    ]
    return Table(
        name="groups",
        caption=f"Groups at the target of {target_text(scores.record['headline_target'])}: one "
        "threshold for all. Exact 95% intervals; those of the differences hold for all groups of a "
        f"kind at once. {MASKED} masked: fewer than {MASK_BELOW} patients, or shown they would "
        f"give such a group away; below {RATE_FROM}, counts alone.",
        columns=(
            Column("By", numeric=False),
            Column("Group", numeric=False),
            Column("Referred", "of the group's patients"),
            Column("Difference", "points, from the others"),
            Column("Wrong", "of those answered"),
            Column("Difference", "points, from the others"),
        ),
        rows=tuple(rows),
        frame=groups,
        headings=2,
    )


def _share_cells(row: pd.Series) -> tuple[Cell, Cell]:
    if row["visibility"] == "masked":
        return Cell(MASKED), Cell("–")
    counts = f"{row['num_marked']:,.0f} of {row['num_patients']:,.0f}"
    span = interval(row["lower"], row["upper"])
    rate = "" if missing(row["share"]) else f"{percent(row['share'])} "
    share = Cell(counts, f"{rate}({span})")
    if missing(row["difference"]):
        return share, Cell("–")
    ends = f"{signed(100 * row['difference_lower'])} to {signed(100 * row['difference_upper'])}"
    return share, Cell(signed(100 * row["difference"]), ends)


def groups_sentence(groups: pd.DataFrame) -> str:
    """Say how many groups were looked at, and how many were too small to tell."""
    wrong = groups[groups["quantity"] == "wrong"]
    small = (wrong["visibility"] != "full").sum()
    apart = wrong[(wrong["difference_lower"] > 0) | (wrong["difference_upper"] < 0)]["group"]
    found = (
        f"Errors differ from the others' in {', '.join(apart)}."
        if len(apart)
        else "No group's errors differ from the others' by more than chance may do; that shows no "
        "equality."
    )
    return f"{len(wrong)} groups examined; {small} too small. {found}"

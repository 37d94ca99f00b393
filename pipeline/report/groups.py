"""Groups of patients: who is referred more, and who is answered wrongly more."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.report.scores import Scores, pick
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import (
    MASKED,
    counted,
    interval,
    missing,
    percent,
    signed,
    target_text,
)

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
        "threshold for all. Exact 95% intervals; those of the differences hold at once for all "
        f"groups of a kind that have one. {MASKED} masked: fewer than {MASK_BELOW} patients, or "
        f"shown they would give such a group away; below {RATE_FROM}, counts alone.",
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


def groups_place(scores: Scores) -> str:
    """Say where on the page groups stand: where nobody is answered they have no figure."""
    target = scores.record["headline_target"]
    point = pick(scores.operating_points, **scores.headline, target=target).iloc[0]
    return "Groups of patients" if point["answered"] else "Scores of every group and class"


def groups_sentence(groups: pd.DataFrame) -> str:
    """Say how many groups were looked at, how many could be compared, and which errors differ.

    `groups` are the rows of one model and target.
    """
    sizes, wrong = (groups[groups["quantity"] == each] for each in QUANTITIES)
    small = int((sizes["visibility"] != "full").sum())
    judged = wrong[wrong["difference"].notna()]
    few = len(sizes) - small - len(judged)
    of_few = f", {few} with too few answered" if few else ""
    examined = f"{counted(len(sizes), 'groups')} examined; {small} too small or masked{of_few}."
    return f"{examined} {_errors_sentence(judged)}"


def _errors_sentence(judged: pd.DataFrame) -> str:
    if judged.empty:
        return "No group's errors could be compared with the others'."
    apart = judged[(judged["difference_lower"] > 0) | (judged["difference_upper"] < 0)]
    if len(apart):
        named = ", ".join(
            f"{row['column'].replace('_', ' ')} {row['group']}" for _, row in apart.iterrows()
        )
        return f"Errors differ from the others' in {named}."
    among = f"none of the {len(judged)} groups" if len(judged) > 1 else "not in the one group"
    return (
        f"Errors differ from the others' in {among} compared by more than chance may do; that "
        "shows no equality."
    )

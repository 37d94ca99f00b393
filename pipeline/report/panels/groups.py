"""Panel of the groups of patients."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW
from pipeline.plots import ForestPanel, ForestRow, forest_figure
from pipeline.report.panels.panel import Panel, make_panel
from pipeline.tables.groups import (
    QUANTITIES,
    group_rows,
    groups_sentence,
    referred_groups_sentence,
    shown_groups,
)
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.wording import missing

MASKED_NOTE = f"masked: below {MASK_BELOW}, or would give such a group away"
LABELS = {
    "referred": "referred, % of the group's patients",
    "wrong": "wrong, % of the group's answered",
}


def groups_panel(scores: Scores) -> Panel | None:
    """Return the groups at the headline's threshold; None without groups or answers."""
    if scores.frame("groups").empty:
        return None
    groups = scores.shown("groups")
    if groups.empty:
        return None
    point = scores.point
    if not point["answered"]:
        return None
    everyone = {"referred": point["referred"] / point["num_test"], "wrong": point["risk"]}
    panels = [
        ForestPanel(
            LABELS[quantity],
            _forest_rows(groups, place),
            None if missing(everyone[quantity]) else everyone[quantity],
        )
        for place, quantity in enumerate(QUANTITIES)
    ]
    sentence = f"{groups_sentence(groups)} {referred_groups_sentence(groups)}"
    panel = make_panel(scores, "groups", "Groups of patients", sentence, forest_figure(panels))
    return replace(panel, table=shown_groups(scores, groups), wide=True)


def _forest_rows(groups: pd.DataFrame, place: int) -> list[ForestRow]:
    rows = []
    for column, group, *quantities in group_rows(groups):
        row = quantities[place]
        label = f"{column.replace('_', ' ')}: {group}"
        if row["visibility"] == "masked":
            rows.append(ForestRow(label, None, None, None, MASKED_NOTE))
            continue
        share = None if missing(row["share"]) else float(row["share"])
        name = f"{label} (n = {row['num_patients']:,.0f})"
        rows.append(ForestRow(name, share, float(row["lower"]), float(row["upper"])))
    return rows

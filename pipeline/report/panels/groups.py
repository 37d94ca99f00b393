"""Panel of the groups of patients."""

from __future__ import annotations

from pipeline.figures import forest_figure
from pipeline.report.panels.panel import Panel, make_panel
from pipeline.tables.groups import groups_sentence, referred_groups_sentence, shown_groups
from pipeline.tables.parts.scores import Scores

LABELS = {
    "referred": "referred, % of the group's patients",
    "wrong": "wrong, % of the group's answered",
}


def groups_panel(scores: Scores) -> Panel | None:
    """Return the groups at the headline's threshold; None without groups or answers."""
    groups, point = scores.shown("groups"), scores.point
    if groups.empty or not point["answered"]:
        return None
    everyone = {"referred": point["referred"] / point["num_test"], "wrong": point["risk"]}
    figure = forest_figure(groups, labels=LABELS, everyone=everyone)
    sentence = f"{groups_sentence(groups)} {referred_groups_sentence(groups)}"
    table = shown_groups(scores, groups)
    return make_panel(
        scores, "groups", "Groups of patients", sentence, figure, table=table, wide=True
    )

"""Panels of what deciding costs: in referrals, and as net benefit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from operator import itemgetter

import pandas as pd

from pipeline.figures import costs_figure, net_benefit_figure
from pipeline.report.panels.panel import Panel, before_and_after, make_panel
from pipeline.tables.parts.classes import class_visibilities
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.wording import percent

POLICIES = {
    "refer_all": "refer all",
    "answer_all": "answer all",
    "refer_at_random": "refer as many at random",
    "model": "this model",
    "act_on_all": "act on all",
    "act_on_none": "act on none",
}
PREFERENCES_SHOWN = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Fixed before any result was seen."""


def costs_panel(scores: Scores) -> Panel | None:
    """Return each policy's cost over the weight of an error; None without costs or answers."""
    rows = scores.shown("costs")
    if rows.empty or not scores.point["answered"]:
        return None
    figure = costs_figure(rows, names=POLICIES, unit=scores.unit)
    title, sentence = "What errors and referrals cost", cheapest_sentence(rows)
    return make_panel(scores, "costs", title, sentence, figure, table=_costs_table(rows))


def cheapest_sentence(rows: pd.DataFrame) -> str:
    """Say which policy costs least over which weights; `rows` are of one threshold."""
    costs = rows.assign(worth=-rows["cost"])
    spans = best_policies(costs, "weight", POLICIES, "{:g}".format)
    return (
        f"With one wrong answer as bad as so many referrals, what costs least is: {spans}. "
        "The weights were fixed beforehand, by this project and not by a "
        "clinic; bands are 95% patient bootstraps."
    )


def best_policies(
    rows: pd.DataFrame, by: str, names: Mapping[str, str], write: Callable[[float], str]
) -> str:
    """Say which policy has the highest ``worth`` over which spans of a column.

    Of policies that are worth the same, the first of `names` is said; `write` writes the ends.
    """
    # Sums in another order may differ in their last digit.
    ranked = rows.assign(worth=rows["worth"].round(9), order=rows["policy"].map([*names].index))
    best = ranked.sort_values([by, "worth", "order"], ascending=[True, False, True])
    first = best.drop_duplicates(by)
    spans = []
    for policy, run in groupby(zip(first["policy"], first[by], strict=True), itemgetter(0)):
        places = [at for _, at in run]
        ends = " to ".join(write(end) for end in dict.fromkeys([places[0], places[-1]]))
        spans.append(f"at {ends}, {names[policy]}")
    return "; ".join(spans)


def _costs_table(rows: pd.DataFrame) -> Table:
    weights = sorted(rows["weight"].unique())
    cells = []
    for policy, group in rows.groupby("policy", sort=False):
        costs = group.set_index("weight")["cost"]
        shown = (Cell(f"{costs[weight]:,.0f}") for weight in weights)
        cells.append((Cell(POLICIES[str(policy)]), *shown))
    return Table(
        name="costs",
        caption="Cost per 1,000 arriving, in referrals, by how many referrals one wrong answer is "
        "worth.",
        columns=(Heading("Policy", numeric=False), *(Heading(f"{weight:g}") for weight in weights)),
        rows=tuple(cells),
        frame=rows,
    )


def net_benefit_panels(scores: Scores) -> list[Panel]:
    """Return the net benefit of acting on each critical class, before and after calibration."""
    return [
        _net_benefit_panel(scores, number, name, rows)
        for number, (name, rows) in rows_by_class(scores, "net_benefit").items()
    ]


def rows_by_class(scores: Scores, table: str) -> dict[int, tuple[str, pd.DataFrame]]:
    """Return name and rows of each class by its number, without masked classes.

    Rows are of the loss and seed shown, and of policies in which no model has a part.
    """
    benefit = scores.shown(table, every=["loss", "calibrator"])
    if benefit.empty:
        return {}
    own = benefit[benefit["loss"].isin([scores.headline["loss"], ""])]
    # Acting on all is worth the class's share, so that a masked class has no curve.
    shown = class_visibilities(scores)
    return {
        number: (str(name), rows)
        for number, (name, rows) in enumerate(own.groupby("class", sort=False))
        if shown[str(name)] != "masked"
    }


def _net_benefit_panel(scores: Scores, number: int, name: str, rows: pd.DataFrame) -> Panel:
    loss = scores.record["headline_loss"]
    models = {
        f"{loss}, {calibrator}": pick(rows, policy="model", calibrator=calibrator)
        for calibrator in before_and_after(scores)
    }
    references = {
        POLICIES[str(policy)]: group
        for policy, group in rows[rows["policy"] != "model"].groupby("policy", sort=False)
    }
    sentence = (
        f"Acting on {name} when its probability is at least the preference. Above both grey lines "
        "the model is worth using; bands are 95% patient bootstraps. Nothing is referred here."
    )
    curves = models | references
    series = {label: place for place, label in enumerate(models)}
    figure = net_benefit_figure(curves, series=series, positive=name, unit=scores.unit)
    key, title = f"net_benefit_{number}", f"Net benefit: {name}"
    table = net_benefit_table(key, name, rows, curves)
    return make_panel(scores, key, title, sentence, figure, table=table)


def net_benefit_table(
    key: str, name: str, rows: pd.DataFrame, curves: Mapping[str, pd.DataFrame]
) -> Table:
    """Return the curves of acting on one class at a few preferences; `rows` are all of theirs."""
    grid = next(iter(curves.values()))["threshold_probability"]
    places = [int((grid - each).abs().argmin()) for each in PREFERENCES_SHOWN]
    cells = []
    for label, curve in curves.items():
        values = 1000 * curve["net_benefit"].iloc[places]
        cells.append((Cell(label), *(Cell(f"{each:.0f}".replace("-", "−")) for each in values)))
    return Table(
        name=key,
        caption=f"Net benefit of acting on {name}, per 1,000 arriving, by the preference: the "
        "probability from which on acting is worth it. The CSV holds all of them with intervals.",
        columns=(
            Heading("Policy", numeric=False),
            *(Heading(percent(each)) for each in grid.iloc[places]),
        ),
        rows=tuple(cells),
        frame=rows,
    )

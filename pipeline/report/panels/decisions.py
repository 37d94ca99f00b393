"""Panels of what deciding costs: in referrals, and as net benefit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from operator import itemgetter

import pandas as pd

from pipeline.figures import costs_figure, net_benefit_figure
from pipeline.method_names import titled
from pipeline.report.panels.panel import Panel, make_panel
from pipeline.tables.costs import POLICIES as COST_POLICIES
from pipeline.tables.costs import shown_costs
from pipeline.tables.net_benefit import shown_net_benefit
from pipeline.tables.parts.classes import class_visibilities
from pipeline.tables.parts.scores import Scores, pick

POLICIES = {
    "model": "this model",
    "act_on_all": "act on all",
    "act_on_none": "act on none",
}


def costs_panel(scores: Scores) -> Panel | None:
    """Return each policy's cost over the weight of an error; None without costs or answers."""
    rows = scores.shown("costs")
    if rows.empty or not scores.point["answered"]:
        return None
    figure = costs_figure(rows, names=COST_POLICIES, unit=scores.unit)
    title, sentence = "What errors and referrals cost", cheapest_sentence(rows)
    return make_panel(scores, "costs", title, sentence, figure, table=shown_costs(rows))


def cheapest_sentence(rows: pd.DataFrame) -> str:
    """Say which policy costs least over which weights; `rows` are of one threshold."""
    costs = rows.assign(worth=-rows["cost"])
    spans = best_policies(costs, "weight", COST_POLICIES, "{:g}".format)
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
    models = {
        titled(calibrator): pick(rows, policy="model", calibrator=calibrator)
        for calibrator in scores.before_and_after
    }
    references = {
        POLICIES[str(policy)]: group
        for policy, group in rows[rows["policy"] != "model"].groupby("policy", sort=False)
    }
    sentence = (
        f"Acting on {name} when its probability is at least the preference. Above both grey lines "
        "the model is worth using; bands are 95% patient bootstraps. Nothing is referred here. "
        f"Model: {scores.loss}, seed {scores.headline['seed']}."
    )
    curves = models | references
    series = {label: place for place, label in enumerate(models)}
    figure = net_benefit_figure(curves, series=series, positive=name, unit=scores.unit)
    key, title = f"net_benefit_{number}", f"Net benefit: {name}"
    table = shown_net_benefit(key, name, curves, behind=rows)
    return make_panel(scores, key, title, sentence, figure, table=table)

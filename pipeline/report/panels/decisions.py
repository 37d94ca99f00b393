"""Panels of what deciding costs: in referrals, and as net benefit."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import numpy as np
import pandas as pd

from pipeline.plots import DecisionCurve, costs_figure, net_benefit_figure
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
    if scores.frame("costs").empty:
        return None
    rows = scores.shown("costs")
    point = scores.point
    if rows.empty or not point["answered"]:
        return None
    curves = [
        decision_curve(
            group, POLICIES[str(policy)], 0 if policy == "model" else None, "weight", "cost"
        )
        for policy, group in rows.groupby("policy", sort=False)
    ]
    figure = costs_figure(curves, unit=scores.unit)
    title = "What errors and referrals cost"
    panel = make_panel(scores, "costs", title, cheapest_sentence(rows), figure)
    return replace(panel, table=_costs_table(rows))


def cheapest_sentence(rows: pd.DataFrame) -> str:
    """Say which policy costs least over which weights; `rows` are of one threshold."""
    simplest_first = rows.assign(order=rows["policy"].map(list(POLICIES).index))
    ordered = simplest_first.sort_values(["weight", "cost", "order"])
    cheapest = ordered.groupby("weight", as_index=False).first()
    pairs = zip(cheapest["weight"], cheapest["policy"], strict=True)
    spans = []
    for policy, run in groupby(pairs, key=lambda pair: pair[1]):
        weights = [weight for weight, _ in run]
        ends = f"{weights[0]:g}" if len(weights) == 1 else f"{weights[0]:g} to {weights[-1]:g}"
        spans.append(f"at {ends}, {POLICIES[str(policy)]}")
    return (
        "With one wrong answer as bad as so many referrals, what costs least is: "
        f"{'; '.join(spans)}. The weights were fixed beforehand, by this project and not by a "
        "clinic; bands are 95% patient bootstraps."
    )


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
    if scores.frame("net_benefit").empty:
        return []
    # Acting on all is worth the class's share, so that a masked class has no curve.
    shown = class_visibilities(scores)
    own = of_the_model(scores, scores.frame("net_benefit"))
    return [
        _net_benefit_panel(scores, number, str(name), rows)
        for number, (name, rows) in enumerate(own.groupby("class", sort=False))
        if shown[str(name)] != "masked"
    ]


def of_the_model(scores: Scores, benefit: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the loss and seed shown, and of policies in which no model has a part."""
    own = benefit["loss"].isin([scores.headline["loss"], ""])
    return benefit[own & (benefit["seed"] == scores.headline["seed"])]


def _net_benefit_panel(scores: Scores, number: int, name: str, rows: pd.DataFrame) -> Panel:
    loss = scores.record["headline_loss"]
    model = pick(rows, policy="model", loss=loss)
    axes = ("threshold_probability", "net_benefit")
    curves = [
        decision_curve(pick(model, calibrator=calibrator), f"{loss}, {calibrator}", series, *axes)
        for series, calibrator in enumerate(before_and_after(scores))
    ]
    curves += [
        decision_curve(group, POLICIES[str(policy)], None, *axes)
        for policy, group in rows[rows["policy"] != "model"].groupby("policy", sort=False)
    ]
    sentence = (
        f"Acting on {name} when its probability is at least the preference. Above both grey lines "
        "the model is worth using; bands are 95% patient bootstraps. Nothing is referred here."
    )
    figure = net_benefit_figure(curves, positive=name, unit=scores.unit)
    key = f"net_benefit_{number}"
    panel = make_panel(scores, key, f"Net benefit: {name}", sentence, figure)
    return replace(panel, table=net_benefit_table(key, name, rows, curves))


def net_benefit_table(
    key: str, name: str, rows: pd.DataFrame, curves: list[DecisionCurve]
) -> Table:
    """Return the curves of acting on one class at a few preferences; `rows` are all of theirs."""
    grid = curves[0].grid
    places = [int(np.abs(grid - each).argmin()) for each in PREFERENCES_SHOWN]
    cells = [
        (
            Cell(curve.label),
            *(Cell(f"{1000 * curve.value[place]:.0f}".replace("-", "−")) for place in places),
        )
        for curve in curves
    ]
    return Table(
        name=key,
        caption=f"Net benefit of acting on {name}, per 1,000 arriving, by the preference: the "
        "probability from which on acting is worth it. The CSV holds all of them with intervals.",
        columns=(
            Heading("Policy", numeric=False),
            *(Heading(percent(grid[place])) for place in places),
        ),
        rows=tuple(cells),
        frame=rows,
    )


def decision_curve(
    rows: pd.DataFrame, label: str, series: int | None, grid: str, value: str
) -> DecisionCurve:
    """Return one policy's rows as a curve: column `value`, with its limits, over column `grid`."""
    arrays = (rows[name].to_numpy(float) for name in (grid, value, "lower", "upper"))
    return DecisionCurve(label, series, *arrays)

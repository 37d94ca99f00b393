"""Panels of net benefit where a model may refer: what abstaining brings, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import pandas as pd

from pipeline.plots import DecisionCurve, net_benefit_figure
from pipeline.report.panels.decisions import decision_curve, net_benefit_table, of_the_model
from pipeline.report.panels.panel import Panel, before_and_after, make_panel
from pipeline.tables.parts.classes import class_rows, class_visibilities
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.wording import counted, percent

POLICIES = {
    "act_on_none": "act on none",
    "act_on_all": "act on all",
    "refer_all": "refer all",
    "refer_at_random": "refer as many at random",
    "model": "answer all",
    "model_with_referral": "answer or refer",
}
"""The simplest first: of policies that are worth the same, the simplest is named."""

READING = (
    "Who is referred meets a reader without fault, and 50 referrals cost as much as one case "
    "found: both assumed, readers were not studied."
)


def referral_benefit_panels(scores: Scores) -> list[Panel]:
    """Return the net benefit of abstaining, one panel a critical class that is not masked.

    None where nobody is answered: referring all is then all there is.
    """
    point = scores.point
    if scores.frame("referral_benefit").empty or not point["answered"]:
        return []
    shown = class_visibilities(scores)
    own = of_the_model(scores, scores.frame("referral_benefit"))
    return [
        _panel(scores, number, str(name), rows, point)
        for number, (name, rows) in enumerate(own.groupby("class", sort=False))
        if shown[str(name)] != "masked"
    ]


def _panel(scores: Scores, number: int, name: str, rows: pd.DataFrame, point: pd.Series) -> Panel:
    pair = {key: scores.headline[key] for key in ("loss", "calibrator")}
    own = pd.concat([_answering_all(scores, name), pick(rows, **pair), pick(rows, loss="")])
    first = len(before_and_after(scores)) - 1
    series = {"model": first, "model_with_referral": first + 1}
    present = [policy for policy in reversed(POLICIES) if (own["policy"] == policy).any()]
    curves = [_curve(own, policy, series.get(policy)) for policy in present]
    figure = net_benefit_figure(curves, positive=name, unit=scores.unit)
    sentence = (
        f"{_counts(scores, name, point)} {best_sentence(own)} {READING} Bands are 95% patient "
        f"bootstraps; {pair['loss']} with {pair['calibrator']}, at its approved threshold."
    )
    title = f"Net benefit with referral: {name}"
    key = f"referral_benefit_{number}"
    panel = make_panel(scores, key, title, sentence, figure)
    return replace(panel, table=net_benefit_table(key, name, own, curves))


def _answering_all(scores: Scores, name: str) -> pd.DataFrame:
    """Return the same model's net benefit where it refers nobody."""
    return pick(scores.shown("net_benefit"), policy="model", **{"class": name})


def _curve(rows: pd.DataFrame, policy: str, series: int | None) -> DecisionCurve:
    grid, value = "threshold_probability", "net_benefit"
    return decision_curve(pick(rows, policy=policy), POLICIES[policy], series, grid, value)


def _counts(scores: Scores, name: str, point: pd.Series) -> str:
    cases = pick(class_rows(scores), **{"class": name})["cases"].iloc[0]
    return (
        f"Acting on {name}, which {cases:,} of {counted(point['num_test'], f'test {scores.unit}')} "
        f"{'has' if cases == 1 else 'have'}; {point['referred']:,} "
        f"{'is' if point['referred'] == 1 else 'are'} referred."
    )


def best_sentence(rows: pd.DataFrame) -> str:
    """Say which policy has the most net benefit at which preferences; `rows` of one model.

    Of policies that are worth the same the simplest is named.
    """
    order = list(POLICIES)
    simplest_first = rows.assign(order=rows["policy"].map(order.index))
    # Sums in another order may differ in their last digit.
    simplest_first["net_benefit"] = simplest_first["net_benefit"].round(9)
    ordered = simplest_first.sort_values(
        ["threshold_probability", "net_benefit", "order"], ascending=[True, False, True]
    )
    best = ordered.groupby("threshold_probability", as_index=False).first()
    pairs = zip(best["threshold_probability"], best["policy"], strict=True)
    spans = []
    for policy, run in groupby(pairs, key=lambda pair: pair[1]):
        places = [at for at, _ in run]
        words = " to ".join(percent(end, 0) for end in dict.fromkeys([places[0], places[-1]]))
        spans.append(f"at {words}, {POLICIES[str(policy)]}")
    return f"Most benefit by preference, differences by chance included: {'; '.join(spans)}."

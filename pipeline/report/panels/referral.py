"""Panels of net benefit where a model may refer: what abstaining brings, and what it costs."""

from __future__ import annotations

from functools import partial

import pandas as pd

from pipeline.figures import net_benefit_figure
from pipeline.report.panels.decisions import best_policies, rows_by_class
from pipeline.report.panels.panel import Panel, make_panel
from pipeline.tables.net_benefit import shown_net_benefit
from pipeline.tables.parts.classes import class_rows
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
    if not scores.point["answered"]:
        return []
    return [
        _panel(scores, number, name, rows)
        for number, (name, rows) in rows_by_class(scores, "referral_benefit").items()
    ]


def _panel(scores: Scores, number: int, name: str, rows: pd.DataFrame) -> Panel:
    pair = {key: scores.headline[key] for key in ("loss", "calibrator")}
    # The same model where it refers nobody.
    all_answered = pick(scores.shown("net_benefit"), policy="model", **{"class": name})
    own = pd.concat([all_answered, pick(rows, **pair), pick(rows, loss="")])
    present = [policy for policy in reversed(POLICIES) if (own["policy"] == policy).any()]
    curves = {POLICIES[policy]: pick(own, policy=policy) for policy in present}
    first = len(scores.before_and_after) - 1
    series = {POLICIES["model"]: first, POLICIES["model_with_referral"]: first + 1}
    figure = net_benefit_figure(curves, series=series, positive=name, unit=scores.unit)
    sentence = (
        f"{_counts(scores, name)} {best_sentence(own)} {READING} Bands are 95% patient "
        f"bootstraps; {scores.method}, at its approved threshold."
    )
    title = f"Net benefit with referral: {name}"
    key = f"referral_benefit_{number}"
    table = shown_net_benefit(key, name, curves, behind=own)
    return make_panel(scores, key, title, sentence, figure, table=table)


def _counts(scores: Scores, name: str) -> str:
    point = scores.point
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
    benefit = rows.assign(worth=rows["net_benefit"])
    spans = best_policies(benefit, "threshold_probability", POLICIES, partial(percent, digits=0))
    return f"Most benefit by preference, differences by chance included: {spans}."

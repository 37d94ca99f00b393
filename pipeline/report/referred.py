"""Who is referred more than the others: which classes, and which groups of patients."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipeline.metrics.group_shares import RATE_FROM
from pipeline.metrics.intervals import LEVEL, Interval, difference_interval
from pipeline.tables.parts.classes import class_rows, class_visibilities
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.wording import counted, percent, signed


@dataclass(frozen=True)
class _Against:
    """A class's referred and all patients, against those of all other classes."""

    name: str
    own: tuple[int, int]
    others: tuple[int, int]
    interval: Interval

    @property
    def ratio(self) -> float:
        """How many times as often it is referred; infinite where no other is."""
        rates = (self.own[0] / self.own[1], self.others[0] / self.others[1])
        return rates[0] / rates[1] if rates[1] else float("inf")


def referred_classes_sentence(scores: Scores) -> str:
    """Say of critical classes, and of the one referred most, how much oftener they are referred.

    A class speaks only if it and all others together have 30 test patients each; empty where no
    class has, and where nobody is answered or nobody referred.
    """
    against = _classes_against_others(scores)
    if not against:
        return ""
    most = max(against, key=lambda each: each.ratio)
    critical = [each for each in against if each.name in scores.dataset["critical_classes"]]
    said = critical if most in critical else [*critical, most]
    others = "others" if not _some_masked(scores) else "other classes shown"
    words = " ".join(_class_sentence(each, others) for each in said)
    if len(against) == 1:
        return words
    return (
        f"{words} Intervals of these differences hold at once for the {len(against)} classes "
        "compared."
    )


def _some_masked(scores: Scores) -> bool:
    return "masked" in class_visibilities(scores).values()


def _classes_against_others(scores: Scores) -> list[_Against]:
    rows, shown = class_rows(scores).dropna(subset="cases"), class_visibilities(scores)
    totals = (int(rows["referred"].sum()), int(rows["cases"].sum()))
    if not 0 < totals[0] < totals[1]:
        return []
    counts = {row["class"]: (int(row["referred"]), int(row["cases"])) for _, row in rows.iterrows()}
    judged = {
        name: (own, (totals[0] - own[0], totals[1] - own[1]))
        for name, own in counts.items()
        if shown[name] == "full" and totals[1] - own[1] >= RATE_FROM
    }
    level = 1 - (1 - LEVEL) / max(1, len(judged))
    return [
        _Against(name, own, others, difference_interval(own, others, level))
        for name, (own, others) in judged.items()
    ]


def _class_sentence(each: _Against, others: str) -> str:
    rates = (each.own[0] / each.own[1], each.others[0] / each.others[1])
    counts = f"{each.own[0]:,} of {each.own[1]:,}, {percent(rates[0])}"
    if not each.others[0]:
        return f"{each.name} is referred ({counts}), and none of the {others}."
    ends = f"{signed(100 * each.interval.lower)} to {signed(100 * each.interval.upper)}"
    chance = each.interval.lower <= 0 <= each.interval.upper
    return (
        f"{each.name} is referred {each.ratio:.1f} times as often ({counts}, against "
        f"{percent(rates[1])} of all {others}; {signed(100 * (rates[0] - rates[1]))} points, "
        f"95% CI {ends}){', which chance alone may do' if chance else ''}."
    )


def referred_groups_sentence(groups: pd.DataFrame) -> str:
    """Say which groups are referred more than all others of their kind, and which less.

    `groups` are the rows of one model and target.
    """
    rows = groups[(groups["quantity"] == "referred") & groups["difference"].notna()]
    if rows.empty:
        return "No group is large enough to compare how often it is referred."
    sides = {"more": rows["difference_lower"] > 0, "less": rows["difference_upper"] < 0}
    parts = []
    for word, apart in sides.items():
        named = "; ".join(_group_words(row) for _, row in rows[apart].iterrows())
        parts += [f"Referred {word} than the others: {named}."] if named else []
    return " ".join(parts) or (
        f"Of {counted(len(rows), 'groups')} compared none is referred more or less than the others "
        "by more than chance may do."
    )


def _group_words(row: pd.Series) -> str:
    ends = f"{signed(100 * row['difference_lower'])} to {signed(100 * row['difference_upper'])}"
    return (
        f"{row['column'].replace('_', ' ')} {row['group']} "
        f"({row['num_marked']:,.0f} of {row['num_patients']:,.0f}, {percent(row['share'])}; "
        f"{signed(100 * row['difference'])} points, {ends})"
    )

"""What becomes of each class at each operating point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.group_shares import RATE_FROM
from pipeline.metrics.intervals import LEVEL, Interval, difference_interval, proportion_interval
from pipeline.tables.operating_points import OPERATING_POINTS
from pipeline.tables.parts.classes import (
    class_rows,
    class_visibilities,
    training_cases,
    training_images,
    true_class,
)
from pipeline.tables.parts.column import CALIBRATOR, CLASS, LOSS, SEED, TARGET, Column, count
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Applied, Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import interval, percent, signed, target_text


def per_class_table(
    runs: Sequence[Run], classes: Sequence[str], operating_points: pd.DataFrame
) -> pd.DataFrame:
    """Return, for every row of the `operating_points_table`, one row a class.

    ``cases`` counts test patients with an image of the class, ``answered`` those of them who are
    answered, ``wrong`` those answered with an image of that class read wrongly, ``referred`` the
    rest.
    """
    tests = {(run.loss, run.seed): run.test for run in runs}
    rows: list[dict[str, Any]] = []
    for point in operating_points.to_dict("records"):
        test = tests[point["loss"], point["seed"]]
        key = {name: point[name] for name in ("loss", "seed", "calibrator", "target")}
        rows += [
            key | counts
            for counts in _by_class(test, point["calibrator"], point["threshold"], classes)
        ]
    return pd.DataFrame(rows)


def _by_class(
    test: Applied, calibrator: str, threshold: float, classes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    patients, labels = test.predictions.patients, test.predictions.labels
    answered = test.answered(calibrator, threshold)
    missed = answered & ~np.asarray(test.top(calibrator).correct, dtype=bool)
    for label, name in enumerate(classes):
        is_class = labels == label
        counts = [
            len(np.unique(patients[is_class & chosen]))
            for chosen in (np.ones_like(answered), answered, missed)
        ]
        yield {
            "class": name,
            "cases": counts[0],
            "answered": counts[1],
            "wrong": counts[2],
            "referred": counts[0] - counts[1],
        }


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


def shown_per_class(scores: Scores) -> Table:
    """Return what became of each class at the headline's operating point.

    Critical classes come first, the others by training cases.

    Classes of fewer than 10 are masked, with others if need be; from 10 to 29 only counts are
    given.
    """
    frame = class_rows(scores)
    return rendered(
        "per_class",
        f"What became of each class at the target of "
        f"{target_text(scores.record['headline_target'])}, seed "
        f"{scores.headline['seed']}, with exact 95% intervals, each of its class alone. "
        f"{referred_classes_sentence(scores)}",
        [
            true_class(scores),
            *([training_images(scores)] if training_cases(scores) else []),
            count("cases", f"Test {scores.unit}", disclosure="count"),
            _with_rate("answered", "Answered", of="cases"),
            _with_rate("wrong", "Wrong", of="answered", unit="of the answered"),
            _with_rate("referred", "Referred", of="cases"),
        ],
        frame,
    )


def _with_rate(name: str, label: str, *, of: str, unit: str = "") -> Column:
    """Return the column of a count, its rate beneath where class and total are not too few."""

    def write(row: Mapping[str, Any]) -> Cell:
        number, total = int(row[name]), int(row[of])
        return Cell(
            f"{number:,}", _rate(number, total) if min(total, row["cases"]) >= RATE_FROM else ""
        )

    return count(name, label, unit=unit, disclosure="count", write=write)


def _rate(count: int, total: int) -> str:
    limits = proportion_interval(count, total)
    return f"{percent(count / total)} ({interval(limits.lower, limits.upper)})"


PER_CLASS = TableSpec(
    name="per_class",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
        TARGET,
        CLASS,
        count("cases", disclosure="count"),
        count("answered", disclosure="count"),
        count("wrong", disclosure="count"),
        count("referred", disclosure="count"),
    ),
    compute=lambda experiment: per_class_table(
        experiment.runs, experiment.classes, experiment.frame(OPERATING_POINTS)
    ),
    required=True,
    disclose=by_class,
    section="answered",
    show=lambda scores: [shown_per_class(scores)],
)

"""Disclosure control: what of small groups is kept from every file, once, where tables are written.

A class, site or other group of 1 to 9 patients is masked: no number of it is written. So that it
cannot be had by subtracting the others from a total, the next smallest are masked too, until two
groups and ten patients are out of sight. Of 10 to 29 patients counts are written and no rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.groups import CLASS
from pipeline.evaluation.shift import CLEAN
from pipeline.evaluation.workload import STATED
from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM, Visibility, visibilities

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Columns:
    """A table's columns: `keys` say what a row is of, `counts` are its counts, the rest rates."""

    keys: tuple[str, ...]
    counts: tuple[str, ...]

    def hidden(self, table: pd.DataFrame, shown: pd.Series) -> pd.DataFrame:
        """Return a table without the numbers of masked rows and without the rates of the few."""
        full, masked = shown == "full", shown == "masked"
        rates = table.columns.difference([*self.keys, *self.counts], sort=False)
        return table.assign(
            **{name: _whole(table[name], masked) for name in self.counts},
            **{name: table[name].mask(~full) for name in rates},
        )


MODEL = ("loss", "calibrator", "seed")
WORKLOAD_KEYS = (*MODEL, "target", "prevalence", "policy", "class")
BY_CLASS = {
    "class_calibration": Columns((*MODEL, "class"), ("cases",)),
    "class_risk": Columns((*MODEL, "score", "class"), ("cases", "missed")),
    "cox": Columns((*MODEL, "class"), ("cases",)),
    "per_class": Columns((*MODEL, "target", "class"), ("cases", "answered", "wrong", "referred")),
    "prediction_sets": Columns(
        (*MODEL, "method", "level", "class"), ("cases", "covered", "lower", "upper")
    ),
    "workload": Columns(WORKLOAD_KEYS, ("patients",)),
}
"""Tables with a row a class; where the class is empty a row is of all."""

ROWS_OF_A_CLASS = {"accepted": "label", "net_benefit": "class", "referral_benefit": "class"}
"""Tables without rows of a masked class, and their column of it."""

SHIFT = Columns(
    (*MODEL, "partner", "kind", "view", "corruption", "severity", "threshold"),
    ("cases", "patients", "answered", "wrong", "risk_lower", "risk_upper"),
)
SITE_RECALIBRATION = Columns((*MODEL, "partner", "correction", "num_draws"), ("cases",))
LONG_TAIL = ("cases", "correct", "accuracy", "lower", "upper", "ece", "aurc")
ANSWERS = ("answered", "wrong", "lower", "upper")

CLASS_METRICS = ("balanced_accuracy", "macro_f1", "auroc", "calibration_in_the_large")
"""Metrics to which each class counts alike, or one alone: numbers of a masked class follow."""

METRIC_ROWS = ("summary", "comparisons", "differences", "group_scores")
"""Tables with a row a metric; that of `runs` has a column each."""

OF_COSTS = ("cost_coverage", "cost_points", "cost_selection")
"""Tables of costs that were stated of classes: from a mean cost the errors of each follow."""

SITE = "site"


def disclosed_tables(tables: Tables, card: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return an experiment's tables as they may be handed out; those left without rows are gone.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Those of `experiment_tables`, by name.
    card : mapping
        The data set's: images of each class in the test split.
    """
    shown = class_visibilities(tables, card)
    masked = {name for name, visibility in shown.items() if visibility == "masked"}
    found = dict(tables)
    for name, columns in BY_CLASS.items():
        if name in found:
            found[name] = columns.hidden(
                found[name], _row_visibilities(found[name], shown, columns)
            )
    for name, column in ROWS_OF_A_CLASS.items():
        if name in found:
            found[name] = found[name][~found[name][column].isin(masked)]
    changes = {
        "accepted_groups": _accepted_groups,
        "group_scores": lambda table: _group_scores(table, masked),
        "shift": _shift,
        "site_recalibration": _site_recalibration,
        "long_tail": _long_tail,
    }
    found |= {name: change(found[name]) for name, change in changes.items() if name in found}
    if masked:
        found = _without_class_metrics(found)
    return {name: each for name, each in found.items() if len(each) or not len(tables[name])}


def disclosed_card(tables: Tables, card: Mapping[str, Any]) -> dict[str, Any]:
    """Return a card as it may be handed out: a masked class or site has no count.

    ``counts`` lacks the masked classes, split by split; ``images`` holds the splits' totals, and
    ``masked_sites`` the names that ``sites`` lacks. A card may say in ``class_patients`` how many
    patients each class has, split by split; this is not handed out.
    """
    shown = class_visibilities(tables, card)
    counts, test = card["counts"], {name for name, kind in shown.items() if kind == "masked"}
    patients = card.get("class_patients", {})
    hidden = {
        split: _masked(by_class) | _masked(patients.get(split, {}))
        for split, by_class in counts.items()
    }
    hidden["test"] = hidden.get("test", set()) | test
    sites = {site: number for site, number in (card.get("sites") or {}).items() if site}
    few = _masked(sites) | (_masked_sites(tables) & sites.keys())
    found = {key: value for key, value in card.items() if key != "class_patients"} | {
        "counts": {
            split: {name: n for name, n in by_class.items() if name not in hidden[split]}
            for split, by_class in counts.items()
        },
        "images": {split: sum(by_class.values()) for split, by_class in counts.items()},
    }
    if "sites" in card:
        found["sites"] = {site: n for site, n in sites.items() if site not in few}
        found["masked_sites"] = sorted(few)
    return found


def _without_class_metrics(tables: Tables) -> dict[str, pd.DataFrame]:
    """Return tables without sums over classes in which a masked class has a weight of its own.

    With the numbers of the other classes and of all they would give those of the masked ones: few
    patients leave few numbers to try, and full precision tells which it is.
    """
    found = {name: table for name, table in tables.items() if name not in OF_COSTS}
    if "runs" in found:
        found["runs"] = found["runs"].drop(columns=[*CLASS_METRICS], errors="ignore")
    for name in METRIC_ROWS:
        if name in found:
            found[name] = found[name][~found[name]["metric"].isin(CLASS_METRICS)]
    if "workload" in found:
        table, numbers = (
            found["workload"],
            [*found["workload"].columns.difference([*WORKLOAD_KEYS])],
        )
        stated = (table["prevalence"] == STATED) & (table["class"] == "")
        found["workload"] = _blank(table, numbers, stated)
    return found


def class_visibilities(tables: Tables, card: Mapping[str, Any]) -> dict[str, Visibility]:
    """Return what may be shown of each class: masked everywhere if it is few in any table.

    A class has fewer patients than images, and fewer still whose rarest class it is.
    """
    per_class = _numbers(tables["per_class"], "cases")
    sources: list[Mapping[str, float]] = [per_class, card["counts"].get("test", {})]
    if "workload" in tables:
        sources.append(_numbers(tables["workload"], "patients"))
    masked = set[str]().union(*(_masked(each) for each in sources))
    return {
        name: "masked" if name in masked else "full" if number >= RATE_FROM else "counts"
        for name, number in per_class.items()
    }


def _masked_sites(tables: Tables) -> set[str]:
    """Return the sites that are masked as groups: of many images, but few patients."""
    if "group_scores" not in tables:
        return set()
    rows = tables["group_scores"]
    hidden = (rows["column"].str.casefold() == SITE) & (rows["visibility"] == "masked")
    return set(rows["group"][hidden])


def _row_visibilities(
    table: pd.DataFrame, shown: Mapping[str, Visibility], columns: Columns
) -> pd.Series:
    """Return what may be shown of each row: as of its class, and no rate of few in the table."""
    # A row of all classes has no class.
    kinds = table["class"].map(shown).astype(object).fillna("full")
    few = (table["class"] != "") & (kinds == "full") & (table[columns.counts[0]] < RATE_FROM)
    return kinds.mask(few.fillna(value=False).astype(bool), "counts")


def _numbers(table: pd.DataFrame, column: str) -> dict[str, float]:
    """Return each class's number, which is the same in all its rows."""
    return _firsts(table[table["class"] != ""], "class", column)


def _firsts(rows: pd.DataFrame, name: str, column: str) -> dict[str, float]:
    first = rows.groupby(name, sort=False)[column].first().astype(float)
    return {str(each): float(number) for each, number in first.items()}


def _masked(numbers: Mapping[str, float]) -> set[str]:
    """Return whom to mask, those without a number among them: somebody masked them before.

    Nobody is in a group of none, which hides nothing.
    """
    known = {name: int(number) for name, number in numbers.items() if pd.notna(number)}
    some = {name: number for name, number in known.items() if number}
    few = {name for name, kind in visibilities(some).items() if kind == "masked"}
    return few | (numbers.keys() - known.keys())


def _whole(values: pd.Series, hidden: pd.Series) -> pd.Series:
    """Return values without the hidden; counts stay whole numbers."""
    whole = pd.api.types.is_integer_dtype(values)
    return (values.astype("Int64") if whole and hidden.any() else values).mask(hidden)


def _blank(table: pd.DataFrame, columns: Iterable[str], hidden: pd.Series) -> pd.DataFrame:
    names = [name for name in columns if name in table]
    return table.assign(**{name: _whole(table[name], hidden) for name in names})


def _accepted_groups(table: pd.DataFrame) -> pd.DataFrame:
    """Hide small groups, and at each threshold whoever is answered too rarely to be shown there."""
    hidden = pd.Series(False, index=table.index)
    small = pd.Series(False, index=table.index)
    for _, kind in table.groupby([*MODEL, "column"], sort=False):
        few = _masked(_firsts(kind, "group", "patients"))
        small.loc[kind.index] = kind["group"].isin(few)
        for _, at in kind.groupby("threshold", sort=False):
            answered = dict(zip(at["group"], at["answered"], strict=True))
            hidden.loc[at.index] = at["group"].isin(_rare(answered, few))
    return _blank(_blank(table, ANSWERS, hidden), ["patients"], small)


def _rare(answered: Mapping[str, float], few: set[str]) -> set[str]:
    """Return who is hidden where so many are answered, the small groups among them."""
    known = {name: n for name, n in answered.items() if pd.notna(n) and n}
    small = [n for name, n in known.items() if name in few or n < MASK_BELOW]
    if len(small) >= 2 and sum(small) >= MASK_BELOW:
        return few | {name for name, n in answered.items() if pd.isna(n) or 0 < n < MASK_BELOW}
    return few | _masked(answered)


def _group_scores(table: pd.DataFrame, masked: set[str]) -> pd.DataFrame:
    """Hide the classes that are masked elsewhere; small groups came hidden."""
    hidden = (table["column"] == CLASS) & table["group"].isin(masked)
    first = hidden & ~table.duplicated([*MODEL, "column", "group"])
    numbers = ("num_patients", "num_wrong", "value", "lower", "upper")
    table = _blank(table, numbers, hidden)
    return table.assign(visibility=table["visibility"].mask(hidden, "masked"))[~hidden | first]


def _shift(table: pd.DataFrame) -> pd.DataFrame:
    """Hide small sites, and what few are answered wrongly."""
    shown = pd.Series("full", index=table.index)
    for _, rows in table[table["view"] != CLEAN].groupby("partner", sort=False):
        patients = _firsts(rows, "view", "patients")
        few = _masked(patients)
        kinds = {
            view: "masked" if view in few else "full" if number >= RATE_FROM else "counts"
            for view, number in patients.items()
        }
        shown.loc[rows.index] = rows["view"].map(kinds)
    table = SHIFT.hidden(table, shown)
    rare = table["answered"].between(1, MASK_BELOW - 1).fillna(value=False).astype(bool)
    return _blank(table, ("wrong", "risk", "risk_lower", "risk_upper"), rare)


def _site_recalibration(table: pd.DataFrame) -> pd.DataFrame:
    kinds = np.select([table["cases"] < MASK_BELOW, table["cases"] < RATE_FROM],
                      ["masked", "counts"], "full")  # fmt: skip
    return SITE_RECALIBRATION.hidden(table, pd.Series(kinds, index=table.index))


def _long_tail(table: pd.DataFrame) -> pd.DataFrame:
    few = _masked(_firsts(table, "group", "cases"))
    return _blank(table, LONG_TAIL, table["group"].isin(few))

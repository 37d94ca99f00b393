"""Disclosure control: what of small groups is kept from every file, once, where tables are written.

Each table says what becomes of its rows and columns; here it is decided which classes and sites are
few.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.metrics import METRICS
from pipeline.metrics.group_shares import RATE_FROM, Visibility
from pipeline.tables import TABLES
from pipeline.tables.parts.disclosure import blank, firsts, masked_of
from pipeline.tables.parts.stated_costs import costs_are_stated
from pipeline.tables.workload import STATED

Tables = Mapping[str, pd.DataFrame]

SITE = "site"


def disclosed_tables(tables: Tables, card: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return an experiment's tables as they may be handed out; those left without rows are gone.

    `tables` are those of `compute_tables`, by name; `card` tells the images of each class in the
    test split.
    """
    shown = class_visibilities(tables, card)
    found = {
        name: TABLES[name].disclose(TABLES[name], table, shown) for name, table in tables.items()
    }
    if "masked" in shown.values():
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
        split: masked_of(by_class) | masked_of(patients.get(split, {}))
        for split, by_class in counts.items()
    }
    hidden["test"] = hidden.get("test", set()) | test
    sites = {site: number for site, number in (card.get("sites") or {}).items() if site}
    few = masked_of(sites) | (_masked_sites(tables) & sites.keys())
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
    patients leave few numbers to try, and full precision tells which it is. From a mean of costs
    that were stated of classes the errors of each follow as well.
    """
    hidden = [name for name, metric in METRICS.items() if metric.weighs_classes]
    found = {}
    for name, table in tables.items():
        spec = TABLES[name]
        if spec.when is costs_are_stated:
            continue
        if "metric" in spec.keys:
            found[name] = table[~table["metric"].isin(hidden)]
        elif spec.metrics:
            found[name] = table.drop(columns=hidden, errors="ignore")
        else:
            found[name] = table
    if "workload" in found:
        table = found["workload"]
        numbers = table.columns.difference([*TABLES["workload"].keys], sort=False)
        of_all = (table["prevalence"] == STATED) & (table["class"] == "")
        found["workload"] = blank(table, numbers, of_all)
    return found


def _masked_sites(tables: Tables) -> set[str]:
    """Return the sites that are masked as groups: of many images, but few patients."""
    if "group_scores" not in tables:
        return set()
    rows = tables["group_scores"]
    hidden = (rows["column"].str.casefold() == SITE) & (rows["visibility"] == "masked")
    return set(rows["group"][hidden])


def class_visibilities(tables: Tables, card: Mapping[str, Any]) -> dict[str, Visibility]:
    """Return what may be shown of each class: masked everywhere if it is few in any table.

    A class has fewer patients than images, and fewer still whose rarest class it is.
    """
    per_class = _numbers(tables["per_class"], "cases")
    sources: list[Mapping[str, float]] = [per_class, card["counts"].get("test", {})]
    if "workload" in tables:
        sources.append(_numbers(tables["workload"], "patients"))
    masked = set[str]().union(*(masked_of(each) for each in sources))
    return {
        name: "masked" if name in masked else "full" if number >= RATE_FROM else "counts"
        for name, number in per_class.items()
    }


def _numbers(table: pd.DataFrame, column: str) -> dict[str, float]:
    """Return each class's number, which is the same in all its rows."""
    return firsts(table[table["class"] != ""], "class", column)

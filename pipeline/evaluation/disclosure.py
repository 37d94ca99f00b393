"""Disclosure control: what of small groups is kept from every file, once, where tables are written.

Each table says what becomes of its rows and columns; here it is decided which classes and sites are
few.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.metrics.group_shares import RATE_FROM, Visibility
from pipeline.tables import TABLES
from pipeline.tables.parts.disclosure import firsts, masked_of

Tables = Mapping[str, pd.DataFrame]


def disclosed_tables(tables: Tables, card: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return an experiment's tables as they may be handed out; those left without rows are gone.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Those of `compute_tables`, by name.
    card : mapping
        The data set's: images of each class in the test split.
    """
    shown = class_visibilities(tables, card)
    found = {
        name: TABLES[name].disclose(TABLES[name], table, shown) for name, table in tables.items()
    }
    return {name: each for name, each in found.items() if len(each) or not len(tables[name])}


def disclosed_card(tables: Tables, card: Mapping[str, Any]) -> dict[str, Any]:
    """Return a card as it may be handed out: a masked class or site has no count.

    ``counts`` lacks the masked classes, split by split; ``images`` holds the splits' totals, and
    ``masked_sites`` the names that ``sites`` lacks.
    """
    shown = class_visibilities(tables, card)
    counts, test = card["counts"], {name for name, kind in shown.items() if kind == "masked"}
    hidden = {split: masked_of(by_class) for split, by_class in counts.items()}
    hidden["test"] = hidden.get("test", set()) | test
    sites = {site: number for site, number in (card.get("sites") or {}).items() if site}
    few = masked_of(sites)
    found = dict(card) | {
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

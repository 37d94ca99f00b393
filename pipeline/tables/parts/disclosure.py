"""Disclosure control of one table: what of small groups is kept from its file.

A class, site or other group of 1 to 9 patients is masked: no number of it is written. So that it
cannot be had by subtracting the others from a total, the next smallest are masked too, until two
groups and ten patients are out of sight. Of 10 to 29 patients counts are written and no rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from pipeline.metrics.group_shares import RATE_FROM, Visibility, visibilities
from pipeline.tables.parts.spec import TableSpec

Classes = Mapping[str, Visibility]
"""What may be shown of each class."""


def by_class(spec: TableSpec, table: pd.DataFrame, classes: Classes) -> pd.DataFrame:
    """Return a table of a row a class without what may not be shown; no class means all of them.

    A row says what may be said of its class, and no rate where its own first count is small.
    """
    kinds = table["class"].map(classes).astype(object).fillna("full")
    of_class = (table["class"] != "") & (kinds == "full")
    few = of_class & (table[counts_of(spec)[0]] < RATE_FROM)
    return without_hidden(spec, table, kinds.mask(few.fillna(value=False).astype(bool), "counts"))


def counts_of(spec: TableSpec) -> list[str]:
    """Return a table's columns that are left out of masked rows alone."""
    return [column.name for column in spec.columns if column.disclosure == "count"]


def without_classes(column: str, table: pd.DataFrame, classes: Classes) -> pd.DataFrame:
    """Return a table without the rows whose column names a masked class."""
    masked = [name for name, kind in classes.items() if kind == "masked"]
    return table[~table[column].isin(masked)]


def without_hidden(spec: TableSpec, table: pd.DataFrame, shown: pd.Series) -> pd.DataFrame:
    """Return a table without the numbers of masked rows and without the rates of the few.

    What is a count and what a rate, the columns say; a metric is a rate.
    """
    counts = counts_of(spec)
    others = [column.name for column in spec.columns if column.disclosure == "open"]
    rates = table.columns.difference([*counts, *others], sort=False)
    return table.assign(
        **{name: whole(table[name], shown == "masked") for name in counts},
        **{name: table[name].mask(shown != "full") for name in rates},
    )


def blank(table: pd.DataFrame, columns: Iterable[str], hidden: pd.Series) -> pd.DataFrame:
    """Return a table without the values of some rows; counts stay whole numbers."""
    names = [name for name in columns if name in table]
    return table.assign(**{name: whole(table[name], hidden) for name in names})


def whole(values: pd.Series, hidden: pd.Series) -> pd.Series:
    """Return values without the hidden; counts stay whole numbers."""
    integers = pd.api.types.is_integer_dtype(values)
    return (values.astype("Int64") if integers and hidden.any() else values).mask(hidden)


def firsts(rows: pd.DataFrame, name: str, column: str) -> dict[str, float]:
    """Return, by group, a number that is the same in all its rows."""
    first = rows.groupby(name, sort=False)[column].first().astype(float)
    return {str(each): float(number) for each, number in first.items()}


def masked_of(numbers: Mapping[str, float]) -> set[str]:
    """Return whom to mask, those without a number among them: somebody masked them before.

    Nobody is in a group of none, which hides nothing.
    """
    known = {name: int(number) for name, number in numbers.items() if pd.notna(number)}
    some = {name: number for name, number in known.items() if number}
    few = {name for name, kind in visibilities(some).items() if kind == "masked"}
    return few | (numbers.keys() - known.keys())

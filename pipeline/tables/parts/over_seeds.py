"""Values of several seeds as their mean and standard deviation."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def over_seeds(rows: pd.DataFrame, keys: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Return one row a combination of keys: means of the values, and their deviations.

    Deviations stand in ``VALUE_sd`` and are missing for one seed; other columns are as in the first
    of the rows.

    >>> rows = pd.DataFrame({"loss": ["a", "a", "b"], "ece": [1.0, 3.0, 5.0]})
    >>> over_seeds(rows, ["loss"], ["ece"])["ece"].tolist()
    [2.0, 5.0]
    """
    groups = rows.groupby(list(keys), sort=False)[list(values)]
    first = rows.drop_duplicates(keys).set_index(list(keys)).drop(columns=list(values))
    return first.join([groups.mean(), groups.std().add_suffix("_sd")]).reset_index()

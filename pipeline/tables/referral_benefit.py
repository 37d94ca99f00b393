"""The net benefit of acting on each critical class, where some patients are referred."""

from __future__ import annotations

import pandas as pd

from pipeline.tables.net_benefit import EVERY_POLICY, NET_BENEFIT
from pipeline.tables.parts.disclosure import Classes, without_classes
from pipeline.tables.parts.spec import TableSpec


def _with_referral(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["policy"] != "model"] if len(table) else table


def _disclose(spec: TableSpec, table: pd.DataFrame, classes: Classes) -> pd.DataFrame:  # noqa: ARG001
    return without_classes("class", table, classes)


REFERRAL_BENEFIT = TableSpec(
    name="referral_benefit",
    columns=NET_BENEFIT.columns,
    compute=lambda experiment: _with_referral(experiment.frame(EVERY_POLICY)),
    disclose=_disclose,
)

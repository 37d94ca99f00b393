"""Losses and calibrators over a study's experiments: mean ranks and wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.metrics import metrics_shown
from pipeline.metrics.comparisons import Ranking, rank_methods
from pipeline.tables.parts.column import CALIBRATOR, LOSS, Across, Column, metric
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.scores import Scores, calibrators_shown_first, pick
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.wording import metric_name

OF_LOSSES = "ranking_losses"
"""The table that ranks losses under one calibrator at a time."""


def ranking_tables(every: Sequence[Scores]) -> list[Table]:
    """Return each pair's mean rank and wins; nothing with fewer than two experiments to rank.

    Pairs that some experiment lacks are left out, and metrics that are undefined anywhere. With
    many calibrators a first table shows a few of them, in their ranks among all. The last table
    ranks the losses among each other under each calibrator, so without any as well.
    """
    pairs = _shared_pairs(every)
    if len(every) < 2 or len(pairs) < 2:
        return []
    first = set(calibrators_shown_first(every[0]))
    few = [pair for pair in pairs if pair[1] in first]
    rankings = _rankings(every, pairs)
    tables = [_table("ranking", every, rankings, few)]
    if len(few) < len(pairs):
        tables.append(_table("ranking_all", every, rankings, pairs))
    if len({loss for loss, _ in pairs}) > 1:
        tables.append(_table(OF_LOSSES, every, _rankings_of_losses(every, pairs), pairs))
    return tables


def _rankings_of_losses(
    every: Sequence[Scores], pairs: Sequence[tuple[str, str]]
) -> dict[str, dict[str, Ranking]]:
    """Return each metric's ranking of the losses that share a calibrator, by pair."""
    rankings: dict[str, dict[str, Ranking]] = {}
    for calibrator in dict.fromkeys(calibrator for _, calibrator in pairs):
        same = [pair for pair in pairs if pair[1] == calibrator]
        for key, ranking in _rankings(every, same).items():
            rankings.setdefault(key, {}).update(ranking)
    # A metric that is undefined under one calibrator has no column.
    return {key: found for key, found in rankings.items() if len(found) == len(pairs)}


def _rankings(
    every: Sequence[Scores], pairs: Sequence[tuple[str, str]]
) -> dict[str, dict[str, Ranking]]:
    """Return each metric's ranking of the pairs."""
    rankings: dict[str, dict[str, Ranking]] = {}
    for key in metrics_shown("ranking"):
        values = {scores.name: _means(scores, key, pairs) for scores in every}
        if all(pd.notna(value) for row in values.values() for value in row.values()):
            better = metric_name(key).better
            rankings[key] = rank_methods(values, "higher" if better == "higher" else "lower")
    return rankings


def _table(
    name: str,
    every: Sequence[Scores],
    rankings: dict[str, dict[str, Ranking]],
    pairs: Sequence[tuple[str, str]],
) -> Table:
    among = (
        "the losses under the same calibrator"
        if name == OF_LOSSES
        else f"{max(map(len, rankings.values()), default=0)} pairs"
    )
    frame = _frame(rankings, pairs)
    return rendered(
        name,
        f"Mean rank among {among} over {len(every)} experiments (1 is best), and in how "
        "many of them it is first. Ranks of so few experiments say little.",
        [LOSS, CALIBRATOR],
        frame,
        across=Across("metric", list(rankings), lambda key: _rank_column(key, rankings[key], name)),
    )


def _rank_column(key: str, ranking: dict[str, Ranking], name: str) -> Column:
    """Return the column of a metric's mean ranks, the best of those ranked together marked."""

    def write(row: Mapping[str, Any]) -> Cell:
        lowest = min(
            found.mean_rank
            for pair, found in ranking.items()
            if name != OF_LOSSES or pair.split(" ")[1] == row["calibrator"]
        )
        wins = f"first in {row['num_wins']} of {row['num_experiments']}"
        best = "best" if row["mean_rank"] == lowest else ""
        return Cell(f"{row['mean_rank']:.1f}", wins, best)

    return metric(key, "mean_rank", unit="mean rank", write=write)


def _shared_pairs(every: Sequence[Scores]) -> list[tuple[str, str]]:
    def pairs(scores: Scores) -> list[tuple[str, str]]:
        record = scores.record
        return [(loss, each) for loss in record["losses"] for each in record["calibrators"]]

    return [pair for pair in pairs(every[0]) if all(pair in pairs(each) for each in every[1:])]


def _means(scores: Scores, key: str, pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    rows = pick(scores.frame("summary"), metric=key)
    means = {
        (loss, calibrator): float(mean)
        for loss, calibrator, mean in zip(
            rows["loss"], rows["calibrator"], rows["mean"], strict=True
        )
    }
    return {" ".join(pair): means.get(pair, float("nan")) for pair in pairs}


def _frame(
    rankings: dict[str, dict[str, Ranking]], pairs: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    return pd.DataFrame(
        {"metric": key, "loss": pair[0], "calibrator": pair[1]}
        | vars(rankings[key][" ".join(pair)])
        for key in rankings
        for pair in pairs
    )

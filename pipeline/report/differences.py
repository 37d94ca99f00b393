"""Paired differences to the baseline; scores that could rank cases in place of confidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.wording import metric_name, missing, scaled, target_text

COMPARED = ("accuracy", "nll", "brier", "ece", "classwise_ece", "aurc", "augrc")


def differences_table(scores: Scores, calibrators: Sequence[str]) -> Table | None:
    """Return each loss's difference to the baseline over seeds; None where not computed.

    Rows are of these calibrators; the frame behind them is of all, so that one file serves both.
    """
    if scores.frame("differences").empty:
        return None
    frame = scores.frame("differences")
    keys = [key for key in COMPARED if key in set(frame["metric"])]
    found = {(row.loss, row.calibrator, row.metric): row for row in frame.itertuples()}
    every = dict.fromkeys(zip(frame["loss"], frame["calibrator"], strict=True))
    pairs = [pair for pair in every if pair[1] in calibrators]
    more = "" if len(pairs) == len(every) else " The files hold the other calibrators too."
    rows = [
        (Cell(pair[0]), Cell(pair[1]), *(_difference(found.get((*pair, key)), key) for key in keys))
        for pair in pairs
    ]
    baseline = scores.record["baseline"]
    return Table(
        name="differences",
        caption=f"Difference to {baseline} with the same calibrator, seed by seed: "
        f"{_tested(scores)}{more}",
        columns=(
            Heading("Loss", numeric=False),
            Heading("Calibrator", numeric=False),
            *(Heading(metric_name(key).label, metric_name(key).unit) for key in keys),
        ),
        rows=tuple(rows),
        frame=frame,
        headings=2,
    )


def _tested(scores: Scores) -> str:
    if len(scores.record["seeds"]) == 1:
        return "of one seed, so that nothing could be tested."
    return (
        "mean ± standard deviation, and the p-value of a paired t-test after Holm's correction "
        f"over the losses. {scores.seeds_text} can show large differences alone."
    )


def _difference(row: Any | None, key: str) -> Cell:
    if row is None or missing(row.mean_difference):
        return Cell("–")
    value = scaled(key, row.mean_difference).replace("-", "−")
    text = value if value.startswith("−") else f"+{value}"
    if not missing(row.sd):
        text = f"{text} ±\u2009{scaled(key, row.sd)}"
    return Cell(text, "" if missing(row.p_value_holm) else _p_text(row.p_value_holm))


def _p_text(p_value: float) -> str:
    """Write a p-value.

    >>> _p_text(0.0421), _p_text(0.0002)
    ('p = 0.042', 'p < 0.001')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def selection_table(scores: Scores) -> Table | None:
    """Return how well other scores rank the headline pair's cases; None where not computed."""
    if scores.frame("selection").empty:
        return None
    record = scores.record
    pair = {"loss": record["headline_loss"], "calibrator": record["headline_calibrator"]}
    rows = scores.shown("selection", every=["seed"])
    wanted = ("aurc", "augrc", f"coverage_at_risk_{100 * record['headline_target']:g}")
    keys = [key for key in wanted if key in rows.columns]
    spread = rows.groupby("score", sort=False)[keys].agg(["mean", "std"])
    cells = [
        (Cell(str(score)), *(_mean_cell(key, values[(key, "mean")], values[(key, "std")])
                             for key in keys))
        for score, values in spread.iterrows()
    ]  # fmt: skip
    return Table(
        name="selection",
        caption=f"What else could decide which cases {pair['loss']} with {pair['calibrator']} "
        f"answers: {scores.spread_text}. Confidence decides at the target of "
        f"{target_text(record['headline_target'])}; the others are for comparison.",
        columns=(
            Heading("Score", numeric=False),
            *(Heading(metric_name(key).label, metric_name(key).unit) for key in keys),
        ),
        rows=tuple(cells),
        frame=rows,
    )


def _mean_cell(key: str, mean: float, sd: float) -> Cell:
    return Cell(scaled(key, mean) if missing(sd) else f"{scaled(key, mean)} ± {scaled(key, sd)}")

"""Risk as a mean cost: thresholds that keep it within a target, and scores that could."""

from __future__ import annotations

import pandas as pd

from pipeline.report.answers import coverage_table
from pipeline.report.scores import Scores, pick
from pipeline.report.sentences import NOT_SEARCHED, none_passed, too_few
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import (
    counted,
    metric_name,
    missing,
    percent,
    scaled,
    target_text,
    threshold_text,
)

WORDS = {"found": "Threshold found", "none": "No threshold", "too_few": "Too few cases to tell"}


def stated_costs(scores: Scores) -> str:
    """Say what errors cost, as the study states it."""
    words = [
        f"{true} read as {answered} {cost:g}"
        for true, row in scores.record["costs"].items()
        for answered, cost in row.items()
    ]
    return f"An error costs what was stated ({', '.join(words)}; any other 1)"


def cost_points_table(scores: Scores) -> Table | None:
    """Return the thresholds that keep the mean cost within each target; None without costs."""
    if scores.cost_points is None:
        return None
    headline = scores.headline
    pair = {key: headline[key] for key in ("loss", "calibrator")}
    frame = pick(scores.cost_points, **pair).sort_values(["target", "seed"], kind="stable")
    first = frame.iloc[0]
    shown = zip(frame["target"], frame["seed"], strict=True)
    at_headline = (scores.record["headline_target"], headline["seed"])
    return Table(
        name="cost_points",
        caption=f"{stated_costs(scores)}; risk is the mean cost of the answered as a share of the "
        f"largest, {first['largest_cost']:g}. {cost_sentence(scores, scores.cost_points)} "
        f"{_rule(scores, pair, first)}Counts of {counted(first['num_test'], _tested(scores))}.",
        columns=(
            Column("Target", "of the largest cost"),
            Column("Seed"),
            Column("Verdict", numeric=False),
            Column("Confidence from"),
            Column("Answered"),
            Column("Referred"),
            Column("Mean cost", "of the answered"),
        ),
        rows=tuple(_point_cells(row) for _, row in frame.iterrows()),
        frame=frame,
        headings=2,
        marked=frozenset(place for place, each in enumerate(shown) if each == at_headline),
    )


def _tested(scores: Scores) -> str:
    return f"test {scores.unit}"


def _rule(scores: Scores, pair: dict[str, str], first: pd.Series) -> str:
    """Say how thresholds were chosen; nothing where there was nothing to choose on."""
    if not first["num_threshold_patients"]:
        return ""
    there = counted(first["num_threshold_patients"], f"separate {scores.unit}")
    return (
        f"Thresholds of {pair['loss']} with {pair['calibrator']} from {there}, by fixed-sequence "
        f"testing with the p-value of Hoeffding and Bentkus: at most {target_text(first['delta'])} "
        "of such thresholds have a true mean cost above their target. "
    )


def cost_coverage_table(scores: Scores, frame: pd.DataFrame) -> Table:
    """Return the mean cost of the answered at eight coverages; `frame` is of one calibrator."""
    return coverage_table(
        scores,
        frame,
        name="cost_coverage",
        caption="Mean cost of the answered, as a share of the largest, by share answered, after "
        f"{scores.record['headline_calibrator']}: {scores.spread_text}; "
        f"{counted(scores.num_test_cases, 'test images')}.",
    )


def cost_sentence(scores: Scores, points: pd.DataFrame) -> str:
    """Say what the first screen's model may answer within the headline's target of cost."""
    target = scores.record["headline_target"]
    row = pick(points, **scores.headline, target=target).iloc[0]
    if not row["num_threshold_patients"]:
        return NOT_SEARCHED
    if row["status"] == "too_few":
        needed, there = row["minimum_answered"], row["num_threshold_patients"]
        return too_few("no costs", needed, there, scores.unit)
    if row["status"] == "none":
        tried = none_passed(row["num_candidates"], row["minimum_answered"], scores.unit, target)
        return f"{tried}: the lowest upper limit was {percent(row['lowest_upper_limit'])}."
    answered = (
        f"At {target_text(target)}, {row['answered']:,} of "
        f"{counted(row['num_test'], f'test {scores.unit}')} "
        f"({percent(row['answered'] / row['num_test'])}) {'is' if row['answered'] == 1 else 'are'} "
        "answered"
    )
    if missing(row["mean_cost"]):
        return f"{answered}."
    return (
        f"{answered}, at a mean cost of {percent(row['mean_cost'], 2)} (one-sided "
        f"{target_text(1 - row['delta'])} limit {percent(row['one_sided_upper'], 2)})."
    )


def _point_cells(row: pd.Series) -> tuple[Cell, ...]:
    names = (Cell(target_text(row["target"])), Cell(f"{row['seed']}"))
    if row["status"] != "found":
        limit = row["lowest_upper_limit"]
        detail = "" if missing(limit) else f"lowest upper limit {percent(limit)}"
        verdict = Cell(WORDS[row["status"]], detail)
        return (*names, verdict, Cell("–"), Cell("0"), Cell(f"{row['referred']:,}"), Cell("–"))
    cost = Cell("–") if missing(row["mean_cost"]) else Cell(
        percent(row["mean_cost"], 2), f"at most {percent(row['one_sided_upper'], 2)}"
    )  # fmt: skip
    return (
        *names,
        Cell(WORDS["found"]),
        Cell(threshold_text(row["threshold"])),
        Cell(f"{row['answered']:,}", percent(row["answered"] / row["num_test"])),
        Cell(f"{row['referred']:,}", percent(row["referred"] / row["num_test"])),
        cost,
    )


def cost_selection_table(scores: Scores) -> Table | None:
    """Return how well each score keeps costly errors from being answered; None without costs."""
    if scores.cost_selection is None:
        return None
    pair = {key: scores.headline[key] for key in ("loss", "calibrator")}
    frame = pick(scores.cost_selection, **pair)
    keys = ("mean_cost", "aurc", "augrc")
    groups = frame.groupby("score", sort=False)
    best = min((own["aurc"].mean(), str(score)) for score, own in groups)[1]
    return Table(
        name="cost_selection",
        caption=f"What could decide which cases {pair['loss']} with {pair['calibrator']} answers, "
        f"if errors cost what was stated: least by area is {best}. Shares of the largest cost, "
        f"{scores.spread_text}; {counted(scores.num_test_cases, 'test images')}.",
        columns=(
            Column("Score", numeric=False),
            Column("Mean cost", "%, everything answered"),
            *(Column(f"{metric_name(key).label} of cost", "%") for key in keys[1:]),
        ),
        rows=tuple(
            (Cell(str(score)), *(_spread_cell(own[key]) for key in keys)) for score, own in groups
        ),
        frame=frame,
    )


def _spread_cell(values: pd.Series) -> Cell:
    mean, sd = scaled("aurc", values.mean()), values.std()
    return Cell(mean if missing(sd) else f"{mean} ± {scaled('aurc', sd)}")

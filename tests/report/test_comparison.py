import dataclasses

import pandas as pd
import pytest

from pipeline.tables.derived.comparison import comparison_table, metrics_table
from pipeline.tables.parts.scores import calibrators_shown_first, pick
from pipeline.tables.parts.wording import metric_name
from tests.report.simulated_scores import enlarged


def marks(scores, label):
    """The mark of each pair in one metric's column."""
    table = comparison_table(scores)
    place = [column.label for column in table.columns].index(label)
    return {(cells[0].text, cells[1].text): cells[place].mark for cells in table.rows}


def with_means(scores, metric, means):
    summary = scores.frame("summary").copy()
    for pair, mean in means.items():
        where = (summary["metric"] == metric) & (summary["loss"] == pair[0])
        summary.loc[where & (summary["calibrator"] == pair[1]), "mean"] = mean
    return scores.having(summary=summary, comparisons=None)


@pytest.mark.parametrize(
    ("metric", "label", "value"), [("ece", "ECE", 0.0), ("auroc", "AUROC", 1.0)]
)
def test_the_best_is_the_lowest_error_and_the_highest_accuracy(screening, metric, label, value):
    changed = with_means(screening, metric, {("flsd53", "temperature"): value})
    best = [pair for pair, mark in marks(changed, label).items() if mark == "best"]
    assert best == [("flsd53", "temperature")]


def test_of_a_metric_without_a_better_direction_none_is_best(screening):
    summary = screening.frame("summary")
    signed = summary[summary["metric"] == "ece"].assign(metric="confidence_gap")
    table = metrics_table(screening.having(summary=pd.concat([summary, signed])), "calibration")
    place = [column.label for column in table.columns].index(metric_name("confidence_gap").label)
    assert {cells[place].mark for cells in table.rows} == {""}


def test_equals_at_the_top_are_all_best(screening):
    pairs = {("gce", "ats"): 0.0, ("gce", "identity"): 0.0}
    changed = with_means(screening, "ece", pairs)
    best = {pair for pair, mark in marks(changed, "ECE").items() if mark == "best"}
    assert best == set(pairs)


def test_nothing_is_best_where_all_are_the_same(screening):
    losses, calibrators = screening.record["losses"], screening.record["calibrators"]
    every = {(loss, calibrator): 0.5 for loss in losses for calibrator in calibrators}
    assert set(marks(with_means(screening, "ece", every), "ECE").values()) == {""}


def test_a_pair_that_the_paired_test_leaves_open_is_marked_tied(screening):
    tied = pick(screening.frame("comparisons"), metric="nll")
    tied = tied[tied["p_value_holm"] >= 0.05]
    expected = set(zip(tied["loss"], tied["calibrator"], strict=True))
    found = {pair for pair, mark in marks(screening, "NLL").items() if mark == "tied"}
    assert found == expected


def test_the_first_screens_pair_is_the_marked_row(screening):
    table = comparison_table(screening)
    marked = [table.rows[row] for row in table.marked]
    assert [(cells[0].text, cells[1].text) for cells in marked] == [("gce", "ats")]


def test_an_undefined_metric_is_a_dash(screening):
    changed = with_means(screening, "auroc", {("gce", "ats"): float("nan")})
    table = comparison_table(changed)
    place = [column.label for column in table.columns].index("AUROC")
    cells = next(row for row in table.rows if (row[0].text, row[1].text) == ("gce", "ats"))
    assert cells[place].text.startswith("–")


def test_a_calibrator_that_may_change_the_class_is_flagged(screening):
    calibrators = screening.frame("calibrators").copy()
    calibrators.loc[calibrators["calibrator"] == "ats", "preserves_argmax"] = False
    table = comparison_table(screening.having(calibrators=calibrators))
    flagged = {cells[1].text for cells in table.rows if cells[1].detail}
    assert flagged == {"ats"}


@pytest.fixture(scope="module")
def many(screening):
    return enlarged(screening, name="many", num_losses=3, num_seeds=2, num_calibrators=6)


def test_of_many_calibrators_none_temperature_and_the_headlines_come_first(many):
    shown = dict.fromkeys(cells[1].text for cells in comparison_table(many).rows[:-1])
    assert list(shown) == ["identity", "temperature", "ats"]
    assert calibrators_shown_first(many) == list(shown)
    assert len(metrics_table(many, "calibration").rows) == 3 * 6


def test_without_identity_the_first_calibrator_stands_for_none(many):
    kinds = [f"calibrator_{i}" for i in range(3)] + ["temperature", "ats"]
    without = dataclasses.replace(many, record=many.record | {"calibrators": kinds})
    assert calibrators_shown_first(without) == ["calibrator_0", "temperature", "ats"]


def test_a_last_row_holds_the_best_of_all_with_its_pair(many):
    changed = with_means(many, "ece", {("loss_0", "calibrator_2"): 0.001})
    table = comparison_table(changed)
    place = [column.label for column in table.columns].index("ECE")
    last = table.rows[-1]
    assert last[0].text == "best of all 18"
    assert last[place].text.startswith("0.10 ±")
    assert last[place].detail == "loss_0, calibrator_2"
    assert "best" not in {cells[place].mark for cells in table.rows}


def test_a_few_calibrators_are_all_shown_and_have_no_last_row(screening):
    assert [cells[0].text for cells in comparison_table(screening).rows[-1:]] == ["flsd53"]


def test_the_caption_says_which_pairs_have_intervals_only_where_some_have_none(screening):
    summary = screening.frame("summary").copy()
    bare = (summary["loss"] == "flsd53") & (summary["calibrator"] == "temperature")
    summary.loc[bare, ["lower", "upper"]] = float("nan")
    said = (
        "Intervals over patients: all losses with identity, ats and all calibrators with "
        "cross_entropy, gce; the other pairs show mean and standard deviation over seeds alone."
    )
    assert said not in comparison_table(screening).caption
    caption = comparison_table(screening.having(summary=summary)).caption
    assert caption.endswith(said)

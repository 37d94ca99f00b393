import dataclasses

import pytest

from pipeline.report.comparison import comparison_table
from pipeline.report.scores import pick


def marks(scores, label):
    """The mark of each pair in one metric's column."""
    table = comparison_table(scores)
    place = [column.label for column in table.columns].index(label)
    return {(cells[0].text, cells[1].text): cells[place].mark for cells in table.rows}


def with_means(scores, metric, means):
    summary = scores.summary.copy()
    for pair, mean in means.items():
        where = (summary["metric"] == metric) & (summary["loss"] == pair[0])
        summary.loc[where & (summary["calibrator"] == pair[1]), "mean"] = mean
    return dataclasses.replace(scores, summary=summary, comparisons=None)


@pytest.mark.parametrize(
    ("metric", "label", "value"), [("ece", "ECE", 0.0), ("auroc", "AUROC", 1.0)]
)
def test_the_best_is_the_lowest_error_and_the_highest_accuracy(screening, metric, label, value):
    changed = with_means(screening, metric, {("flsd53", "temperature"): value})
    best = [pair for pair, mark in marks(changed, label).items() if mark == "best"]
    assert best == [("flsd53", "temperature")]


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
    tied = pick(screening.comparisons, metric="nll")
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
    calibrators = screening.calibrators.copy()
    calibrators.loc[calibrators["calibrator"] == "ats", "preserves_argmax"] = False
    table = comparison_table(dataclasses.replace(screening, calibrators=calibrators))
    flagged = {cells[1].text for cells in table.rows if cells[1].detail}
    assert flagged == {"ats"}

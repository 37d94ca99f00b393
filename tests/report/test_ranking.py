import dataclasses

import pytest

from pipeline.metrics.comparisons import rank_methods
from pipeline.tables.derived.ranking import ranking_tables
from pipeline.tables.parts.scores import pick
from tests.report.simulated_scores import enlarged


def first(every):
    return ranking_tables(every)[0]


def test_ranks_are_those_of_the_metrics(screening, digits):
    table = first([screening, digits])
    values = {
        scores.name: {
            (row.loss, row.calibrator): row.mean
            for row in scores.frame("summary").query("metric == 'ece'").itertuples()
        }
        for scores in (screening, digits)
    }
    expected = rank_methods(values, "lower")
    place = [column.label for column in table.columns].index("ECE")
    for cells in table.rows:
        ranking = expected[cells[0].text, cells[1].text]
        assert cells[place].text == f"{ranking.mean_rank:.1f}"
        assert cells[place].detail == f"first in {ranking.num_wins} of 2"


def test_one_experiment_is_not_ranked(screening):
    assert ranking_tables([screening]) == []


def test_pairs_that_an_experiment_lacks_are_left_out(screening, digits):
    fewer = dataclasses.replace(digits, record=digits.record | {"losses": ["gce"]})
    table = first([screening, fewer])
    assert {cells[0].text for cells in table.rows} == {"gce"}


@pytest.mark.parametrize("metric", ["ece", "accuracy"])
def test_a_metric_that_is_undefined_somewhere_is_not_ranked(screening, digits, metric):
    summary = digits.frame("summary").copy()
    summary.loc[summary["metric"] == metric, "mean"] = float("nan")
    table = first([screening, digits.having(summary=summary)])
    assert metric not in set(table.frame["metric"])


def test_of_many_calibrators_a_few_are_shown_first_in_their_ranks_among_all(screening):
    every = [
        enlarged(screening, name=name, num_losses=2, num_seeds=2, num_calibrators=6)
        for name in ("one", "two")
    ]
    few, whole, losses = ranking_tables(every)
    assert (few.name, whole.name) == ("ranking", "ranking_all")
    assert losses.name == "ranking_losses"
    assert {cells[1].text for cells in few.rows} == {"identity", "temperature", "ats"}
    assert len(whole.rows) == 2 * 6
    in_all = {(cells[0].text, cells[1].text): cells for cells in whole.rows}
    assert all(cells == in_all[cells[0].text, cells[1].text] for cells in few.rows)


def test_losses_are_ranked_among_each_other_with_and_without_each_calibrator(screening, digits):
    every = [screening, digits]
    _, table = ranking_tables(every)
    place = [column.label for column in table.columns].index("ECE")
    for calibrator in dict.fromkeys(cells[1].text for cells in table.rows):
        values = {
            scores.name: pick(scores.frame("summary"), metric="ece", calibrator=calibrator)
            .set_index("loss")["mean"]
            .to_dict()
            for scores in every
        }
        expected = rank_methods(values, "lower")
        rows = {cells[0].text: cells for cells in table.rows if cells[1].text == calibrator}
        assert set(rows) == set(expected)
        best = min(found.mean_rank for found in expected.values())
        for loss, found in expected.items():
            assert rows[loss][place].text == f"{found.mean_rank:.1f}"
            assert rows[loss][place].detail == f"first in {found.num_wins} of 2"
            assert (rows[loss][place].mark == "best") == (found.mean_rank == best)


def test_one_loss_is_not_ranked_among_losses(screening, digits):
    alone = [
        dataclasses.replace(scores, record=scores.record | {"losses": ["gce"]})
        for scores in (screening, digits)
    ]
    assert [table.name for table in ranking_tables(alone)] == ["ranking"]

import dataclasses

import pytest

from pipeline.metrics.comparisons import rank_methods
from pipeline.report.ranking import ranking_table


def test_ranks_are_those_of_the_metrics(screening, digits):
    table = ranking_table([screening, digits])
    values = {
        scores.name: {
            (row.loss, row.calibrator): row.mean
            for row in scores.summary.query("metric == 'ece'").itertuples()
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
    assert ranking_table([screening]) is None


def test_pairs_that_an_experiment_lacks_are_left_out(screening, digits):
    fewer = dataclasses.replace(digits, record=digits.record | {"losses": ["gce"]})
    table = ranking_table([screening, fewer])
    assert {cells[0].text for cells in table.rows} == {"gce"}


@pytest.mark.parametrize("metric", ["ece", "accuracy"])
def test_a_metric_that_is_undefined_somewhere_is_not_ranked(screening, digits, metric):
    summary = digits.summary.copy()
    summary.loc[summary["metric"] == metric, "mean"] = float("nan")
    table = ranking_table([screening, dataclasses.replace(digits, summary=summary)])
    assert metric not in set(table.frame["metric"])

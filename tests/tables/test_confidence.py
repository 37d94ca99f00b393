import numpy as np
import pytest

from pipeline.tables.confidence import confidence_table
from pipeline.tables.smooth_curve import smooth_curve_table


def test_right_and_wrong_are_counted_by_confidence(hand):
    # 0.55 closes its bin and 0.95 too; 0.96 opens the last.
    run = hand([0.55, 0.56, 0.56, 0.95, 0.96], [0, 1, 0, 1, 1], patients=list("abcde"), groups={})
    table = confidence_table([run]).set_index("upper_edge")
    assert len(table) == 20
    found = table[table["right"] + table["wrong"] > 0]
    assert found.index.tolist() == pytest.approx([0.55, 0.6, 0.95, 1.0])
    assert found["right"].tolist() == [0, 1, 1, 1]
    assert found["wrong"].tolist() == [1, 1, 0, 0]


def test_the_histogram_holds_every_case_of_each_first_seed(runs):
    table = confidence_table(runs)
    assert (table["seed"] == 0).all()
    totals = table.groupby(["loss", "calibrator"])[["right", "wrong"]].sum().sum(axis=1)
    assert (totals == len(runs[0].test.predictions)).all()


def test_a_smooth_curve_lies_in_its_band_and_below_the_diagonal_where_too_sure(runs):
    table = smooth_curve_table([runs[0]], ["identity"], num_resamples=50, seed=0)
    assert not table.isna().any(axis=None)
    assert (table["lower"] <= table["accuracy"]).mean() > 0.95
    assert (table["accuracy"] <= table["upper"]).mean() > 0.95
    weights = np.ones(len(table)) / len(table)
    assert weights @ (table["confidence"] - table["accuracy"]) > 0.05

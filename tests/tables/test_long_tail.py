import numpy as np
import pytest

from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.long_tail import long_tail_table
from pipeline.tables.long_tail_curves import long_tail_curves_table

CLASSES = ["none", "benign", "malignant"]


def test_classes_are_grouped_by_their_training_cases(runs):
    counts = {"none": 500, "benign": 50, "malignant": 5}
    table = long_tail_table(runs[2:3], CLASSES, counts)
    assert (table["rule"] == "count").all()
    few = table[(table["group"] == "few") & (table["calibrator"] == "identity")].iloc[0]
    run = runs[2]
    own = run.test.predictions.labels == 2
    right = np.asarray(run.test.top("identity").correct)[own]
    assert (few["num_classes"], few["cases"], few["correct"]) == (1, own.sum(), right.sum())
    assert few["accuracy"] == pytest.approx(right.mean())
    exact = proportion_interval(int(right.sum()), int(own.sum()))
    assert (few["lower"], few["upper"]) == (exact.lower, exact.upper)


def test_small_data_are_grouped_by_thirds(runs):
    table = long_tail_table(runs[2:3], CLASSES, {"none": 90, "benign": 50, "malignant": 30})
    assert (table["rule"] == "tertile").all()
    assert table["group"].tolist() == ["many", "medium", "few"] * 2


def test_the_curve_of_a_group_is_that_of_its_own_cases_over_the_seeds(runs):
    counts = {"none": 500, "benign": 50, "malignant": 5}
    table = long_tail_curves_table(runs[2:], ["identity"], CLASSES, counts)
    few = table[table["group"] == "few"]
    risks = []
    for run in runs[2:]:
        own = run.test.predictions.labels == 2
        top = run.test.top("identity")
        order = np.argsort(-top.confidence[own], kind="stable")
        wrong = np.cumsum(~np.asarray(top.correct, dtype=bool)[own][order])
        half = -(-own.sum() // 2)
        risks.append([wrong[half - 1] / half, wrong[-1] / own.sum()])
    at = few.set_index(few["coverage"].round(2)).loc[[0.5, 1.0]]
    assert at["risk_mean"].tolist() == pytest.approx(np.mean(risks, axis=0))
    assert at["risk_sd"].tolist() == pytest.approx(np.std(risks, axis=0, ddof=1))
    assert set(few["num_seeds"]) == {2}


def test_no_curve_begins_before_thirty_cases_are_answered(runs):
    counts = {"none": 500, "benign": 50, "malignant": 5}
    table = long_tail_curves_table(runs[2:3], ["identity"], CLASSES, counts)
    assert ((table["coverage"] * table["cases"]) >= 30).all()
    assert table.groupby("group")["coverage"].max().eq(1.0).all()
    assert table["risk_sd"].isna().all()

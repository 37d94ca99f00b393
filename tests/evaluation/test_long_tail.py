import numpy as np
import pytest

from pipeline.evaluation.long_tail import long_tail_table
from pipeline.metrics.intervals import proportion_interval

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

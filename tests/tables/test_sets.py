import pytest

from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.prediction_sets import prediction_sets_table

CLASSES = ["none", "benign", "malignant"]


@pytest.fixture(scope="module")
def table(runs):
    return prediction_sets_table(runs[2], ["identity", "temperature"], CLASSES)


def test_sets_hold_the_true_class_about_as_often_as_asked(table):
    # Some 300 test cases tell a share of 90 % to 1.7 points, 800 others drew the limit to 1: three
    # standard errors.
    overall = table[(table["class"] == "") & (table["method"] == "marginal")]
    assert overall["coverage"].to_numpy() == pytest.approx(overall["level"].to_numpy(), abs=0.06)
    assert overall.groupby("calibrator")["mean_size"].is_monotonic_increasing.all()


def test_classes_add_up_to_all(table):
    keys = ["calibrator", "method", "level"]
    overall = table[table["class"] == ""].set_index(keys)
    by_class = table[table["class"] != ""].groupby(keys)[["cases", "covered"]].sum()
    assert (by_class.loc[overall.index] == overall[["cases", "covered"]]).all(axis=None)
    row = overall.iloc[0]
    exact = proportion_interval(int(row["covered"]), int(row["cases"]))
    assert (row["lower"], row["upper"]) == (exact.lower, exact.upper)


def test_without_threshold_cases_no_set_is_made(runs_without_threshold_cases):
    run = runs_without_threshold_cases[0]
    assert prediction_sets_table(run, ["identity"], CLASSES).empty

import pandas as pd
import pytest

from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.accepted import accepted_table
from pipeline.tables.accepted_groups import accepted_groups_table
from pipeline.tables.exact_band import exact_band_table
from pipeline.tables.operating_points import operating_points_table

CLASSES = ["healthy", "ill"]


def band(*thresholds):
    key = {"loss": "hand", "calibrator": "identity", "seed": 0}
    return pd.DataFrame([key | {"threshold": threshold} for threshold in thresholds])


def test_cases_are_counted_by_true_class_and_class_read(hand):
    # At 0.7 patient a is referred for the second image, though the first is sure enough.
    run = hand([0.9, 0.6, 0.8, 0.75], [1, 1, 1, 0], patients=["a", "a", "b", "c"], groups={})
    table = accepted_table(run, "identity", band(0.7, 0.5), CLASSES)
    counts = table.set_index(["threshold", "label", "prediction"])["cases"].to_dict()
    assert counts == {
        (0.7, "healthy", "ill"): 1,
        (0.7, "ill", "ill"): 1,
        (0.5, "healthy", "ill"): 1,
        (0.5, "ill", "ill"): 3,
    }


def test_the_last_threshold_of_a_curve_answers_every_case(runs):
    run, classes = runs[2], ["none", "benign", "malignant"]
    points = operating_points_table(runs, targets=[0.05], delta=0.05)
    curve = exact_band_table(runs, points)
    table = accepted_table(run, "temperature", curve, classes)
    last = table[table["threshold"] == table["threshold"].min()]
    labels = pd.Series(run.test.predictions.labels).map(dict(enumerate(classes)))
    assert last.groupby("label")["cases"].sum().to_dict() == labels.value_counts().to_dict()
    own = curve[(curve["loss"] == "fair") & (curve["calibrator"] == "temperature")]
    assert set(table["threshold"]) == set(own["threshold"])


def test_without_a_curve_the_columns_stand_alone(hand):
    run = hand([0.9], [1], patients=["a"], groups={})
    table = accepted_table(run, "identity", band(0.7).iloc[:0], CLASSES)
    assert table.empty
    assert list(table)[:4] == ["loss", "calibrator", "seed", "threshold"]


@pytest.mark.parametrize("column", ["loss", "calibrator", "seed"])
def test_thresholds_of_another_model_are_not_its_own(hand, column):
    run = hand([0.9], [1], patients=["a"], groups={})
    table = accepted_table(run, "identity", band(0.5).assign(**{column: 7}), CLASSES)
    assert table.empty


@pytest.fixture
def grouped(hand):
    """Patient a of the north has an unsure image; b of the north is wrong; c of the south right."""
    return hand(
        [0.9, 0.6, 0.8, 0.75],
        [1, 1, 0, 1],
        patients=["a", "a", "b", "c"],
        groups={"site": ["north", "north", "north", "south"]},
    )


def test_patients_of_each_group_are_answered_from_strict_to_lenient(grouped):
    table = accepted_groups_table(grouped, "identity", band(0.95, 0.78, 0.6))
    assert table["threshold"].tolist() == [0.95, 0.95, 0.78, 0.78, 0.6, 0.6]
    north = table[table["group"] == "north"].set_index("threshold")
    assert (north["patients"] == 2).all()
    assert north["answered"].tolist() == [0, 1, 2]
    assert north["wrong"].tolist() == [0, 1, 1]
    exact = proportion_interval(1, 2)
    assert (north.loc[0.6, "lower"], north.loc[0.6, "upper"]) == (exact.lower, exact.upper)


def test_a_group_that_nobody_is_answered_of_has_no_interval(grouped):
    table = accepted_groups_table(grouped, "identity", band(0.78)).set_index("group")
    assert table.loc["south", "answered"] == 0
    assert table.loc["south", ["lower", "upper"]].isna().all()


def test_answered_of_all_groups_are_those_of_the_curve(runs):
    points = operating_points_table(runs, targets=[0.05], delta=0.05)
    curve = exact_band_table(runs, points)
    table = accepted_groups_table(runs[2], "temperature", curve)
    own = curve[(curve["loss"] == "fair") & (curve["calibrator"] == "temperature")]
    sums = table.groupby("threshold")[["answered", "wrong"]].sum()
    expected = own.set_index("threshold")[["answered", "wrong"]].sort_index()
    pd.testing.assert_frame_equal(sums, expected, check_dtype=False)


def test_without_groups_there_is_no_table(hand):
    run = hand([0.9], [1], patients=["a"], groups={})
    assert accepted_groups_table(run, "identity", band(0.5)).empty

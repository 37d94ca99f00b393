import numpy as np
import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.operating_points import operating_points_table
from pipeline.tables.workload import workload_table

CLASSES = ["none", "benign", "malignant"]
TWO = ["healthy", "ill"]
NUMBERS = ["arriving", "answered", "right", "wrong", "referred"]


@pytest.fixture(scope="module")
def points(runs):
    found = operating_points_table(runs, targets=[0.2], delta=0.05)
    return found[found["seed"] == 0]


@pytest.fixture(scope="module")
def table(runs, points):
    return workload_table(runs, points, CLASSES, {"none": 0.9, "malignant": 0.1})


def by_hand(hand):
    """Eight patients of one case: the ill are read right, the healthy wrongly (`hand_run`)."""
    confidence = [0.9, 0.9, 0.9, 0.6, 0.9, 0.6, 0.6, 0.6]
    correct = [1, 1, 1, 1, 0, 0, 0, 0]
    run = hand(confidence, correct, patients=range(8), groups={"site": ["a"] * 8})
    point = run.key("identity") | {"target": 0.05, "threshold": 0.8}
    return run, pd.DataFrame([point])


def numbers(table, prevalence, policy, name=""):
    chosen = table["prevalence"].eq(prevalence) & table["policy"].eq(policy)
    (row,) = table[chosen & table["class"].eq(name)].to_dict("records")
    return [row[column] for column in NUMBERS]


def test_at_a_stated_prevalence_each_class_weighs_as_stated(hand):
    run, points = by_hand(hand)
    table = workload_table([run], points, TWO, {"healthy": 0.9, "ill": 0.1})
    # Of 900 healthy 1 in 4 is answered, wrongly; of 100 ill 3 in 4, all rightly.
    assert numbers(table, "stated", "model", "healthy") == [900, 225, 0, 225, 675]
    assert numbers(table, "stated", "model", "ill") == [100, 75, 75, 0, 25]
    assert numbers(table, "stated", "model") == [1000, 300, 75, 225, 700]
    assert numbers(table, "stated", "refer_nobody") == [1000, 1000, 100, 900, 0]
    # The model answers 300 of 1,000, so a lot does; it is wrong in 9 of 10.
    assert numbers(table, "stated", "refer_at_random") == pytest.approx([1000, 300, 30, 270, 700])


def test_without_a_stated_prevalence_only_the_test_patients_own_is_shown(hand):
    run, points = by_hand(hand)
    table = workload_table([run], points, TWO, {})
    assert set(table["prevalence"]) == {"test"}
    assert numbers(table, "test", "model") == [1000, 500, 375, 125, 500]
    row = table[table["policy"].eq("model") & table["class"].eq("")].iloc[0]
    exact = proportion_interval(1, 8)
    assert (row["wrong_lower"], row["wrong_upper"]) == (1000 * exact.lower, 1000 * exact.upper)


def test_at_their_own_prevalence_patients_are_those_of_the_operating_point(table, points):
    own = table[(table["prevalence"] == "test") & (table["policy"] == "model")]
    of_all = own[own["class"] == ""].set_index(["loss", "calibrator"])
    stated = points.set_index(["loss", "calibrator"])
    for name in ("answered", "wrong", "referred"):
        expected = 1000 * stated[name] / stated["num_test"]
        np.testing.assert_allclose(of_all[name], expected.loc[of_all.index], rtol=1e-12)


def test_classes_add_up_to_all_and_everyone_is_answered_or_referred(table):
    keys = ["loss", "calibrator", "prevalence", "policy"]
    of_all = table[table["class"] == ""].set_index(keys)[NUMBERS]
    summed = table[table["class"] != ""].groupby(keys)[NUMBERS].sum()
    np.testing.assert_allclose(summed.loc[of_all.index], of_all, rtol=1e-9)
    np.testing.assert_allclose(table["arriving"], table["answered"] + table["referred"])
    np.testing.assert_allclose(table["answered"], table["right"] + table["wrong"])


def test_a_class_that_does_not_occur_there_brings_nobody(table):
    absent = table[(table["prevalence"] == "stated") & (table["class"] == "benign")]
    assert (absent[NUMBERS] == 0).all(axis=None)


def test_a_patient_with_cases_of_two_classes_is_of_the_rarer(hand):
    run = hand([0.9, 0.9, 0.9], [0, 1, 0], patients=["p", "p", "q"], groups={"site": ["a"] * 3})
    points = pd.DataFrame([run.key("identity") | {"target": 0.05, "threshold": 0.8}])
    table = workload_table([run], points, TWO, {})
    # The one ill case is p's, who is wrong in the other.
    assert numbers(table, "test", "model", "ill") == [500, 500, 0, 500, 0]


def test_without_a_threshold_everyone_is_referred_and_nothing_left_to_chance(hand):
    run, points = by_hand(hand)
    table = workload_table([run], points.assign(threshold=np.nan), TWO, {})
    assert numbers(table, "test", "model") == [1000, 0, 0, 0, 1000]
    assert table[["wrong_lower", "wrong_upper", "referred_lower"]].isna().all(axis=None)


def test_test_patients_of_each_class_are_counted(hand):
    run, points = by_hand(hand)
    table = workload_table([run], points, TWO, {})
    assert table.groupby("class")["patients"].first().to_dict() == {"": 8, "healthy": 4, "ill": 4}


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"sick": 1.0}, "must be of the classes healthy, ill, got sick"),
        ({"ill": 0.5}, r"prevalence must sum to one, got 0\.5"),
        ({"ill": 1.5, "healthy": -0.5}, "must be 2 shares of at least 0"),
    ],
)
def test_shares_that_are_none_are_refused(hand, stated, message):
    run, points = by_hand(hand)
    with pytest.raises(InputError, match=message):
        workload_table([run], points, TWO, stated)

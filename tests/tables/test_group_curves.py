import numpy as np
import pytest

from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.group_curves import MAX_POINTS, group_curves_table

CONFIDENCE = np.linspace(0.99, 0.51, 90)


def curves(hand, sites, *, correct=None, patients=None):
    right = np.ones(len(sites)) if correct is None else correct
    names = np.arange(len(sites)) if patients is None else patients
    run = hand(CONFIDENCE[: len(sites)], right, patients=names, groups={"site": sites})
    return group_curves_table(run, "identity")


def test_a_groups_curve_counts_its_own_patients_alone(hand):
    # North holds every second case; of its 45 the last three are wrong.
    sites = np.tile(["north", "south"], 45)
    correct = np.ones(90)
    correct[[84, 86, 88]] = 0
    north = curves(hand, sites, correct=correct).query("group == 'north'")
    assert north["answered"].tolist() == list(range(30, 46))
    assert north["wrong"].tolist() == [0] * 13 + [1, 2, 3]
    last = north.iloc[-1]
    exact = proportion_interval(3, 45)
    assert (last["coverage"], last["risk"]) == (1.0, 3 / 45)
    assert (last["lower"], last["upper"]) == pytest.approx((exact.lower, exact.upper))
    assert last["threshold"] == pytest.approx(CONFIDENCE[88])


def test_a_patient_is_answered_with_their_least_sure_case_though_it_lies_in_another_group(hand):
    # The surest patient's second case is the least sure of all and lies at the other site.
    sites = np.array(["north"] * 40 + ["south"] * 40)
    patients = np.arange(80)
    patients[79] = 0
    north = curves(hand, sites, patients=patients).query("group == 'north'")
    assert north["patients"].iloc[0] == 40
    assert north["threshold"].iloc[-1] == pytest.approx(CONFIDENCE[79])
    assert north["threshold"].iloc[-2] == pytest.approx(CONFIDENCE[39])


@pytest.mark.parametrize(
    ("sizes", "drawn"),
    [
        ({"A": 40, "B": 50}, ["A", "B"]),
        ({"A": 61, "B": 29}, ["A"]),
        # B would be found by subtraction if C were shown, although C has thirty patients.
        ({"A": 45, "B": 9, "C": 30}, ["A"]),
    ],
)
def test_groups_that_are_too_few_or_masked_have_no_rows(hand, sizes, drawn):
    table = curves(hand, np.repeat(list(sizes), list(sizes.values())))
    assert table["group"].unique().tolist() == drawn


def test_without_groups_there_are_no_rows(hand):
    assert curves(hand, np.repeat("north", 60)).empty


def test_a_long_curve_is_thinned_and_keeps_its_last_point(hand):
    confidence = np.linspace(0.99, 0.51, 600)
    groups = {"site": np.tile(["north", "south"], 300)}
    run = hand(confidence, np.ones(600), patients=np.arange(600), groups=groups)
    table = group_curves_table(run, "identity")
    assert table.groupby("group").size().tolist() == [MAX_POINTS, MAX_POINTS]
    assert table.groupby("group")["coverage"].last().tolist() == [1.0, 1.0]

from functools import partial

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.metrics.guarantee import sequence_starts
from pipeline.metrics.risk_tests import RISK_TESTS
from pipeline.metrics.threshold_choice import Question
from pipeline.tables.cost_points import cost_points_table
from pipeline.tables.cost_selection import cost_selection_table
from pipeline.tables.operating_points import operating_points_table
from pipeline.tables.parts.stated_costs import cost_matrix, scaled_costs
from pipeline.tables.risk_coverage import risk_coverage_table
from pipeline.tables.selection import selection_table

CLASSES = ["none", "benign", "malignant"]
MISSED = cost_matrix({"malignant": {"none": 10, "benign": 5}}, CLASSES)
EQUAL = cost_matrix({}, CLASSES)


@pytest.fixture(scope="module")
def points(runs):
    return cost_points_table(runs, MISSED, targets=[0.05, 0.2], delta=0.05)


def test_what_is_left_out_costs_one_and_a_right_answer_nothing():
    np.testing.assert_array_equal(MISSED, [[0, 1, 1], [1, 0, 1], [10, 5, 0]])


def test_errors_that_all_cost_the_same_give_the_areas_and_curves_of_errors(runs):
    counted, costly = selection_table(runs), cost_selection_table(runs, EQUAL)
    pd.testing.assert_frame_equal(costly[counted.columns], counted, rtol=1e-12)
    curve = risk_coverage_table(runs, partial(scaled_costs, costs=EQUAL))
    pd.testing.assert_frame_equal(curve, risk_coverage_table(runs), rtol=1e-12)


def test_areas_are_of_costs_as_shares_of_the_largest(hand):
    # Healthy read as ill costs 1, ill as healthy, which does not occur, 4: losses 0, 1/4.
    run = hand([0.9, 0.8], [1, 0], patients=range(2), groups={"site": ["a"] * 2})
    costs = cost_matrix({"ill": {"healthy": 4}}, ["healthy", "ill"])
    rows = cost_selection_table([run], costs)
    row = rows[rows["score"] == "confidence"].iloc[0]
    assert (row["largest_cost"], row["mean_cost"]) == (4, 1 / 8)
    assert row["aurc"] == (0 + (1 / 4) / 2) / 2


def test_dividing_all_costs_changes_nothing_but_the_largest(runs):
    whole, halved = (cost_selection_table(runs[:1], scale * MISSED) for scale in (1.0, 0.5))
    changed = [column for column in whole if not whole[column].equals(halved[column])]
    assert changed == ["largest_cost"]


def test_a_loose_target_is_found_and_the_test_patients_confirm_it(runs, points):
    found = points[points["status"] == "found"]
    assert (found["lowest_upper_limit"] <= found["target"]).all()
    fair = found[(found["loss"] == "fair") & (found["target"] == 0.2)]
    assert len(fair) == 2 * 2
    # Chance alone may carry 150 test patients above the target in one point of twenty.
    assert (fair["mean_cost"] <= 0.2).all()
    assert (fair["one_sided_upper"] >= fair["mean_cost"]).all()
    assert (fair["answered"] + fair["referred"] == 150).all()


def test_a_patient_costs_as_much_as_their_costliest_case(runs, points):
    point = points[points["status"] == "found"].iloc[0]
    (run,) = [run for run in runs if (run.loss, run.seed) == (point["loss"], point["seed"])]
    costs = scaled_costs(run.test, point["calibrator"], MISSED)
    confidence = run.test.top(point["calibrator"]).confidence
    summed = answered = 0
    for patient in np.unique(run.test.predictions.patients):
        mine = run.test.predictions.patients == patient
        if (confidence[mine] >= point["threshold"]).all():
            answered += 1
            summed += costs[mine].max()
    assert point["answered"] == answered
    assert point["mean_cost"] == pytest.approx(summed / answered)


def test_for_equal_costs_the_bounded_test_answers_no_more_than_the_exact_one(runs):
    exact = operating_points_table(runs, targets=[0.2], delta=0.05)
    bounded = cost_points_table(runs, EQUAL, targets=[0.2], delta=0.05)
    assert (bounded["answered"] <= exact["answered"]).all()
    # Each names the first start of its own search, the fewest answered that could pass.
    for table, test in ((bounded, "hoeffding_bentkus"), (exact, "exact_binomial")):
        question = Question(0.2, 0.05, RISK_TESTS[test])
        (num_patients,) = table["num_threshold_patients"].unique()
        fewest = sequence_starts(int(num_patients), question)[0]
        assert (table["minimum_answered"] == fewest).all()


def test_without_a_threshold_every_patient_is_referred(runs_without_threshold_cases):
    table = cost_points_table(runs_without_threshold_cases, MISSED, targets=[0.05], delta=0.05)
    assert (table["status"] == "too_few").all()
    assert (table["referred"] == 150).all()
    assert table[["threshold", "mean_cost", "one_sided_upper"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"ill": {"none": 1}}, "must be of the classes none, benign, malignant, got ill"),
        ({"none": {"ill": 1}}, "must be of the classes none, benign, malignant, got ill"),
        ({"none": {"none": 1}}, "a right answer costs nothing"),
        ({"none": {"benign": -1}}, "costs must be finite, at least 0 and not all 0"),
        ({"none": {"benign": float("inf")}}, "costs must be finite"),
        (
            {a: {b: 0 for b in CLASSES if b != a} for a in CLASSES},
            "costs must be finite, at least 0 and not all 0",
        ),
    ],
)
def test_costs_that_are_none_are_refused(stated, message):
    with pytest.raises(InputError, match=message):
        cost_matrix(stated, CLASSES)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.decisions import (
    case_costs,
    class_shares,
    costs_by_class,
    operating_point,
    overall_shares,
)
from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.risk_points import coverage_at_risk
from pipeline.metrics.selective import risk_coverage_curve

# Ten cases: class 0 six times, one of them wrong but referred; class 1 four times, two missed.
CONFIDENCE = np.array([0.9, 0.9, 0.8, 0.8, 0.7, 0.4, 0.9, 0.8, 0.6, 0.3])
LABELS = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
PREDICTED = np.array([0, 0, 0, 0, 0, 1, 0, 1, 0, 0])


def point_at(threshold):
    return operating_point(CONFIDENCE, PREDICTED, LABELS, num_classes=2, threshold=threshold)


def test_counts_by_hand():
    point = point_at(0.6)
    assert point.cases.tolist() == [6, 4]
    assert point.answered.tolist() == [5, 3]
    assert point.referred.tolist() == [1, 1]
    assert point.wrong.tolist() == [0, 2]
    assert point.wrong_if_all_answered.tolist() == [1, 3]
    assert point.coverage == 8 / 10


def test_a_case_exactly_at_the_threshold_is_answered():
    assert point_at(0.8).answered.sum() == 6
    assert point_at(np.nextafter(0.8, 1)).answered.sum() == 3


@pytest.mark.parametrize("threshold", [None, 1.1])
def test_without_a_threshold_or_above_every_score_all_are_referred(threshold):
    point = point_at(threshold)
    assert (point.answered.sum(), point.wrong.sum(), point.coverage) == (0, 0, 0)
    assert point.referred.tolist() == [6, 4]
    assert overall_shares(point, level=0.95)["wrong_of_answered"].rate is None


def test_overall_shares_carry_exact_intervals():
    shares = overall_shares(point_at(0.6), level=0.95)
    counts = {name: (value.count, value.of) for name, value in shares.items()}
    assert counts == {
        "answered": (8, 10),
        "referred": (2, 10),
        "wrong_of_answered": (2, 8),
        "wrong_of_all": (2, 10),
    }
    assert shares["wrong_of_answered"].interval == proportion_interval(2, 8, 0.95)


def test_class_shares_speak_of_the_true_class():
    of_class_1 = class_shares(point_at(0.6), level=0.95)[1]
    assert {name: (value.count, value.of) for name, value in of_class_1.items()} == {
        "answered": (3, 4),
        "referred": (1, 4),
        "wrong_of_answered": (2, 3),
        "wrong_of_all": (2, 4),
    }


def test_an_absent_class_has_counts_of_zero_and_no_rates():
    point = operating_point(CONFIDENCE, PREDICTED, LABELS, num_classes=3, threshold=0.5)
    assert point.cases.tolist() == [6, 4, 0]
    assert class_shares(point, level=0.95)[2]["referred"].rate is None


@given(seed=st.integers(0, 2**32 - 1), place=st.integers(0, 100))
def test_every_point_of_the_risk_coverage_curve_is_an_operating_point(seed, place):
    rng = np.random.default_rng(seed)
    confidence, labels, predicted = rng.random(30).round(1), *rng.integers(0, 3, size=(2, 30))
    curve = risk_coverage_curve(confidence, predicted != labels)
    place %= len(curve.thresholds)
    threshold = curve.thresholds[place]
    point = operating_point(confidence, predicted, labels, num_classes=3, threshold=threshold)
    assert point.coverage == curve.coverage[place]
    assert point.wrong.sum() == curve.losses[place]


def test_costs_make_a_missed_disease_count_more():
    costs = case_costs(PREDICTED, LABELS, costs_by_class(np.array([1.0, 20.0])))
    assert costs.tolist() == [0, 0, 0, 0, 0, 1, 20, 0, 20, 20]


def test_unit_costs_are_losses_of_zero_and_one():
    unit = costs_by_class(np.ones(2))
    np.testing.assert_array_equal(case_costs(PREDICTED, LABELS, unit), PREDICTED != LABELS)


def test_costs_that_depend_on_the_answer_are_read_by_true_row_and_answered_column():
    costs = np.array([[0, 1, 2], [3, 0, 4], [5, 6, 0]])
    truth, answer = np.divmod(np.arange(9), 3)
    np.testing.assert_array_equal(case_costs(answer, truth, costs), costs.ravel())


def test_the_coverage_within_a_mean_cost_is_found_from_case_costs():
    costs = case_costs(PREDICTED, LABELS, costs_by_class(np.array([1.0, 20.0])))
    # At 0.9 one of three costs 20; at 0.8 one of six: 20 / 6.
    assert coverage_at_risk(CONFIDENCE, costs, target=20 / 6) == 7 / 10
    assert coverage_at_risk(CONFIDENCE, costs, target=20 / 7.5) == 0


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        (np.zeros((2, 3)), r"costs must be \(classes, classes\), got shape \(2, 3\)"),
        (np.zeros(2), r"costs must be \(classes, classes\), got shape \(2,\)"),
        (np.array([[0, -1], [1, 0]]), r"costs must be finite and at least 0, got -1\.0\.\.1\.0"),
        (np.array([[0, np.nan], [1, 0]]), "costs must be finite"),
        (np.zeros((1, 1)), r"labels must lie in \[0, 1\), got 0\.\.1"),
    ],
)
def test_refuses_costs_that_do_not_fit(costs, message):
    with pytest.raises(InputError, match=message):
        case_costs(PREDICTED, LABELS, costs)


def test_refuses_a_predicted_class_that_does_not_exist():
    with pytest.raises(InputError, match=r"labels must lie in \[0, 2\), got 2\.\.2"):
        operating_point(np.ones(1), np.array([2]), np.array([0]), num_classes=2, threshold=0.5)

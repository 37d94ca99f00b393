import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.metrics.case_costs import case_costs
from pipeline.metrics.risk_points import coverage_at_risk

# Ten cases: class 0 six times, one of them wrong; class 1 four times, three of them missed.
CONFIDENCE = np.array([0.9, 0.9, 0.8, 0.8, 0.7, 0.4, 0.9, 0.8, 0.6, 0.3])
LABELS = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
PREDICTED = np.array([0, 0, 0, 0, 0, 1, 0, 1, 0, 0])
MISSED_DISEASE = np.array([[0.0, 1.0], [20.0, 0.0]])


def test_costs_make_a_missed_disease_count_more():
    costs = case_costs(PREDICTED, LABELS, MISSED_DISEASE)
    assert costs.tolist() == [0, 0, 0, 0, 0, 1, 20, 0, 20, 20]


def test_unit_costs_are_losses_of_zero_and_one():
    unit = 1 - np.eye(2)
    np.testing.assert_array_equal(case_costs(PREDICTED, LABELS, unit), PREDICTED != LABELS)


def test_costs_that_depend_on_the_answer_are_read_by_true_row_and_answered_column():
    costs = np.array([[0, 1, 2], [3, 0, 4], [5, 6, 0]])
    truth, answer = np.divmod(np.arange(9), 3)
    np.testing.assert_array_equal(case_costs(answer, truth, costs), costs.ravel())


def test_the_coverage_within_a_mean_cost_is_found_from_case_costs():
    costs = case_costs(PREDICTED, LABELS, MISSED_DISEASE)
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
        case_costs(np.array([2]), np.array([0]), MISSED_DISEASE)

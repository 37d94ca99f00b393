import numpy as np
import pytest

from pipeline.metrics.risk_sums import (
    RiskSums,
    area_under_joint_risk,
    area_under_risk,
    largest_coverage,
    risk_from_coverage,
)

# One case right, then a tie of three with two wrong, then one wrong; and the same with the tie
# absent from the resample.
SUMS = RiskSums(
    answered=np.array([[1, 4, 5], [1, 1, 2]]),
    losses=np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 1.0]]),
)


def test_a_tie_adds_the_risk_expected_while_it_is_drawn_in_any_order():
    within_tie = (2 / 3) / 2 + (4 / 3) / 3 + 2 / 4
    expected = [(0 + within_tie + 3 / 5) / 5, (0 + 1 / 2) / 2]
    np.testing.assert_allclose(area_under_risk(SUMS), expected, rtol=1e-14)


def test_the_joint_area_is_a_sum_of_trapezoids():
    expected = [(3 * (0 + 2) / 2 + 1 * (2 + 3) / 2) / 5**2, (0 + 1) / 2 / 2**2]
    np.testing.assert_allclose(area_under_joint_risk(SUMS), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("target", "expected"),
    [(0.0, [1 / 5, 1 / 2]), (0.49, [1 / 5, 1 / 2]), (0.5, [4 / 5, 1]), (0.6, [1, 1]), (1, [1, 1])],
)
def test_the_largest_coverage_meets_the_target_and_the_next_does_not(target, expected):
    np.testing.assert_array_equal(largest_coverage(SUMS, target=target), expected)


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [(0.01, [0, 0]), (0.2, [0, 0]), (0.21, [2 / 4, 0]), (0.8, [2 / 4, 1 / 2]), (1, [3 / 5, 1 / 2])],
)
def test_the_risk_is_read_at_the_first_coverage_that_suffices(coverage, expected):
    np.testing.assert_array_equal(risk_from_coverage(SUMS, coverage=coverage), expected)


def test_scores_that_a_resample_lacks_at_the_top_are_no_coverage():
    sums = RiskSums(answered=np.array([[0, 1]]), losses=np.array([[0.0, 1.0]]))
    assert largest_coverage(sums, target=0.5) == 0
    assert risk_from_coverage(sums, coverage=0.1) == 1
    assert area_under_risk(sums) == 1


def test_points_of_the_curve_are_those_of_a_search_over_all_thresholds():
    rng = np.random.default_rng(0)
    tied = rng.integers(0, 3, (50, 12))
    tied[:, 6] += 1
    wrong = rng.integers(0, tied + 1)
    sums = RiskSums(tied.cumsum(axis=1), wrong.cumsum(axis=1).astype(float))
    for row, (answered, losses) in enumerate(zip(sums.answered, sums.losses, strict=True)):
        attained = [(a, lost) for a, lost in zip(answered, losses, strict=True) if a > 0]
        meeting = [a / answered[-1] for a, lost in attained if lost / a <= 0.3]
        assert largest_coverage(sums, target=0.3)[row] == max(meeting, default=0)
        reaching = [lost / a for a, lost in attained if a / answered[-1] >= 0.7]
        assert risk_from_coverage(sums, coverage=0.7)[row] == reaching[0]

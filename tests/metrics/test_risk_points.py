import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.metrics.risk_points import coverage_at_risk, risk_at_coverage


@pytest.mark.parametrize(
    ("losses", "target", "expected"),
    [
        pytest.param([0, 0, 1, 0, 1], 0.0, 2 / 5, id="target 0"),
        pytest.param([1, 0, 0, 0, 0], 0.0, 0, id="target 0, surest case wrong"),
        pytest.param([1, 0, 0, 0, 0], 0.2, 1, id="a looser threshold meets what a stricter misses"),
        pytest.param([0, 0, 1, 0, 1], 0.25, 4 / 5, id="attained exactly"),
        pytest.param([1, 1, 1, 1, 1], 0.99, 0, id="all wrong"),
        pytest.param([1, 1, 1, 1, 1], 1.0, 1, id="target 1"),
        pytest.param([0, 0, 0, 0, 0], 0.0, 1, id="all right"),
    ],
)
def test_coverage_at_risk_by_hand(losses, target, expected):
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    assert coverage_at_risk(confidence, np.array(losses), target) == expected


def test_coverage_at_risk_takes_all_of_a_tie_or_nothing():
    confidence, wrong = np.array([0.9, 0.8, 0.8, 0.8]), np.array([0, 0, 0, 1])
    assert coverage_at_risk(confidence, wrong, target=0.2) == 1 / 4
    assert coverage_at_risk(confidence, wrong, target=0.25) == 1


@pytest.mark.parametrize("percent", range(1, 100))
def test_a_risk_equal_to_the_target_in_decimals_meets_it(percent):
    wrong = np.arange(100) < percent
    assert coverage_at_risk(np.zeros(100), wrong, target=percent / 100) == 1


@pytest.mark.parametrize("percent", range(1, 101))
def test_a_coverage_equal_to_the_one_asked_in_decimals_suffices(percent):
    falling, answered = np.arange(100, 0, -1), np.arange(1, 101)
    expected = (answered[percent - 1] - 1) / answered[percent - 1]
    assert risk_at_coverage(falling, answered > 1, coverage=percent / 100) == expected


def test_risk_at_coverage_answers_a_whole_tie():
    confidence, wrong = np.array([0.9, 0.8, 0.8, 0.1]), np.array([0, 0, 1, 1])
    assert risk_at_coverage(confidence, wrong, coverage=0.3) == 1 / 3


@pytest.mark.parametrize("target", [-0.01, float("nan")])
def test_refuses_a_target_below_zero(target):
    with pytest.raises(InputError, match=f"a target risk must be at least 0, got {target}"):
        coverage_at_risk(np.array([0.5]), np.array([0]), target)


@pytest.mark.parametrize("coverage", [0, 1.01, float("nan")])
def test_refuses_a_coverage_outside_its_range(coverage):
    with pytest.raises(InputError, match=rf"a coverage must lie in \(0, 1\], got {coverage}"):
        risk_at_coverage(np.array([0.5]), np.array([0]), coverage)

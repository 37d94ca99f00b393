import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from pipeline.errors import InputError
from pipeline.metrics.cox import (
    LARGEST_LOG_ODDS,
    cox_line,
    cox_lines_by_class,
    one_vs_rest_log_odds,
)


def outcomes(seed, n, *, intercept=0.0, slope=1.0):
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(0, 1.5, n)
    return log_odds, rng.random(n) < 1 / (1 + np.exp(-intercept - slope * log_odds))


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, 1.0), (0.5, 0.5), (-1.0, 2.0)])
def test_recovers_the_true_line(intercept, slope):
    line = cox_line(*outcomes(0, 100_000, intercept=intercept, slope=slope))
    # Standard errors of 100,000 cases are about 0.01.
    assert line.slope == pytest.approx(slope, abs=0.04)
    assert line.intercept == pytest.approx(intercept, abs=0.03)


def test_agrees_with_an_unpenalised_logistic_regression():
    log_odds, happened = outcomes(1, 400, intercept=0.3, slope=0.7)
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds[:, None], happened)
    line = cox_line(log_odds, happened)
    # The reference stops when its gradient is small, not exact.
    assert line.slope == pytest.approx(reference.coef_[0, 0], abs=1e-4)
    assert line.intercept == pytest.approx(reference.intercept_[0], abs=1e-4)


def test_the_shift_alone_makes_the_mean_prediction_right():
    log_odds, happened = outcomes(2, 300, intercept=0.8)
    shift = cox_line(log_odds, happened).intercept_at_slope_one
    assert np.mean(1 / (1 + np.exp(-log_odds - shift))) == pytest.approx(happened.mean(), abs=1e-9)


def test_stretching_the_predictions_divides_the_slope():
    log_odds, happened = outcomes(3, 500)
    assert cox_line(2 * log_odds, happened).slope == pytest.approx(
        cox_line(log_odds, happened).slope / 2
    )


def test_weights_are_repetitions():
    log_odds, happened = outcomes(4, 60)
    weights = np.random.default_rng(5).integers(0, 4, 60)
    repeated = cox_line(np.repeat(log_odds, weights), np.repeat(happened, weights))
    weighted = cox_line(log_odds, happened, weights=weights.astype(float))
    assert weighted.slope == pytest.approx(repeated.slope)
    assert weighted.intercept == pytest.approx(repeated.intercept)


@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.01, 1.0, 30.0, 1e4]))
def test_is_finite_or_says_why_not(seed, scale):
    rng = np.random.default_rng(seed)
    log_odds, happened = scale * rng.normal(size=8).round(1), rng.random(8) < 0.5
    try:
        line = cox_line(log_odds, happened)
    except InputError as error:
        assert "a Cox slope needs" in str(error)  # noqa: PT017
    else:
        assert np.isfinite([line.slope, line.intercept, line.intercept_at_slope_one]).all()


@pytest.mark.parametrize(
    ("log_odds", "happened", "message"),
    [
        ([-1.0, 0.0, 1.0], [0, 0, 1], "that separate them without error"),
        ([-1.0, 0.0, 1.0], [1, 1, 0], "that separate them without error"),
        # One shared value on the border still leaves the slope without bound.
        ([-1.0, 0.0, 0.0, 1.0], [0, 0, 1, 1], "that separate them without error"),
        ([-1.0, 1.0], [1, 1], "both outcomes, got 2 of 2"),
        ([-1.0, 1.0], [0, 0], "both outcomes, got 0 of 2"),
        ([0.5, 0.5], [0, 1], "log-odds 0.5 throughout"),
        ([np.inf, 40.0], [0, 1], "log-odds 36 throughout"),
        ([1.0], [1], "both outcomes, got 1 of 1"),
    ],
)
def test_says_why_there_is_no_line(log_odds, happened, message):
    with pytest.raises(InputError, match=message):
        cox_line(np.array(log_odds), np.array(happened))


def test_log_odds_are_those_of_the_class_against_the_rest():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 20)
    expected = np.log(probabilities / (1 - probabilities))
    np.testing.assert_allclose(one_vs_rest_log_odds(np.log(probabilities)), expected)


def test_log_odds_keep_what_a_probability_rounds_away():
    log_probabilities = np.array([[-np.exp(-20.0), -20.0], [0.0, -np.inf], [0.0, -104.0]])
    expected = [20.0, LARGEST_LOG_ODDS, LARGEST_LOG_ODDS]
    np.testing.assert_allclose(one_vs_rest_log_odds(log_probabilities)[:, 0], expected, rtol=1e-9)
    np.testing.assert_allclose(one_vs_rest_log_odds(log_probabilities)[:, 1], np.negative(expected))


def test_every_class_has_its_line_or_the_reason_why_not():
    rng = np.random.default_rng(6)
    probabilities = rng.dirichlet(np.ones(3), 200)
    # Class 2 never occurs.
    labels = (rng.random(200) < probabilities[:, 1]).astype(int)
    first, second, absent = cox_lines_by_class(np.log(probabilities), labels)
    odds = np.log(probabilities / (1 - probabilities))
    assert first.slope == pytest.approx(cox_line(odds[:, 0], labels == 0).slope)
    assert second.slope == pytest.approx(cox_line(odds[:, 1], labels == 1).slope)
    assert absent == "a Cox slope needs both outcomes, got 0 of 200"


def test_two_classes_have_one_slope_and_opposite_intercepts():
    log_odds, happened = outcomes(7, 300, intercept=0.4)
    chance = 1 / (1 + np.exp(-log_odds))
    first, second = cox_lines_by_class(
        np.log(np.column_stack([1 - chance, chance])), happened.astype(int)
    )
    assert first.slope == pytest.approx(second.slope)
    assert first.intercept == pytest.approx(-second.intercept)


@pytest.mark.parametrize("rounding", [0.0, 4e-16, -4e-16])
def test_cases_of_one_bin_do_not_overlap_by_rounding(rounding):
    # Histogram binning gives a bin's cases one confidence; its log-odds differ in the last place.
    log_odds = np.array([-4.0, -3.0, 3.4 + rounding, 3.4, 3.4, 4.0])
    outcomes = np.array([False, False, False, True, True, True])
    with pytest.raises(InputError, match="separate them without error"):
        cox_line(log_odds, outcomes)

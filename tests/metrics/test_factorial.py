"""Effects of a two-level factorial."""

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import InputError
from pipeline.metrics.factorial import design_of, effects, explained_share, line_through


def replicates(num_factors=3, num_replicates=4, seed=0):
    return np.random.default_rng(seed).normal(size=(2**num_factors, num_replicates))


def test_a_square_is_worked_out_by_hand():
    # Means 1, 3, 5, 11. First factor: (5 + 11 - 1 - 3) / 2; second: (3 + 11 - 1 - 5) / 2;
    # pair: ((11 - 5) - (3 - 1)) / 2. Each cell's variance is 2, so se = 2 sqrt(2 / 8) = 1.
    values = np.array([[0.0, 2.0], [2.0, 4.0], [4.0, 6.0], [10.0, 12.0]])
    found = effects(values, 2)
    assert [each.factors for each in found] == [(0,), (1,), (0, 1)]
    assert [each.estimate for each in found] == pytest.approx([6.0, 4.0, 2.0])
    assert [each.standard_error for each in found] == pytest.approx([1.0, 1.0, 1.0])
    assert found[2].p_value == pytest.approx(2 * stats.t.sf(2.0, 4))
    assert found[2].interval.lower == pytest.approx(2.0 - stats.t.ppf(0.975, 4))


def test_estimates_and_errors_are_those_of_least_squares_with_every_interaction():
    values = replicates()
    cells = np.array(design_of(3))
    columns = [np.ones(8), *cells.T, *(cells[:, i] * cells[:, j] for i, j in ((0, 1), (0, 2),
               (1, 2))), cells.prod(axis=1)]  # fmt: skip
    model = np.repeat(np.column_stack(columns), values.shape[1], axis=0)
    coefficients, residual, *_ = np.linalg.lstsq(model, values.ravel())
    variance = residual[0] / (values.size - 8)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(model.T @ model)))
    found = effects(values, 3)
    # A coefficient is half of the change from -1 to +1.
    assert [each.estimate / 2 for each in found] == pytest.approx(coefficients[1:7].tolist())
    assert [each.standard_error / 2 for each in found] == pytest.approx(errors[1:7].tolist())


def test_one_factor_is_the_two_sample_t_test():
    values = replicates(1, 5)
    (found,) = effects(values, 1)
    assert found.p_value == pytest.approx(stats.ttest_ind(*values).pvalue)


def test_a_constant_changes_no_effect_and_a_factor_scales_them():
    values = replicates()
    for plain, moved in zip(effects(values, 3), effects(5.0 - 3.0 * values, 3), strict=True):
        assert moved.estimate == pytest.approx(-3.0 * plain.estimate)
        assert moved.p_value == pytest.approx(plain.p_value)


def test_the_level_is_kept_where_half_of_the_cells_are_four_times_noisier():
    generator = np.random.default_rng(1)
    noise = np.where(np.arange(16) % 2, 4.0, 1.0)[:, None]
    draws = [effects(noise * generator.normal(size=(16, 3)), 4)[0].p_value for _ in range(2000)]
    # 5 % of 2,000 has a standard error of 0.5 points; a dozen and a half degrees of freedom are
    # taken for 32, which costs about one point.
    assert 0.035 < np.mean(np.array(draws) < 0.05) < 0.075


def test_effects_share_the_variation_between_cells_out():
    values = replicates(2)
    found = effects(values, 2)
    assert explained_share(values.mean(axis=1), found) == pytest.approx(1.0)
    assert explained_share(np.ones(4), found) is None


def test_replicates_that_agree_to_the_last_digit_have_no_p_value():
    (found,) = effects(np.array([[0.1, 0.1, 0.1], [0.2, 0.2, 0.2]]), 1)
    assert found.estimate == pytest.approx(0.1)
    assert (found.standard_error, found.p_value, found.interval) == (0.0, None, None)


def test_a_line_is_found_again_and_two_places_are_the_t_test():
    places = np.repeat([0.0, 3.0], 8)
    noise = np.random.default_rng(2).normal(size=16)
    found = line_through(places, 2.0 * places + noise)
    low, high = (2.0 * places + noise)[:8], (2.0 * places + noise)[8:]
    assert found.slope == pytest.approx((high.mean() - low.mean()) / 3.0)
    ends = stats.ttest_ind(high, low).confidence_interval(0.95)
    assert (found.interval.lower, found.interval.upper) == pytest.approx(
        (ends.low / 3.0, ends.high / 3.0)
    )
    assert 0.9 < found.share < 1.0
    assert line_through(np.ones(16), noise) is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((3, 2)), r"4 cells .* got an array of shape \(3, 2\)"),
        (np.ones((4, 1)), r"at least 2 replicates"),
        (np.full((4, 2), np.nan), "finite"),
    ],
)
def test_a_missing_cell_or_replicate_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        effects(values, 2)

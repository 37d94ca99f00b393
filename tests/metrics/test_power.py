"""The least difference that so many seeds would have shown."""

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import InputError
from pipeline.metrics.comparisons import paired_t_p_value
from pipeline.metrics.power import detectable_difference


def test_two_pairs_are_worked_out_by_hand():
    """With one degree of freedom T exceeds c where z + lambda > c |w|, z and w standard normal.

    At a level of 1/2 c is 1, the tangent of pi / 4. Turned by 45 degrees, both z + w > -lambda
    and z - w > -lambda are independent: power = Phi(lambda / sqrt 2)^2.
    """
    noncentrality = np.sqrt(2) * stats.norm.ppf(np.sqrt(0.8))
    expected = noncentrality * 3.0 / np.sqrt(2)
    assert detectable_difference(3.0, 2, 0.5) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("num_pairs", "level"), [(5, 0.05), (5, 0.05 / 16), (10, 0.05)])
def test_by_scipys_distribution_the_power_is_80_percent_both_tails_counted(num_pairs, level):
    # What the other tail adds is less than 1e-4.
    noncentrality = detectable_difference(1.0, num_pairs, level) * np.sqrt(num_pairs)
    critical = stats.t.ppf(1 - level / 2, num_pairs - 1)
    right = stats.nct.sf(critical, num_pairs - 1, noncentrality)
    wrong = stats.nct.cdf(-critical, num_pairs - 1, noncentrality)
    assert right + wrong == pytest.approx(0.8, abs=1e-4)


def test_many_pairs_need_what_the_normal_distribution_says():
    # z(0.975) + z(0.8) standard errors; the t of 9,999 degrees differs in the fourth digit.
    expected = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / np.sqrt(10_000)
    assert detectable_difference(1.0, 10_000, 0.05) == pytest.approx(expected, rel=1e-3)


def test_it_grows_with_the_scatter_and_falls_with_pairs_and_with_the_level():
    least = detectable_difference(1.0, 5, 0.05)
    assert detectable_difference(2.0, 5, 0.05) == pytest.approx(2 * least, rel=1e-12)
    assert detectable_difference(1.0, 10, 0.05) < least < detectable_difference(1.0, 5, 0.05 / 16)


@pytest.mark.parametrize(("deviation", "num_pairs"), [(None, 1), (0.0, 5), (1.0, 1)])
def test_where_no_test_is_defined_nothing_is_detectable(deviation, num_pairs):
    assert detectable_difference(deviation, num_pairs, 0.05) is None


@pytest.mark.parametrize(("level", "power"), [(0.0, 0.8), (1.0, 0.8), (0.05, 1.0)])
def test_a_level_or_power_that_is_no_chance_is_refused(level, power):
    with pytest.raises(InputError, match="level"):
        detectable_difference(1.0, 5, level, power)


@pytest.mark.slow
@pytest.mark.parametrize(("num_pairs", "level"), [(5, 0.05), (5, 0.05 / 16), (10, 0.05 / 84)])
def test_the_test_that_pages_use_sees_it_in_four_of_five_simulations(num_pairs, level):
    """20,000 simulations: the standard error of the share is 0.003, five of them 0.014."""
    true = detectable_difference(1.0, num_pairs, level)
    draws = np.random.default_rng(0).normal(true, 1.0, (20_000, num_pairs))
    seen = [paired_t_p_value(row) <= level for row in draws]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.014)

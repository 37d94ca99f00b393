import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pipeline.errors import InputError
from pipeline.metrics.calibration_error import ada_ece, ece, mce
from pipeline.metrics.reliability import consistency_band, reliability
from tests.metrics.simulated_studies import calibrated_study


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 80), num_bins=st.integers(1, 20))
def test_its_gaps_are_those_of_the_binned_errors(seed, n, num_bins):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.random(n), rng.integers(0, 2, n)
    for kind, error in (("width", ece), ("mass", ada_ece)):
        points = reliability(confidence, correct, num_bins, kind)
        gaps = np.abs(points.accuracy - points.mean_confidence)
        assert np.nansum(points.counts * gaps) / n == pytest.approx(
            error(confidence, correct, num_bins), abs=1e-12
        )
        if kind == "width":
            assert np.nanmax(gaps) == pytest.approx(mce(confidence, correct, num_bins), abs=1e-12)


def test_an_empty_bin_has_no_point():
    points = reliability(np.array([0.9]), np.array([1]), 2)
    np.testing.assert_array_equal(points.counts, [0, 1])
    np.testing.assert_array_equal(points.accuracy, [np.nan, 1.0])


def test_equal_mass_bins_by_hand():
    points = reliability(np.array([0.9, 0.5, 0.7]), np.array([1, 0, 1]), 2, "mass")
    np.testing.assert_array_equal(points.counts, [2, 1])
    np.testing.assert_allclose(points.mean_confidence, [(0.5 + 0.7) / 2, 0.9])
    np.testing.assert_allclose(points.accuracy, [1 / 2, 1])


def test_the_band_is_the_binomial_range_where_a_bin_holds_one_confidence():
    alone = np.arange(50)
    band = consistency_band(np.full(50, 0.8), alone % 5 > 0, alone, num_bins=1)
    np.testing.assert_allclose(
        [band.lower[0], band.upper[0]], binom.ppf([0.025, 0.975], 50, 0.8) / 50
    )


def test_two_bins_share_the_five_percent_as_sidak_has_it():
    confidence = np.repeat([0.3, 0.8], 50)
    band = consistency_band(confidence, np.ones(100, int), np.arange(100), num_bins=2)
    tail = (1 - np.sqrt(0.95)) / 2
    for b, chance in enumerate((0.3, 0.8)):
        expected = binom.ppf([tail, 1 - tail], 50, chance) / 50
        np.testing.assert_allclose([band.lower[b], band.upper[b]], expected)


def test_three_copies_of_each_patients_case_leave_the_band_as_wide_as_one():
    confidence = np.full(300, 0.8)
    correct, patients = np.arange(300) % 5 > 0, np.arange(300)
    one = consistency_band(confidence, correct, patients, num_bins=1)
    thrice = (np.repeat(each, 3) for each in (confidence, correct, patients))
    three = consistency_band(*thrice, num_bins=1)
    # A count of 900 in steps of one case instead of three.
    assert three.lower[0] == pytest.approx(one.lower[0], abs=1 / 300)
    assert three.upper[0] == pytest.approx(one.upper[0], abs=1 / 300)


def is_off(confidence, correct, patients):
    num_bins = max(1, min(15, len(confidence) // 30))
    points = reliability(confidence, correct, num_bins, "mass")
    band = consistency_band(confidence, correct, patients, num_bins, "mass")
    return bool(((points.accuracy < band.lower) | (points.accuracy > band.upper)).any())


KINDS = ("independent", "copies", "dependent", "uneven", "hard")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [300, 3000])
def test_one_calibrated_study_in_twenty_is_called_off_in_any_bin(kind, n):
    """Measured over 1,000 studies of 300 and of 3,000 cases, in percent.

    Independent 2.0 and 3.2, copies 3.1 and 5.7, dependent 2.4 and 2.3, uneven 3.6 and 3.5, hard 2.1
    and 2.6. Bars drawn case by case and bin by bin called off 57 of 100 studies of 3,000
    independent cases and 98 of 100 of 1,000 patients with three copies each. Of six patients with
    fifty dependent images each 9 are called off: so few tell too little of their dependence.
    """
    off = np.mean([is_off(*calibrated_study(seed, kind, n)) for seed in range(1000)])
    # Counts are discrete, so it is fewer; 5 % of 1,000 has a standard error of 0.7 %.
    assert 0.002 <= off <= 0.05 + 3 * 0.007


def test_of_a_hundred_calibrated_studies_few_are_called_off_whether_or_not_images_depend():
    for kind in ("independent", "copies"):
        off = sum(is_off(*calibrated_study(seed, kind, 3000)) for seed in range(100))
        # Case by case and bin by bin it was 57 and 98 of 100; of 5 % eleven or more are 1 in 100.
        assert off <= 10


def test_a_model_that_is_too_sure_is_called_off_whether_or_not_images_depend():
    for kind in ("independent", "dependent"):
        confidence, correct, patients = calibrated_study(0, kind, 3000)
        assert is_off(confidence + 0.5 * (1 - confidence), correct, patients)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60))
def test_the_band_does_not_depend_on_the_order_of_the_rows(seed, n):
    generator = np.random.default_rng(seed)
    study = (
        generator.integers(0, 11, n) / 10,
        generator.random(n) < 0.6,
        generator.integers(0, 9, n),
    )
    order = generator.permutation(n)
    whole = consistency_band(*study, 5, "mass")
    other = consistency_band(*(each[order] for each in study), 5, "mass")
    np.testing.assert_array_equal([other.lower, other.upper], [whole.lower, whole.upper])


def test_an_empty_bin_has_no_band_and_takes_no_share_of_the_level():
    band = consistency_band(np.full(50, 0.8), np.arange(50) % 5 > 0, np.arange(50), num_bins=2)
    np.testing.assert_array_equal(np.isnan(band.lower), [True, False])
    assert band.lower[1] == binom.ppf(0.025, 50, 0.8) / 50


def test_refuses_unequal_lengths():
    with pytest.raises(InputError, match="confidence 2, correct 1"):
        reliability(np.array([0.5, 0.5]), np.array([1]))

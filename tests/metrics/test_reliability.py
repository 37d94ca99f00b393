import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pipeline.errors import InputError
from pipeline.metrics import reliability as module
from pipeline.metrics.calibration_error import ada_ece, ece, mce
from pipeline.metrics.reliability import consistency_band, reliability


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


def test_counts_every_case_in_one_bin():
    rng = np.random.default_rng(0)
    for kind in ("width", "mass"):
        points = reliability(rng.random(100), rng.integers(0, 2, 100), 7, kind)
        assert points.counts.sum() == 100
        assert points.edges[0] == 0
        assert points.edges[-1] == 1
        assert len(points.edges) == 7 + 1


def test_an_empty_bin_has_no_point():
    points = reliability(np.array([0.9]), np.array([1]), 2)
    np.testing.assert_array_equal(points.counts, [0, 1])
    np.testing.assert_array_equal(points.accuracy, [np.nan, 1.0])


def test_equal_mass_bins_by_hand():
    points = reliability(np.array([0.9, 0.5, 0.7]), np.array([1, 0, 1]), 2, "mass")
    np.testing.assert_array_equal(points.counts, [2, 1])
    np.testing.assert_allclose(points.mean_confidence, [(0.5 + 0.7) / 2, 0.9])
    np.testing.assert_allclose(points.accuracy, [1 / 2, 1])


def test_equal_confidences_share_a_mass_bin_and_leave_the_next_empty():
    points = reliability(np.array([0.7, 0.7, 0.7, 0.5]), np.array([1, 0, 1, 0]), 4, "mass")
    np.testing.assert_array_equal(points.counts, [1, 3, 0, 0])
    np.testing.assert_allclose(points.mean_confidence, [0.5, 0.7, np.nan, np.nan])
    np.testing.assert_allclose(points.accuracy, [0, 2 / 3, np.nan, np.nan])


def test_the_band_is_the_binomial_range_where_a_bin_holds_one_confidence():
    band = consistency_band(np.full(50, 0.8), num_bins=1, seed=0, num_draws=20_000)
    expected = binom.ppf([0.025, 0.975], 50, 0.8) / 50
    # Drawn quantiles of a count may be off by one of 50.
    np.testing.assert_allclose([band.lower[0], band.upper[0]], expected, atol=1 / 50 + 1e-12)


def test_a_calibrated_model_falls_into_the_band_as_often_as_it_says():
    rng = np.random.default_rng(1)
    inside = []
    for seed in range(40):
        confidence = rng.random(400)
        points = reliability(confidence, rng.random(400) < confidence, 10)
        band = consistency_band(confidence, 10, seed=seed, num_draws=300)
        inside.extend((points.accuracy >= band.lower) & (points.accuracy <= band.upper))
    # 400 bins at 95 %: standard error 1.1 %; counts are discrete, so it is rather more than 95 %.
    assert 0.93 <= np.mean(inside) <= 1.0


def test_the_band_does_not_depend_on_how_many_labels_are_drawn_at_once(monkeypatch):
    confidence = np.random.default_rng(0).random(30)
    whole = consistency_band(confidence, 5, "mass", seed=0)
    monkeypatch.setattr(module, "BLOCK_ELEMENTS", 70)
    parts = consistency_band(confidence, 5, "mass", seed=0)
    np.testing.assert_array_equal([parts.lower, parts.upper], [whole.lower, whole.upper])


def test_an_overconfident_model_falls_below_the_band():
    confidence = np.full(500, 0.9)
    points = reliability(confidence, np.arange(500) % 4 > 0, 10)
    band = consistency_band(confidence, 10, seed=0)
    assert points.accuracy[8] < band.lower[8]


def test_an_empty_bin_has_no_band():
    band = consistency_band(np.array([0.9]), num_bins=2, seed=0, num_draws=10)
    np.testing.assert_array_equal(np.isnan(band.lower), [True, False])


def test_refuses_unequal_lengths():
    with pytest.raises(InputError, match="confidence 2, correct 1"):
        reliability(np.array([0.5, 0.5]), np.array([1]))

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metrics.smoothing import GRID_SIZE, cell_centres, grid_sums, smoothed, spectrum


@given(confidence=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_sharing_between_centres_keeps_totals(confidence):
    values = np.arange(1.0, len(confidence) + 1)
    sums = grid_sums(np.array(confidence), values, np.ones(len(confidence)))
    assert sums.sum() == pytest.approx(values.sum())


def test_sharing_between_centres_keeps_the_place():
    # A quarter of the way from the third centre to the fourth.
    sums = grid_sums(np.array([2.75 / GRID_SIZE]), np.array([8.0]), np.ones(1))
    np.testing.assert_allclose(sums[:4], [0, 0, 8 * 0.75, 8 * 0.25])


@pytest.mark.parametrize("end", [0, -1])
def test_the_ends_fall_into_the_outermost_cells(end):
    sums = grid_sums(np.array([[0.0], [1.0]][end]), np.array([3.0]), np.ones(1))
    assert sums[end] == 3.0


@pytest.mark.parametrize("bandwidth", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("place", [0.0, 0.03, 0.5, 1.0])
def test_smooths_by_the_reflected_gaussian(place, bandwidth):
    smooth = smoothed(spectrum(grid_sums(np.array([place]), 1.0, np.ones(1))), bandwidth)
    images = np.array([sign * place + 2 * turn for turn in range(-6, 7) for sign in (1, -1)])
    distance = (cell_centres()[:, None] - images) / bandwidth
    expected = np.exp(-(distance**2) / 2).sum(axis=1) / np.sqrt(2 * np.pi) / bandwidth / GRID_SIZE
    # Sharing between two centres widens the Gaussian by at most 1 / (2 * 1,024).
    np.testing.assert_allclose(smooth, expected, atol=0.002 * expected.max())


def test_smoothing_keeps_the_total_of_every_row():
    sums = np.random.default_rng(0).normal(size=(3, GRID_SIZE))
    smooth = smoothed(spectrum(sums), np.array([0.01, 0.1, 1.0]))
    np.testing.assert_allclose(smooth.sum(axis=1), sums.sum(axis=1))


def test_no_bandwidth_changes_nothing():
    sums = np.random.default_rng(1).normal(size=GRID_SIZE)
    np.testing.assert_allclose(smoothed(spectrum(sums), 0.0), sums, atol=1e-12)

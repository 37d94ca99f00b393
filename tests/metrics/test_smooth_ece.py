import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.smooth_ece import (
    GRID_SIZE,
    cell_centres,
    grid_sums,
    smooth_ece,
    smooth_ece_bandwidth,
    smoothed,
    spectrum,
)


def outcomes(seed, n, gap=0.0):
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 1, n)
    return confidence, (rng.random(n) < confidence - gap).astype(int)


def integral(confidence, correct, bandwidth):
    """Integrate the definition on a fine grid, one reflected Gaussian a case."""
    points = (np.arange(4000) + 0.5) / 4000
    total = np.zeros_like(points)
    for image in [sign * confidence + 2 * turn for turn in (-1, 0, 1) for sign in (1, -1)]:
        kernel = np.exp(-0.5 * ((points[:, None] - image) / bandwidth) ** 2)
        total += kernel @ (correct - confidence) / (np.sqrt(2 * np.pi) * bandwidth)
    return np.abs(total / len(confidence)).mean()


@pytest.mark.parametrize("gap", [0.0, 0.05, 0.3])
def test_follows_the_definition_at_the_bandwidth_found(gap):
    confidence, correct = outcomes(seed=0, n=200, gap=gap)
    bandwidth = float(smooth_ece_bandwidth(confidence, correct, np.ones(200)))
    # The grid of 1,024 cells blurs by at most (1 / 1,024)^2 / 6 of variance: 0.05 % at 0.02.
    expected = integral(confidence, correct, bandwidth)
    assert smooth_ece(confidence, correct) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_the_error_is_its_own_bandwidth(gap):
    confidence, correct = outcomes(seed=1, n=500, gap=gap)
    bandwidth = smooth_ece_bandwidth(confidence, correct, np.ones(500))
    # Halved 17 times, and the error falls no faster than some tens of its bandwidth.
    assert smooth_ece(confidence, correct) == pytest.approx(float(bandwidth), abs=3e-5)


@pytest.mark.parametrize("gap", [0.05, 0.2])
def test_finds_a_known_gap(gap):
    confidence, correct = outcomes(seed=2, n=100_000, gap=gap)
    # Confidences below the gap cannot fall by all of it: beta(4, 1) has 0.2^4 of them.
    assert smooth_ece(confidence, correct) == pytest.approx(gap, abs=0.005)


@given(seed=st.integers(0, 2**32 - 1))
def test_moving_confidences_a_little_moves_the_error_a_little(seed):
    confidence, correct = outcomes(seed, n=50)
    moved = np.clip(confidence + np.random.default_rng(seed).uniform(-1e-3, 1e-3, 50), 0, 1)
    assert smooth_ece(moved, correct) == pytest.approx(smooth_ece(confidence, correct), abs=5e-3)


def test_certain_and_wrong_has_the_largest_error():
    # Reflection keeps all of the residual -1, whatever the bandwidth.
    assert smooth_ece(np.array([1.0]), np.array([0])) == pytest.approx(1.0)


def test_refuses_confidence_beyond_one():
    with pytest.raises(InputError, match=r"confidence must lie in \[0, 1\]"):
        smooth_ece(np.array([1.5]), np.array([1]))


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

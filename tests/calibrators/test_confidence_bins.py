import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calibrators.confidence_bins import (
    bin_of,
    equal_mass_edges,
    smoothed_accuracy,
)


@pytest.mark.parametrize(("n", "num_bins"), [(1, 1), (1, 20), (7, 3), (1_000, 20), (1_003, 20)])
def test_distinct_scores_fall_into_bins_of_nearly_equal_mass(n, num_bins):
    scores = np.random.default_rng(0).permutation(n).astype(float)
    counts = np.bincount(bin_of(scores, equal_mass_edges(scores, num_bins)))
    assert len(counts) == min(n, num_bins)
    assert counts.max() - counts.min() <= 1


@given(st.lists(st.integers(0, 10), min_size=1, max_size=200), st.integers(1, 30))
def test_equal_scores_share_a_bin_and_no_bin_is_empty(values, num_bins):
    scores = np.array(values, dtype=float)
    edges = equal_mass_edges(scores, num_bins)
    counts = np.bincount(bin_of(scores, edges), minlength=len(edges) + 1)
    assert (np.diff(edges) > 0).all()
    assert (counts > 0).all()
    assert not np.isin(edges, scores).any()


def test_an_edge_among_equal_scores_moves_to_their_nearer_end():
    scores = np.array([0.0] * 4 + [1.0] * 6)
    np.testing.assert_array_equal(equal_mass_edges(scores, 20), [0.5])
    # The middle, 5 of 10, lies nearer to the end at 4 than to that at 8.
    np.testing.assert_array_equal(
        equal_mass_edges(np.array([0.0] * 4 + [1.0] * 4 + [2.0] * 2), 2), [0.5]
    )


def test_neighbouring_floats_can_be_told_apart():
    scores = np.array([1.0, np.nextafter(1.0, 2.0)])
    np.testing.assert_array_equal(bin_of(scores, equal_mass_edges(scores, 2)), [0, 1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300), st.integers(1, 40), st.integers(1, 60))
def test_merged_bins_hold_the_minimum_or_everything(values, num_bins, minimum):
    scores = np.array(values)
    wanted = equal_mass_edges(scores, num_bins)
    edges = equal_mass_edges(scores, num_bins, at_least=minimum)
    counts = np.bincount(bin_of(scores, edges), minlength=len(edges) + 1)
    assert len(edges) == 0 or counts.min() >= minimum
    assert np.isin(edges, wanted).all()


def test_bins_large_enough_are_left_alone():
    scores = np.arange(100.0)
    edges = equal_mass_edges(scores, 4)
    np.testing.assert_array_equal(equal_mass_edges(scores, 4, at_least=25), edges)


def test_accuracy_is_smoothed_towards_what_is_expected():
    hits, counts = np.array([0.0, 3.0]), np.array([2, 3])
    np.testing.assert_allclose(smoothed_accuracy(hits, counts), [1 / 4, 4 / 5])
    np.testing.assert_allclose(
        smoothed_accuracy(hits, counts, np.array([0.9, 0.9])), [1.8 / 4, 4.8 / 5]
    )

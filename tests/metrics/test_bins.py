import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.bins import mass_bins, width_bins


@pytest.mark.parametrize("num_bins", [1, 10, 15, 20, 30, 49, 1000])
def test_every_edge_falls_into_the_bin_that_it_closes(num_bins):
    edges = np.arange(num_bins + 1) / num_bins
    np.testing.assert_array_equal(width_bins(edges, num_bins).index, [0, *range(num_bins)])
    above = np.nextafter(edges[:-1], 1)
    np.testing.assert_array_equal(width_bins(above, num_bins).index, range(num_bins))


@given(
    confidence=st.lists(st.floats(0, 1), min_size=1, max_size=50),
    num_bins=st.integers(1, 60),
)
def test_width_bins_follow_the_definition(confidence, num_bins):
    confidence = np.array(confidence)
    edges = [j / num_bins for j in range(num_bins + 1)]
    expected = [next(j for j in range(num_bins) if c <= edges[j + 1]) for c in confidence]
    np.testing.assert_array_equal(width_bins(confidence, num_bins).index, expected)


def test_float32_confidence_is_binned_by_its_value():
    # 0.2 in float32 is a little above one fifth: it belongs to the next bin.
    assert width_bins(np.array([0.2], dtype=np.float32), 5).index == [1]


def parts_of(confidence, num_bins):
    """Split places by confidence as numpy does, then give each run of equals to its first bin."""
    first = {}
    for number, part in enumerate(np.array_split(np.sort(confidence), num_bins)):
        for value in part:
            first.setdefault(value, number)
    numbers = np.array([first[value] for value in confidence])
    return [np.flatnonzero(numbers == number) for number in range(num_bins)]


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 60),
    num_bins=st.integers(1, 20),
    levels=st.sampled_from([1, 4, 10**6]),
)
def test_mass_bins_are_those_of_numpy_with_equals_in_the_lower_bin(seed, n, num_bins, levels):
    rng = np.random.default_rng(seed)
    confidence, values = rng.integers(0, levels + 1, n) / levels, rng.normal(size=n)
    parts = parts_of(confidence, num_bins)
    bins = mass_bins(confidence, num_bins)
    np.testing.assert_array_equal(bins.counts(np.ones(n)), [len(part) for part in parts])
    # A bin's sum is that of one case more less that case: rounding of both.
    np.testing.assert_allclose(
        bins.sums(values, np.ones(n)), [values[part].sum() for part in parts], atol=1e-12
    )


@pytest.mark.parametrize(
    ("confidence", "num_bins", "counts"),
    [
        pytest.param([0.5], 3, [1, 0, 0], id="one case"),
        pytest.param([0.5, 0.5], 2, [2, 0], id="all tied"),
        pytest.param([1.0] * 6, 3, [6, 0, 0], id="saturated"),
        pytest.param([0.1, 0.2, 0.2, 0.3], 2, [3, 1], id="a run across an edge"),
        pytest.param([0.2, 0.2, 0.3, 0.4], 2, [2, 2], id="a run that ends at an edge"),
        pytest.param([0.1, 0.2, 0.3, 0.3], 2, [2, 2], id="a run that begins at an edge"),
        pytest.param([0.1, 0.2, 0.2, 0.2, 0.2, 0.9], 3, [5, 0, 1], id="a run across two edges"),
        pytest.param([0.1, 0.9, 0.9, 0.9], 4, [1, 3, 0, 0], id="a run to the end"),
        pytest.param([0.1, np.nextafter(0.1, 1)], 2, [1, 1], id="neighbours are no equals"),
        pytest.param([0.0, 0.0, 1.0, 1.0], 4, [2, 0, 2, 0], id="0 and 1"),
    ],
)
def test_an_edge_that_would_cut_equals_moves_to_their_end(confidence, num_bins, counts):
    bins = mass_bins(np.array(confidence), num_bins)
    np.testing.assert_array_equal(bins.counts(np.ones(len(confidence))), counts)
    np.testing.assert_array_equal(np.bincount(bins.numbers(), minlength=num_bins), counts)
    assert (np.diff(bins.edges()) >= 0).all()


def test_saturated_float32_confidences_share_a_bin():
    confidence = np.float32([1 - 2**-24, 1, 0.5, 1, 1])
    np.testing.assert_array_equal(mass_bins(confidence, 2).counts(np.ones(5)), [5, 0])


@given(
    seed=st.integers(0, 2**32 - 1),
    num_bins=st.integers(1, 20),
    levels=st.sampled_from([1, 7, 40]),
)
def test_the_order_of_rows_decides_no_digit_of_a_sum(seed, num_bins, levels):
    rng = np.random.default_rng(seed)
    confidence, values = rng.integers(0, levels + 1, 50) / levels, rng.normal(size=50)
    shuffled = rng.permutation(50)
    bins, again = mass_bins(confidence, num_bins), mass_bins(confidence[shuffled], num_bins)
    ones = np.ones(50)
    np.testing.assert_array_equal(bins.sums(values, ones), again.sums(values[shuffled], ones))
    np.testing.assert_array_equal(bins.edges(), again.edges())
    np.testing.assert_array_equal(bins.numbers()[shuffled], again.numbers())


@given(
    seed=st.integers(0, 2**32 - 1), num_bins=st.integers(1, 8), levels=st.sampled_from([3, 10**6])
)
def test_the_repeats_of_one_case_share_a_mass_bin(seed, num_bins, levels):
    rng = np.random.default_rng(seed)
    confidence, values = rng.integers(0, levels + 1, 6) / levels, rng.normal(size=6)
    weights = rng.integers(0, 4, (3, 6)) + np.array([1, 0, 0, 0, 0, 0])
    bins = mass_bins(confidence, num_bins)
    for row, sums, counts in zip(
        weights, bins.sums(values, weights * 1.0), bins.counts(weights * 1.0), strict=True
    ):
        listed = np.repeat(np.arange(6), row)
        parts = [listed[part] for part in parts_of(confidence[listed], num_bins)]
        np.testing.assert_array_equal(counts, [len(part) for part in parts])
        np.testing.assert_allclose(sums, [values[part].sum() for part in parts], atol=1e-12)


def test_mass_edges_lie_between_the_neighbours_they_part():
    edges = mass_bins(np.array([0.1, 0.2, 0.6, 0.8]), 2).edges()
    np.testing.assert_allclose(edges, [0.0, (0.2 + 0.6) / 2, 1.0])


def test_mass_edges_ascend_though_bins_outnumber_cases():
    edges = mass_bins(np.array([0.5, 0.25]), 5).edges()
    assert (np.diff(edges) >= 0).all()


@pytest.mark.parametrize("bins", [width_bins, mass_bins])
@pytest.mark.parametrize(
    ("confidence", "num_bins", "message"),
    [
        ([], 15, "at least one case"),
        ([0.5], 0, "num_bins must be at least 1, got 0"),
        ([0.5, 1.5], 15, r"confidence must lie in \[0, 1\], got 0\.5\.\.1\.5"),
        ([-0.25], 15, r"got -0\.25\.\.-0\.25"),
        ([0.5, np.nan], 15, r"confidence must lie in \[0, 1\]"),
    ],
)
def test_refuses_what_cannot_be_binned(bins, confidence, num_bins, message):
    with pytest.raises(InputError, match=message):
        bins(np.array(confidence), num_bins)


@pytest.mark.parametrize("make", [width_bins, mass_bins])
@pytest.mark.parametrize("num_bins", [1, 3, 7, 50])
def test_numbers_say_the_bin_that_sums_count_a_case_in(make, num_bins):
    rng = np.random.default_rng(0)
    # Twenty cases, some of equal confidence, in more and in fewer bins than cases.
    confidence, values = rng.integers(0, 9, 20) / 8, rng.random(20)
    bins = make(confidence, num_bins)
    expected = np.bincount(bins.numbers(), weights=values, minlength=num_bins)
    np.testing.assert_allclose(bins.sums(values, np.ones(20)), expected, atol=1e-15)


@pytest.mark.parametrize("num_bins", [1, 4, 30])
def test_mass_sums_of_many_resamples_in_blocks_are_those_of_each_alone(monkeypatch, num_bins):
    rng = np.random.default_rng(0)
    confidence, values = rng.integers(0, 9, 20) / 8, rng.normal(size=20)
    weights = rng.integers(0, 4, (2, 7, 20)).astype(float)
    # A resample of fewer cases than bins next to full ones, whose list must not run into theirs.
    weights[0, 3] = np.arange(20) == 5
    bins = mass_bins(confidence, num_bins)
    alone = [[bins.sums(values, row) for row in rows] for rows in weights]
    monkeypatch.setattr("pipeline.metrics.bins.BLOCK_ELEMENTS", 60)
    np.testing.assert_array_equal(bins.sums(values, weights), alone)


@given(
    edge=st.integers(0, 15),
    steps=st.integers(-3, 3),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_neighbours_of_an_edge_fall_on_their_own_side(edge, steps, dtype):
    confidence = dtype(edge / 15)
    for _ in range(abs(steps)):
        confidence = np.nextafter(confidence, dtype(2 * (steps > 0)))
    confidence = np.clip(confidence, dtype(0), dtype(1))
    expected = next(j for j in range(15) if float(confidence) <= (j + 1) / 15)
    assert width_bins(np.array([confidence], dtype=dtype)).index == [expected]

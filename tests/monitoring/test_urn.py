from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import binom, kstest

from pipeline.monitoring.betting import log_wealth, tilted_bets, uniform_bets
from pipeline.monitoring.urn import SEED, ReferenceBins, conformal_p_values, next_chances

DELTA = 0.05


def slow_p_values(values, reference):
    """Return the places, counted one by one: an edge without ties belongs to the bin above it."""
    quantiles = list(reference.edges)
    lots = np.random.default_rng(SEED).random(len(values))

    def bin_of(value):
        if value in quantiles and reference.masses[2 * quantiles.index(value) + 1] > 0:
            return 2 * quantiles.index(value) + 1
        return 2 * sum(edge <= value for edge in quantiles)

    masses = list(reference.masses)
    places = []
    for value, lot in zip(values, lots, strict=True):
        own = bin_of(value)
        places.append((sum(masses[:own]) + lot * masses[own]) / sum(masses))
        masses[own] += 1
    return places


def test_the_chances_of_the_urn_are_those_of_every_order_being_as_likely():
    # Two of the reference and two new values, in all 24 orders: which bins are the new ones in?
    reference = ReferenceBins.of_quantiles(np.array([0.0, 1.0]), 2)
    seen = Counter()
    for order in permutations(range(4)):
        low, high = sorted(order[:2])
        edges = ReferenceBins(np.array([low, high], float), reference.masses)
        seen[tuple(edges.bin_of(np.array(order[2:], float)).tolist())] += 1
    bins = (0, 2, 4)
    np.testing.assert_array_equal(reference.masses, [1, 0, 1, 0, 1])
    for first in bins:
        for second in bins:
            assert seen[first, second] / 24 == pytest.approx(1 / 3 * (1 + (first == second)) / 4)


def test_places_are_those_counted_one_by_one_across_blocks():
    random = np.random.default_rng(1)
    own = np.round(random.random(60), 1)  # with ties
    reference = ReferenceBins.of_quantiles(np.quantile(own, np.linspace(0, 1, 11)), len(own))
    values = np.concatenate([np.round(random.random(1_100), 1), [-1.0, 2.0]])
    places = conformal_p_values(values, reference)
    np.testing.assert_allclose(places, slow_p_values(values, reference), rtol=1e-12)


def test_there_is_one_place_more_than_the_reference_has_patients():
    for quantiles in ([0.2, 0.4, 0.6], [0.5, 0.5, 0.5], [0.1, 1.0, 1.0]):
        assert ReferenceBins.of_quantiles(np.array(quantiles), 40).masses.sum() == 41


def test_a_log_that_grew_gives_what_it_gave_before():
    values = np.random.default_rng(2).random(1_300)
    reference = ReferenceBins.of_quantiles(np.linspace(0, 1, 101), 300)
    whole = conformal_p_values(values, reference)
    np.testing.assert_array_equal(conformal_p_values(values[:700], reference), whole[:700])


def drawn(seed, *, num_reference, num_new, digits=None):
    """Return the reference's bins and new values of the same distribution."""
    random = np.random.default_rng(seed)
    values = random.beta(6, 1, num_reference + num_new)
    if digits is not None:
        values = np.round(values, digits)
    own, new = values[:num_reference], values[num_reference:]
    quantiles = np.quantile(own, np.linspace(0, 1, 101))
    return ReferenceBins.of_quantiles(quantiles, num_reference), new


def test_places_of_exchangeable_values_are_uniform():
    places = [
        conformal_p_values(new, bins)[-1]
        for bins, new in (drawn(seed, num_reference=101, num_new=20) for seed in range(400))
    ]
    # One run in a thousand would fail; the seeds are fixed.
    assert kstest(places, "uniform").pvalue > 1e-3


def test_the_expected_wealth_against_an_event_as_likely_as_in_the_urn_is_one():
    share, num = 0.25, 4
    expected = 0.0
    for code in range(2**8):
        happened = np.array([bool(code >> place & 1) for place in range(8)])
        chances = next_chances(happened, share=share, num_patients=num)
        chance = np.where(happened, chances, 1 - chances).prod()
        expected += chance * np.exp(log_wealth(tilted_bets(happened, chances))[-1])
    assert expected == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_never_happened_in_the_reference_is_not_impossible(share):
    chances = next_chances(np.array([True, False]), share=share, num_patients=10)
    assert ((chances > 0) & (chances < 1)).all()


@pytest.mark.slow
@pytest.mark.parametrize("digits", [None, 2, 1])
@pytest.mark.parametrize("num_reference", [60, 400])
def test_in_300_series_of_10000_like_the_reference_at_most_delta_are_alarmed(num_reference, digits):
    runs = 300
    highest = []
    for seed in range(runs):
        bins, new = drawn(seed, num_reference=num_reference, num_new=10_000, digits=digits)
        highest.append(log_wealth(uniform_bets(conformal_p_values(new, bins))).max())
    assert (np.array(highest) >= -np.log(DELTA)).sum() <= binom.ppf(0.999, runs, DELTA)

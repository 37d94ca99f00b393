from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.config.claims import Claim
from pipeline.findings.measuring import Measured
from pipeline.findings.verdicts import answer, pool, standing_of, together, verdict_of
from pipeline.metrics.comparisons import holm
from pipeline.metrics.power import detectable_difference
from tests.findings.simulated_evidence import evidence, part

LEVEL = 0.05
NAMES = ("one", "two", "three", "four", "five", "six")


def claim(*parts):
    return Claim(key="c", statement="GCE is better", source="Here", parts=list(parts) or [part()])


def studies(*effects, metric="ece", **changes):
    """An experiment for each effect of GCE on a metric."""
    return [
        evidence(name, {("gce", "*"): {metric: effect}}, seed=number, **changes)
        for number, (name, effect) in enumerate(zip(NAMES, effects, strict=False))
    ]


def measured(dataset, *differences):
    return Measured(dataset, dataset, "a − b", differences, (dataset,))


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ((-0.05, -0.05, 0.0, 0.0), "supported"),
        ((-0.05, 0.0, 0.0), "undecided"),
        ((-0.05, -0.05, -0.05, 0.05), "undecided"),
        ((0.0, 0.0), "undecided"),
        ((0.05, 0.05, -0.05), "contradicted"),
        ((0.05, 0.0, 0.0, 0.0), "contradicted"),
        ((), "not tested"),
    ],
)
def test_the_verdict_is_what_the_simulation_planted(effects, verdict):
    # An effect of 0.05 is 25 standard deviations of the noise: five seeds cannot miss it.
    assert answer(claim(), studies(*effects), LEVEL).verdict == verdict


@pytest.mark.parametrize(
    ("effect", "standing"), [(0.0, "for"), (-0.005, "for"), (-0.03, "against"), (0.03, "for")]
)
def test_not_worse_by_the_margin_is_for_the_claim_and_far_below_it_against(effect, standing):
    accuracy = part(metric="accuracy", expected="higher", kind="non_inferiority", margin=0.01)
    every = studies(effect, metric="accuracy", noise=0.001)
    (row,) = answer(claim(accuracy), every, LEVEL).parts[0].tested
    assert row.standing == standing


def test_an_effect_on_the_margin_is_not_distinguishable_from_it():
    accuracy = part(metric="accuracy", expected="higher", kind="non_inferiority", margin=0.01)
    found = measured("a", -0.01, -0.012, -0.008, -0.011, -0.009)
    assert standing_of(accuracy, found.differences, 1.0, 1.0, LEVEL) == "open"


def test_within_the_margin_means_that_the_whole_interval_is():
    error = part(kind="non_inferiority", margin=0.01)
    for effect in (-0.02, 0.0, 0.006, 0.008, 0.01, 0.02):
        (row,) = answer(claim(error), studies(effect), LEVEL).parts[0].tested
        assert (row.standing == "for") == (row.interval.upper <= 0.01)


def test_p_values_and_intervals_are_those_of_scipy():
    (row,) = answer(claim(), studies(-0.01), LEVEL).parts[0].tested
    reference = stats.ttest_1samp(row.measured.differences, 0.0)
    interval = reference.confidence_interval(0.95)
    assert row.p_value == pytest.approx(reference.pvalue, rel=1e-12)
    assert row.interval.lower == pytest.approx(interval.low, rel=1e-12)
    assert row.interval.upper == pytest.approx(interval.high, rel=1e-12)


def test_against_a_margin_the_p_value_is_that_of_the_shifted_differences():
    error = claim(part(kind="non_inferiority", margin=0.01))
    (row,) = answer(error, studies(0.0), LEVEL).parts[0].tested
    reference = stats.ttest_1samp(row.measured.differences, 0.01)
    assert row.p_value == pytest.approx(reference.pvalue, rel=1e-12)


def test_holm_corrects_over_all_parts_of_the_claim_and_no_other():
    two = claim(part(), part(metric="accuracy", expected="higher"))
    every = studies(-0.004, -0.002, 0.003)
    rows = [row for each in answer(two, every, LEVEL).parts for row in each.tested]
    expected = holm({str(i): row.p_value for i, row in enumerate(rows)})
    assert len(rows) == 6
    assert [row.p_value_holm for row in rows] == list(expected.values())
    alone = answer(claim(), every, LEVEL).parts[0].tested
    assert [row.p_value_holm for row in alone] == list(
        holm({str(i): row.p_value for i, row in enumerate(alone)}).values()
    )


def test_what_could_have_been_seen_is_on_the_claims_side_at_the_level_that_holm_asks_for():
    rows = answer(claim(), studies(0.0, 0.0, 0.0), LEVEL).parts[0].tested
    for row in rows:
        expected = detectable_difference(row.standard_deviation, 5, LEVEL / 3)
        assert row.detectable == pytest.approx(-expected, rel=1e-12)


def test_against_a_margin_it_lies_on_the_good_side_of_it_and_nothing_is_corrected():
    error = part(kind="non_inferiority", margin=0.01)
    rows = answer(claim(error), studies(0.0, 0.0), LEVEL).parts[0].tested
    for row in rows:
        expected = detectable_difference(row.standard_deviation, 5, LEVEL)
        assert row.detectable == pytest.approx(0.01 - expected, rel=1e-12)


def test_a_part_has_the_median_of_its_comparisons():
    (found,) = answer(claim(), studies(0.0, 0.0, 0.0), LEVEL).parts
    assert found.detectable == sorted(row.detectable for row in found.tested)[1]
    (alone,) = answer(claim(), studies(0.0, seeds=[0]), LEVEL).parts
    assert alone.detectable is None


@pytest.mark.slow
def test_an_effect_of_the_detectable_size_stands_for_the_claim_in_four_of_five_simulations():
    """Noise of both methods: 0.002 sqrt 2. 400 trials: three standard errors are 0.06."""
    true = -detectable_difference(0.002 * 2**0.5, 5, LEVEL)
    trials = [answer(claim(), [evidence("one", {("gce", "*"): {"ece": true}}, seed=i)], LEVEL)
              for i in range(400)]  # fmt: skip
    assert np.mean([each.verdict == "supported" for each in trials]) == pytest.approx(0.8, abs=0.06)


def test_correction_can_take_a_lone_significance_back():
    effects = (-0.004, *(0.0,) * 5)
    first = answer(claim(), studies(*effects), LEVEL).parts[0].tested[0]
    assert first.p_value <= LEVEL < first.p_value_holm
    assert first.standing == "open"


def test_one_seed_decides_nothing():
    found = answer(claim(), studies(-0.5, seeds=[0]), LEVEL)
    (row,) = found.parts[0].tested
    assert (row.p_value, row.interval) == (None, None)
    assert (row.standing, found.verdict) == ("open", "undecided")


def test_methods_that_agree_to_the_last_digit_are_within_a_margin_but_not_better():
    same = (0.0, 0.0, 0.0)
    assert standing_of(part(kind="non_inferiority", margin=0.01), same, None, None, 0.05) == "for"
    assert standing_of(part(), same, None, None, 0.05) == "open"


def test_a_claim_needs_all_its_parts():
    every = studies(-0.05)
    absent = part(against_losses=["focal"])
    assert answer(claim(part(), absent), every, LEVEL).verdict == "undecided"
    assert answer(claim(absent), every, LEVEL).verdict == "not tested"
    opposite = part(expected="higher")
    assert answer(claim(part(), opposite), every, LEVEL).verdict == "contradicted"


@given(st.lists(st.sampled_from(["for", "against", "open"]), max_size=9))
def test_turning_every_standing_around_never_leaves_a_claim_supported(standings):
    turned = {"for": "against", "against": "for", "open": "open"}
    if verdict_of(standings) == "supported":
        # Half of them were for it, so at least one, and none against.
        assert verdict_of([turned[each] for each in standings]) == "contradicted"


def test_a_whole_is_supported_only_by_supported_parts():
    verdicts = ("supported", "contradicted", "undecided", "not tested")
    for pair in product(verdicts, repeat=2):
        assert (together(pair) == "supported") == (set(pair) == {"supported"})


def test_without_a_true_effect_a_claim_is_rarely_supported_or_contradicted():
    """Holm keeps the chance of any standing at 5 %: of 200 claims 10 are expected, 20 are not.

    More than 20 of 200 at 5 % have a chance of 0.1 %.
    """
    decided = 0
    for trial in range(200):
        every = [evidence(name, seed=100 * trial + i) for i, name in enumerate(NAMES[:3])]
        (found,) = answer(claim(), every, LEVEL).parts
        decided += found.count("for") + found.count("against") > 0
    assert decided <= 20


def test_data_sets_are_pooled_by_the_signed_rank_test_of_their_means():
    means = (-0.03, -0.01, -0.025, 0.004, -0.017, -0.008)
    found = [measured(str(i), mean - 0.001, mean + 0.001) for i, mean in enumerate(means)]
    pooled = pool(part(), found)
    assert pooled.p_value == pytest.approx(stats.wilcoxon(means).pvalue, rel=1e-12)
    assert pooled.mean == pytest.approx(np.mean(means), rel=1e-12)
    assert (pooled.num_datasets, pooled.num_favourable) == (6, 5)


def test_six_data_sets_on_one_side_have_the_least_p_value_there_is():
    found = [measured(str(i), -0.01 * i - 0.01) for i in range(6)]
    assert pool(part(), found).p_value == pytest.approx(2 / 2**6, rel=1e-12)
    assert pool(part(), found[:5]).p_value is None
    assert pool(part(), []) is None


def test_a_data_set_with_many_comparisons_counts_once():
    found = [measured("a", -1.0), measured("a", -3.0), measured("b", 4.0)]
    pooled = pool(part(), found)
    assert (pooled.num_datasets, pooled.mean) == (2, (-2.0 + 4.0) / 2)

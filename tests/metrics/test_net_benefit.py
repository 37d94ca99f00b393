import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.net_benefit import Referral, decision_curves, net_benefit

THRESHOLDS = np.array([0.05, 0.1, 0.3, 0.5, 0.9])


def draw(seed, n=60):
    rng = np.random.default_rng(seed)
    probabilities = rng.random(n).round(2)
    return probabilities, rng.random(n) < probabilities, rng.random(n) < 0.7


@given(seed=st.integers(0, 2**32 - 1))
def test_net_benefit_is_true_positives_less_weighted_false_ones(seed):
    probabilities, positive, _ = draw(seed)
    for threshold, found in zip(
        THRESHOLDS, net_benefit(probabilities, positive, THRESHOLDS), strict=True
    ):
        acted = probabilities >= threshold
        true, false = (acted & positive).sum(), (acted & ~positive).sum()
        expected = true / 60 - false / 60 * threshold / (1 - threshold)
        assert found == pytest.approx(expected, abs=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
def test_curves_by_their_closed_forms(seed):
    probabilities, positive, answered = draw(seed)
    referral = Referral(answered, sensitivity=0.9, specificity=0.8, cost=0.02)
    curves = decision_curves(probabilities, positive, THRESHOLDS, referral)
    prevalence, harm, coverage = positive.mean(), THRESHOLDS / (1 - THRESHOLDS), answered.mean()
    refer_all = 0.9 * prevalence - harm * 0.2 * (1 - prevalence) - 0.02
    alone = net_benefit(probabilities[answered], positive[answered], THRESHOLDS)
    ill, well = positive[~answered].mean(), 1 - positive[~answered].mean()
    read = 0.9 * ill - harm * 0.2 * well - 0.02
    expected = {
        "model": net_benefit(probabilities, positive, THRESHOLDS),
        "model_with_referral": coverage * alone + (1 - coverage) * read,
        "act_on_all": prevalence - harm * (1 - prevalence),
        "act_on_none": np.zeros(5),
        "refer_all": refer_all,
    }
    expected["refer_at_random"] = coverage * expected["model"] + (1 - coverage) * refer_all
    assert curves.keys() == expected.keys()
    for policy, values in expected.items():
        np.testing.assert_allclose(curves[policy], values, atol=1e-12, err_msg=policy)


def test_calibration_raises_net_benefit_at_thresholds_a_clinic_uses():
    rng = np.random.default_rng(0)
    logits = rng.normal(-1, 1, 50_000)
    positive = rng.random(50_000) < 1 / (1 + np.exp(-logits))
    calibrated, overconfident = 1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(-4 * logits))
    thresholds = np.array([0.1, 0.2, 0.8])
    after = net_benefit(calibrated, positive, thresholds)
    before = net_benefit(overconfident, positive, thresholds)
    # True probabilities are the best to act on, up to sampling error.
    assert (after > before).all()


@given(seed=st.integers(0, 2**32 - 1))
def test_a_weight_is_the_same_as_that_many_repeats(seed):
    probabilities, positive, answered = draw(seed)
    rows = np.random.default_rng(seed).integers(0, 3, size=(3, 60))
    referral = Referral(answered, sensitivity=1, specificity=0.9, cost=0.1)
    together = decision_curves(probabilities, positive, THRESHOLDS, referral, weights=rows)
    for place, row in enumerate(rows):
        alone = decision_curves(
            np.repeat(probabilities, row),
            np.repeat(positive, row),
            THRESHOLDS,
            Referral(np.repeat(answered, row), sensitivity=1, specificity=0.9, cost=0.1),
        )
        for policy, curve in alone.items():
            np.testing.assert_allclose(together[policy][place], curve, atol=1e-12)


def test_blocks_of_thresholds_give_the_same_curve(monkeypatch):
    probabilities, positive, _ = draw(1)
    whole = net_benefit(probabilities, positive, THRESHOLDS)
    monkeypatch.setattr("pipeline.metrics.net_benefit.BLOCK_ELEMENTS", 2 * 60)
    # A matrix product of another width adds in another order.
    blocks = net_benefit(probabilities, positive, THRESHOLDS)
    np.testing.assert_allclose(blocks, whole, rtol=1e-14)


@pytest.mark.parametrize(
    ("probability", "positive", "expected"),
    [
        pytest.param(1.0, True, 1.0, id="sure and right"),
        pytest.param(1.0, False, -1 / 3, id="sure and wrong"),
        pytest.param(0.25, True, 1.0, id="at the threshold"),
        pytest.param(0.0, True, 0.0, id="missed"),
        pytest.param(0.0, False, 0.0, id="left alone"),
    ],
)
def test_one_case_at_a_threshold_of_a_quarter(probability, positive, expected):
    found = net_benefit(np.array([probability]), np.array([positive]), np.array([0.25]))
    assert found == pytest.approx([expected])


def test_referring_nobody_or_everybody_are_the_ends_of_referral():
    probabilities, positive, _ = draw(2)
    for answered, same_as in [(np.ones(60, bool), "model"), (np.zeros(60, bool), "refer_all")]:
        curves = decision_curves(
            probabilities, positive, THRESHOLDS, Referral(answered, 0.8, 0.9, cost=0.05)
        )
        np.testing.assert_allclose(curves["model_with_referral"], curves[same_as], atol=1e-12)
        np.testing.assert_allclose(curves["refer_at_random"], curves[same_as], atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sensitivity": 1.1}, r"a reader's sensitivity must lie in \[0, 1\], got 1\.1"),
        ({"specificity": -0.1}, r"a reader's specificity must lie in \[0, 1\], got -0\.1"),
        ({"cost": -1}, "the cost of a referral must be at least 0, got -1"),
    ],
)
def test_refuses_a_reader_that_cannot_be(arguments, message):
    with pytest.raises(InputError, match=message):
        Referral(
            **{"answered": np.ones(1, bool), "sensitivity": 1, "specificity": 1, "cost": 0}
            | arguments
        )


@pytest.mark.parametrize(
    ("probabilities", "thresholds", "message"),
    [
        ([0.5, 0.5], [0.0, 0.5], r"threshold probabilities must lie in \(0, 1\), got 0\.\.0\.5"),
        ([0.5, 0.5], [1.0], r"threshold probabilities must lie in \(0, 1\), got 1\.\.1"),
        ([0.5, np.nan], [0.5], "probabilities must be finite"),
        ([0.5], [0.5], "one row a case expected, got probabilities 1, positive 2"),
    ],
)
def test_refuses_what_has_no_net_benefit(probabilities, thresholds, message):
    with pytest.raises(InputError, match=message):
        net_benefit(np.array(probabilities), np.array([True, False]), np.array(thresholds))

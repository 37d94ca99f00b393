import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import bisect
from scipy.special import softmax

from pipeline.calibrators.ats import fit_ats
from pipeline.calibrators.bts import fit_bts
from pipeline.calibrators.ranking import rank_inversions
from pipeline.calibrators.temperature import fit_temperature
from pipeline.errors import InputError
from tests.calibrators.simulations import (
    expected_calibration_error,
    heteroscedastic,
    overconfident,
)


def fresh_error(fit, simulate, n, *, seeds, **arguments):
    """Mean ECE, over seeds, of a fit on n cases, measured on 20,000 others."""
    errors = []
    for seed in range(seeds):
        calibrator = fit(*simulate(seed, n), **arguments)
        logits, labels = simulate(10_000 + seed, 20_000)
        errors.append(expected_calibration_error(calibrator(logits), labels))
    return np.mean(errors)


def calibrated(seed, n):
    return overconfident(seed, n, truth=1.0, num_classes=10)


def mild(seed, n):
    return heteroscedastic(seed, n, low=0.8, high=1.6)


@pytest.mark.parametrize("simulate", [heteroscedastic, mild])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"interpolation": "linear"},
        {"objective": "nll"},
        {"monotone": True},
        {"bins": "auto"},
        {"bins": "auto", "monotone": True},
    ],
    ids=str,
)
def test_mends_what_one_temperature_cannot(simulate, arguments):
    # 15 bins over 20,000 calibrated cases give an ECE of 0.009 by chance alone.
    assert fresh_error(fit_temperature, simulate, 10_000, seeds=2) > 0.05
    assert fresh_error(fit_ats, simulate, 10_000, seeds=2, **arguments) < 0.02


def test_chosen_bins_keep_the_gain_on_few_cases():
    assert fresh_error(fit_temperature, heteroscedastic, 500, seeds=4) > 0.2
    assert fresh_error(fit_ats, heteroscedastic, 500, seeds=4, bins="auto") < 0.05


@pytest.mark.parametrize(("n", "margin", "seeds"), [(500, 0.006, 20), (5_000, 0.003, 6)])
@pytest.mark.parametrize("monotone", [False, True])
def test_chosen_bins_do_little_harm_where_nothing_needs_mending(n, margin, seeds, monotone):
    plain = fresh_error(fit_temperature, calibrated, n, seeds=seeds)
    chosen = fresh_error(fit_ats, calibrated, n, seeds=seeds, bins="auto", monotone=monotone)
    assert chosen < plain + margin


def test_fixed_bins_cost_variance_where_nothing_needs_mending():
    plain = fresh_error(fit_temperature, calibrated, 500, seeds=10)
    fixed = fresh_error(fit_ats, calibrated, 500, seeds=10)
    assert fixed > plain + 0.01


def test_agrees_with_the_definition_worked_out_bin_by_bin():
    logits, labels = overconfident(0, 1_000)
    fitted = fit_ats(logits, labels, bins=20)
    # Distinct confidences: 20 bins of exactly 50, in their order.
    order = np.argsort(softmax(logits, axis=1).max(axis=1)).reshape(20, 50)
    for own, found in zip(order, fitted.temperatures, strict=True):
        accuracy = ((logits[own].argmax(axis=1) == labels[own]).sum() + 1) / 52

        def excess(log_temperature, own=own, accuracy=accuracy):
            tempered = softmax(logits[own] / np.exp(log_temperature), axis=1)
            return tempered.max(axis=1).mean() - accuracy

        expected = bisect(excess, np.log(0.05), np.log(20), xtol=1e-12)
        assert found == pytest.approx(np.exp(expected), rel=1e-8)
    assert fitted.notes == ()


@given(seed=st.integers(0, 2**32 - 1), bins=st.integers(1, 30))
def test_keeps_every_predicted_class(seed, bins):
    logits, labels = overconfident(seed, 300)
    fitted = fit_ats(logits, labels, bins=bins)
    np.testing.assert_array_equal(fitted(logits).argmax(axis=1), logits.argmax(axis=1))
    assert min(fitted.counts) >= 50


def test_one_bin_matches_mean_confidence_to_accuracy():
    logits, labels = overconfident(1, 800)
    fitted = fit_ats(logits, labels, bins=1)
    hits = (logits.argmax(axis=1) == labels).sum()
    assert np.exp(fitted(logits).max(axis=1)).mean() == pytest.approx((hits + 1) / 802, abs=1e-10)


def test_the_nll_objective_is_binwise_temperature_scaling():
    logits, labels = overconfident(2, 1_000, truth=0.5)
    ours = fit_ats(logits, labels, bins=7, objective="nll")
    # No confidence exceeds 0.99999: one bin less, below the threshold, and none above.
    theirs = fit_bts(logits, labels, bins=7, threshold=0.9999999)
    np.testing.assert_array_equal(ours.temperatures, theirs.temperatures)


def test_few_cases_and_ties_are_merged_and_reported():
    logits, labels = overconfident(3, 240)
    assert fit_ats(logits, labels).notes[0] == (
        "4 of 20 bins kept, each with at least 50 cases and equal confidences together"
    )
    same = np.tile(logits[:1], (240, 1))
    assert fit_ats(same, labels).counts == (240,)


def test_a_bin_at_its_bound_is_reported():
    logits, labels = overconfident(4, 200)
    lowest = np.argsort(softmax(logits, axis=1).max(axis=1))[:100]
    labels[lowest] = logits[lowest].argmin(axis=1)
    fitted = fit_ats(logits, labels, bins=2)
    assert fitted.temperatures[0] == pytest.approx(20.0, rel=1e-12)
    assert fitted.notes == ("temperature at its bound 20 in bin 1 of 2",)


def test_steps_reorder_cases_and_the_monotone_curve_does_not():
    logits, labels = heteroscedastic(5, 5_000)
    fresh, _ = heteroscedastic(6, 20_000)
    before = softmax(fresh, axis=1).max(axis=1)
    steps = fit_ats(logits, labels)(fresh).max(axis=1)
    curve = fit_ats(logits, labels, monotone=True)(fresh).max(axis=1)
    assert rank_inversions(before, steps) > 1_000_000
    assert rank_inversions(before, curve) == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"bins": 0}, "bins must be a whole number >= 1, got 0"),
        ({"bins": 2.5}, "bins must be a whole number >= 1, got 2.5"),
        ({"bins": "many"}, "bins must be a whole number or \"auto\", got 'many'"),
        ({"interpolation": "cubic"}, "interpolation must be one of constant, linear, got 'cubic'"),
        ({"objective": "ece"}, "objective must be one of confidence, nll, got 'ece'"),
        ({"monotone": "yes"}, "monotone must be one of False, True, got 'yes'"),
    ],
)
def test_refuses_settings_it_does_not_know(arguments, reason):
    with pytest.raises(InputError, match=reason):
        fit_ats(*overconfident(0, 100), **arguments)

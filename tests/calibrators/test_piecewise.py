import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from pipeline.calibrators.piecewise import (
    CalibrationSet,
    PiecewiseTemperature,
    fit_bin_temperatures,
    piecewise_temperature,
)
from tests.calibrators.simulations import overconfident


def two_bins(interpolation):
    return PiecewiseTemperature(
        edges=(2.0,),
        log_temperatures=(0.0, 1.0),
        counts=(30, 10),
        extent=(0.0, 6.0),
        interpolation=interpolation,
    )


def test_a_constant_piece_gives_each_case_the_temperature_of_its_bin():
    log_odds = np.array([-5.0, 2.0, np.nextafter(2.0, 3.0), 9.0])
    found = two_bins("constant").log_temperatures_at(log_odds)
    np.testing.assert_array_equal(found, [0.0, 0.0, 1.0, 1.0])


def test_a_linear_piece_joins_the_centres_of_the_bins_by_quantile():
    # 30 of 40 cases lie below 2, 10 above: the centres are the quantiles 3/8 and 7/8. Log-odds 1
    # is the quantile 3/8, 2 is 3/4 and 4 is 7/8; beyond the centres log T is level.
    found = two_bins("linear").log_temperatures_at(np.array([-1.0, 0.0, 1.0, 2.0, 4.0, 6.0, 9.0]))
    np.testing.assert_allclose(found, [0.0, 0.0, 0.0, (3 / 4 - 3 / 8) / (1 / 2), 1.0, 1.0, 1.0])


def test_divides_logits_by_the_temperature_found():
    # Two classes: the log-odds of confidence are the margin.
    logits = np.array([[1.5, 0.0], [0.0, 3.0]])
    expected = log_softmax(logits / np.exp([[0.0], [1.0]]), axis=1)
    np.testing.assert_allclose(two_bins("constant")(logits), expected, rtol=1e-13)
    np.testing.assert_allclose(two_bins("constant").temperatures, [1.0, np.e])


def test_a_calibration_set_knows_confidences_losses_and_hits():
    logits, labels = overconfident(0, 300)
    calibration = CalibrationSet.of(logits, labels)
    cases = np.array([0, 5, 299])
    log_p = log_softmax(logits[cases] / 1.7, axis=1)
    tempered = np.full(3, np.log(1.7))
    np.testing.assert_allclose(
        calibration.confidences(cases, tempered), np.exp(log_p).max(axis=1), rtol=1e-12
    )
    np.testing.assert_allclose(
        calibration.negative_log_likelihoods(cases, tempered),
        -log_p[np.arange(3), labels[cases]],
        rtol=1e-12,
    )
    np.testing.assert_array_equal(calibration.hits, logits.argmax(axis=1) == labels)


@pytest.mark.parametrize("chosen", [None, np.arange(0, 2_000, 3)])
def test_mean_confidence_of_each_bin_equals_its_smoothed_accuracy(chosen):
    logits, labels = overconfident(1, 2_000)
    calibration = CalibrationSet.of(logits, labels)
    edges = np.quantile(calibration.log_odds, [0.25, 0.5, 0.75])
    roots = fit_bin_temperatures(calibration, edges, objective="confidence", cases=chosen)
    cases = np.arange(2_000) if chosen is None else chosen
    bins = np.searchsorted(edges, calibration.log_odds[cases])
    for b in range(4):
        own = cases[bins == b]
        hits = (logits[own].argmax(axis=1) == labels[own]).sum()
        calibrated = softmax(logits[own] / np.exp(roots.log_temperatures[b]), axis=1).max(axis=1)
        assert calibrated.mean() == pytest.approx((hits + 1) / (len(own) + 2), abs=1e-10)


def test_a_fit_on_chosen_cases_counts_them_alone():
    logits, labels = overconfident(2, 100)
    calibration = CalibrationSet.of(logits, labels)
    cases = np.arange(40)
    edges = np.array([1.0])
    roots = fit_bin_temperatures(calibration, edges, objective="nll", cases=cases)
    fitted = piecewise_temperature(calibration, edges, roots, cases=cases)
    low = int((calibration.log_odds[:40] <= 1.0).sum())
    assert fitted.counts == (low, 40 - low)
    assert fitted.extent == (calibration.log_odds[:40].min(), calibration.log_odds[:40].max())

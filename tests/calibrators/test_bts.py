import numpy as np
import pytest
from scipy.special import log_softmax

from pipeline.calibrators.bts import fit_bts
from pipeline.calibrators.temperature import fit_temperature
from pipeline.errors import InputError
from tests.calibrators.simulations import (
    draw_labels,
    expected_calibration_error,
    heteroscedastic,
    overconfident,
    random_logits,
)


def test_recovers_the_temperature_of_each_half():
    logits, labels = heteroscedastic(0, 20_000, low=0.5, high=3.0)
    fitted = fit_bts(logits, labels)
    confidence = np.exp(log_softmax(logits, axis=1).max(axis=1))
    found = np.exp(fitted.log_temperatures_at(np.log(confidence) - np.log1p(-confidence)))
    # A bin of 400 cases knows log T to about 0.05 to 0.15; the bin across 0.6 is of both halves.
    assert np.median(found[confidence < 0.55]) == pytest.approx(0.5, rel=0.1)
    assert np.median(found[confidence > 0.65]) == pytest.approx(3.0, rel=0.1)


def test_mends_what_one_temperature_cannot():
    cases, (logits, labels) = heteroscedastic(1, 10_000), heteroscedastic(2, 20_000)
    assert expected_calibration_error(fit_temperature(*cases)(logits), labels) > 0.2
    assert expected_calibration_error(fit_bts(*cases)(logits), labels) < 0.02


def test_each_bin_has_the_temperature_of_its_own_cases():
    logits, labels = overconfident(3, 1_000)
    fitted = fit_bts(logits, labels, bins=5)
    log_p = log_softmax(logits, axis=1).max(axis=1)
    bins = np.searchsorted(fitted.edges, log_p - np.log(-np.expm1(log_p)))
    for b, temperature in enumerate(fitted.temperatures):
        own = bins == b
        expected = fit_temperature(logits[own], labels[own]).temperature
        assert temperature == pytest.approx(expected, rel=1e-8)


def test_very_sure_cases_have_a_bin_of_their_own():
    logits = random_logits(4, 2_000, spread=4.0)
    fitted = fit_bts(logits, draw_labels(4, logits), bins=10)
    num_sure = int((log_softmax(logits, axis=1).max(axis=1) > np.log(0.999)).sum())
    assert len(fitted.counts) == 10
    assert fitted.counts[-1] == num_sure
    assert fitted.edges[-1] == pytest.approx(np.log(999.0))
    assert max(fitted.counts[:-1]) - min(fitted.counts[:-1]) <= 1


def test_too_few_very_sure_cases_join_the_others():
    logits, labels = overconfident(5, 300, truth=1.0, spread=1.0)
    fitted = fit_bts(logits, labels, bins=3)
    assert fitted.counts == (100, 100, 100)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0])
def test_refuses_a_threshold_that_is_no_confidence(threshold):
    with pytest.raises(InputError, match=r"threshold must lie in \(0, 1\), got"):
        fit_bts(*overconfident(0, 100), threshold=threshold)


def unsure(num_right, n=60):
    """Cases of two classes: `n` next to an even chance, and as many surer ones, 3 of 4 right."""
    logits = np.zeros((2 * n, 2))
    logits[:n, 0], logits[n:, 0] = 0.01, np.log(3.0)
    labels = (np.arange(2 * n) % 4 == 0).astype(int)
    labels[:n] = np.arange(n) >= num_right
    return logits, labels


def test_a_bin_whose_likelihood_rises_up_to_the_bound_takes_the_temperature_of_all_cases():
    logits, labels = unsure(num_right=45)
    fitted = fit_bts(logits, labels, bins=2)
    # 45 of 60 right at a log-odds of 0.01 ask for T = 0.01 / log 3 = 0.009, below the bound.
    assert fitted.temperatures[0] == pytest.approx(fit_temperature(logits, labels).temperature)
    assert fitted.temperatures[1] == pytest.approx(1.0)
    assert fitted.notes == ("temperature of all cases in bin 1 of 2, whose own is at its bound",)


def test_a_single_bin_at_its_bound_is_plain_temperature_scaling_and_says_so():
    logits, labels = unsure(num_right=60)
    fitted = fit_bts(logits[:60], labels[:60])
    assert fitted.temperatures == pytest.approx([0.05])
    assert fitted.notes[-1] == "temperature at its bound 0.05"

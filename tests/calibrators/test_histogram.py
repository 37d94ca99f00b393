import numpy as np
import pytest
from scipy.special import softmax

from pipeline.calibrators.histogram import fit_histogram
from tests.calibrators.simulations import (
    expected_calibration_error,
    heteroscedastic,
    overconfident,
)


def test_finds_the_true_accuracy_of_each_level_of_confidence():
    generator = np.random.default_rng(0)
    # Two levels of confidence, 0.9 and 0.6, whose predictions are right in 70 % and 50 %.
    level = generator.integers(0, 2, size=20_000)
    logits = np.log(np.array([[0.6, 0.3, 0.1], [0.9, 0.05, 0.05]]))[level]
    right = generator.random(20_000) < np.where(level == 1, 0.7, 0.5)
    fitted = fit_histogram(logits, np.where(right, 0, 1))
    # A share of 10,000 cases has a standard error of 0.005.
    np.testing.assert_allclose(fitted.accuracies, [0.5, 0.7], atol=0.02)
    assert len(fitted.edges) == 1


def test_each_bin_gets_its_smoothed_accuracy():
    logits, labels = overconfident(1, 400)
    fitted = fit_histogram(logits, labels, bins=8)
    order = np.argsort(softmax(logits, axis=1).max(axis=1)).reshape(8, 50)
    hits = (logits.argmax(axis=1) == labels)[order].sum(axis=1)
    np.testing.assert_allclose(fitted.accuracies, (hits + 1) / 52)


def test_the_other_classes_share_the_rest_as_before():
    logits, labels = overconfident(2, 400)
    fitted = fit_histogram(logits, labels)
    row = np.log([[0.7, 0.2, 0.05, 0.05]])
    p = np.exp(fitted(row))[0]
    np.testing.assert_allclose(p[1:] / (1 - p[0]), np.array([0.2, 0.05, 0.05]) / 0.3)


def test_mends_what_one_temperature_cannot():
    fitted = fit_histogram(*heteroscedastic(3, 10_000))
    logits, labels = heteroscedastic(4, 20_000)
    top = np.exp(fitted(logits)[np.arange(20_000), logits.argmax(axis=1)])
    hits = logits.argmax(axis=1) == labels
    gaps = [abs((hits - top)[top == level].sum()) for level in np.unique(top)]
    # Twenty bins of 500 cases each: their accuracies are known to 0.02.
    assert sum(gaps) / 20_000 < 0.025


def test_merged_bins_are_reported():
    fitted = fit_histogram(*overconfident(6, 120))
    # Of 20 bins of 6 cases, the first nine make 54; the other eleven stay together.
    assert fitted.counts == (54, 66)
    assert fitted.notes == (
        "2 of 20 bins kept, each with at least 50 cases and equal confidences together",
        "mends the predicted class alone, not the others' proportions",
    )


def test_two_classes_have_no_other_proportions_to_mend():
    assert fit_histogram(*overconfident(6, 1_000, num_classes=2)).notes == ()


def test_is_calibrated_on_its_own_cases_but_for_smoothing():
    logits, labels = overconfident(7, 5_000, truth=1.0, num_classes=2)
    fitted = fit_histogram(logits, labels)
    # Each of 20 bins is off by at most 1/252.
    assert expected_calibration_error(fitted(logits), labels) < 1 / 252
    assert fitted(logits).max() == pytest.approx(np.log(max(fitted.accuracies)))

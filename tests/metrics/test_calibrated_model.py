import numpy as np
import pytest
from scipy.stats import binom

from pipeline.metrics.calibrated_model import expected_ece_if_calibrated
from pipeline.metrics.calibration_error import ece
from pipeline.metrics.cases import prepare_cases
from tests.metrics.simulated_studies import predicted_study


def expected(log_probabilities, labels, patients):
    return expected_ece_if_calibrated(prepare_cases(log_probabilities, labels), patients)


def test_is_the_mean_absolute_deviation_of_a_binomial_where_one_bin_holds_all():
    log_probabilities = np.log(np.tile([0.8, 0.2], (50, 1)))
    hits = np.arange(51)
    deviation = np.sum(binom.pmf(hits, 50, 0.8) * np.abs(hits / 50 - 0.8))
    labels = (np.arange(50) % 5 == 0).astype(int)
    assert expected(log_probabilities, labels, np.arange(50)) == pytest.approx(deviation)


@pytest.mark.parametrize("images", [1, 3])
def test_is_what_calibrated_models_score_on_average(images):
    studies = [
        predicted_study(seed, 900, num_classes=3, images=images, sharpness=1.0)
        for seed in range(200)
    ]
    cases = [prepare_cases(*study[:2]) for study in studies]
    scored = [ece(each.confidence, each.correct) for each in cases]
    said = [
        expected_ece_if_calibrated(each, study[2])
        for each, study in zip(cases, studies, strict=True)
    ]
    # Each ECE deviates by about 0.006 from 0.025, so the mean of 200 has an error of 0.0004.
    assert np.mean(said) == pytest.approx(np.mean(scored), abs=3 * 0.0006)


def test_shrinks_with_the_number_of_cases():
    study = predicted_study(2, 1000, num_classes=3, images=1, sharpness=1.0)
    few, many = (expected(*(each[:n] for each in study)) for n in (200, 1000))
    # As the root of the number of cases: sqrt(1000 / 200) = 2.24.
    assert few / many == pytest.approx(np.sqrt(5), rel=0.15)


def test_three_copies_of_each_patients_case_are_worth_no_more_than_one():
    log_probabilities, labels, patients = predicted_study(
        3, 600, num_classes=3, images=1, sharpness=1.0
    )
    once = expected(log_probabilities, labels, patients)
    thrice = [np.repeat(each, 3, axis=0) for each in (log_probabilities, labels, patients)]
    assert expected(*thrice) == pytest.approx(once, rel=0.05)
    # Taken for patients of their own, the copies would promise less by the root of three.
    assert expected(*thrice[:2], np.arange(1800)) == pytest.approx(once / np.sqrt(3), rel=0.05)


def test_does_not_depend_on_the_order_of_the_rows():
    study = predicted_study(4, 300, num_classes=3, images=3, sharpness=1.5)
    order = np.random.default_rng(0).permutation(300)
    assert expected(*(each[order] for each in study)) == expected(*study)


def test_a_certain_model_that_is_calibrated_is_never_wrong():
    assert expected(np.array([[0.0, -np.inf]] * 5), np.zeros(5, int), np.arange(5)) == 0.0

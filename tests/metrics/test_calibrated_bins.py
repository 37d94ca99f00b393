import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom, binom

from pipeline.errors import InputError
from pipeline.metrics.bins import mass_bins, width_bins
from pipeline.metrics.calibrated_bins import calibrated_bins, expected_ece_if_calibrated
from pipeline.metrics.calibration_error import ece
from pipeline.metrics.cases import prepare_cases
from tests.metrics.simulated_studies import calibrated_study, predicted_study


def in_one_bin(confidence, correct, patients):
    found = calibrated_bins(confidence, correct, patients, width_bins(confidence, 1))
    return found, next(found.chances())


def test_misses_of_independent_cases_of_one_confidence_are_binomial():
    correct = np.arange(40) % 4 > 0
    found, chances = in_one_bin(np.full(40, 0.8), correct, np.arange(40))
    assert found.correlation == 0
    assert found.variance[0] == pytest.approx(40 * 0.8 * 0.2)
    np.testing.assert_allclose(chances, binom.pmf(np.arange(41), 40, 0.2), atol=1e-12)


def test_copies_of_a_patients_case_count_as_one_case():
    patients = np.repeat(np.arange(400), 3)
    correct = np.repeat(np.arange(400) % 4 > 0, 3)
    found, chances = in_one_bin(np.full(1200, 0.75), correct, patients)
    # 400 things that are thrice right or thrice wrong: 3 squared times the variance of 400.
    assert found.correlation == pytest.approx(1.0)
    assert found.variance[0] == pytest.approx(9 * 400 * 0.75 * 0.25)
    misses = np.arange(1201)
    assert chances @ misses == pytest.approx(1200 * 0.25)
    assert chances @ (misses - 300.0) ** 2 == pytest.approx(9 * 400 * 0.75 * 0.25)


def test_misses_of_dependent_cases_are_beta_binomial():
    # Pairs: of 100 both right 60, both wrong 20, one each 20, so 140 of 200 right, as said.
    pairs = np.repeat([[1, 1], [0, 0], [1, 0]], [60, 20, 20], axis=0)
    found, chances = in_one_bin(np.full(200, 0.7), pairs.ravel(), np.repeat(np.arange(100), 2))
    # The mean residual is zero; of 100 patients it took one.
    rho = (60 * 0.3**2 + 20 * 0.7**2 - 20 * 0.3 * 0.7) / (100 * 0.7 * 0.3) * 100 / 99
    assert found.correlation == pytest.approx(rho)
    assert found.variance[0] == pytest.approx(200 * 0.21 * (1 + rho))
    size = 1 / (rho / 199) - 1
    expected = betabinom.pmf(np.arange(201), 200, 0.3 * size, 0.7 * size)
    np.testing.assert_allclose(chances, expected, atol=1e-10)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60))
def test_no_digit_depends_on_the_order_of_the_rows(seed, n):
    generator = np.random.default_rng(seed)
    confidence = generator.integers(0, 11, n) / 10
    correct, patients = generator.random(n) < 0.6, generator.integers(0, 8, n)
    order = generator.permutation(n)
    first, second = (
        calibrated_bins(
            confidence[rows], correct[rows], patients[rows], mass_bins(confidence[rows])
        )
        for rows in (np.arange(n), order)
    )
    np.testing.assert_array_equal(first.expected, second.expected)
    np.testing.assert_array_equal(first.variance, second.variance)
    assert first.correlation == second.correlation
    for chances in first.chances():
        assert chances.sum() == pytest.approx(1.0)
        assert (chances >= 0).all()


def test_a_gap_of_the_whole_bin_is_not_taken_for_dependence():
    generator = np.random.default_rng(0)
    correct, patients = generator.random(6000) < 0.6, np.repeat(np.arange(2000), 3)
    found, _ = in_one_bin(np.full(6000, 0.9), correct, patients)
    # 6,000 pairs of independent residuals: a standard error of about 0.24 / 0.09 / sqrt(6,000).
    assert found.correlation < 3 * 0.24 / 0.09 / np.sqrt(6000)


def test_cases_of_one_patient_in_two_bins_add_nothing_to_either():
    confidence, correct = np.tile([0.6, 0.9], 50), np.tile([1, 1, 0, 0], 25)
    found = calibrated_bins(
        confidence, correct, np.repeat(np.arange(50), 2), width_bins(confidence, 10)
    )
    assert found.correlation == 0
    assert found.variance[[5, 8]] == pytest.approx([50 * 0.24, 50 * 0.09])


@pytest.mark.parametrize(
    ("confidence", "correct", "expected"),
    [
        ([1.0, 1.0], [1, 0], [1, 0, 0]),
        ([0.0], [1], [0, 1]),
        ([0.25], [1], [0.25, 0.75]),
    ],
)
def test_certain_and_single_cases_have_their_own_chances(confidence, correct, expected):
    confidence = np.array(confidence)
    _, chances = in_one_bin(confidence, np.array(correct), np.zeros(len(confidence)))
    np.testing.assert_allclose(chances, expected, atol=1e-12)


def test_bins_of_one_patient_each_cannot_tell_dependence_from_a_gap():
    confidence, correct = np.repeat([0.4, 0.9], 30), np.repeat([1, 0], 30)
    patients = np.repeat([0, 1], 30)
    found = calibrated_bins(confidence, correct, patients, width_bins(confidence, 2))
    assert found.correlation == 0


def test_dependence_within_patients_is_found_again():
    confidence, correct, patients = calibrated_study(0, "copies", 3000)
    found = calibrated_bins(confidence, correct, patients, mass_bins(confidence))
    assert found.correlation == pytest.approx(1.0, abs=0.05)


def test_refuses_unequal_lengths():
    confidence = np.array([0.5, 0.5])
    with pytest.raises(InputError, match="patients 1"):
        calibrated_bins(confidence, np.array([1, 0]), np.array([1]), width_bins(confidence))


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

import numpy as np
import pytest
from scipy.stats import binom

from pipeline.errors import InputError
from pipeline.metrics.calibrated_model import expected_ece_if_calibrated
from pipeline.metrics.calibration_error import ece


def test_is_the_mean_absolute_deviation_of_a_binomial_where_one_bin_holds_all():
    log_probabilities = np.log(np.tile([0.8, 0.2], (50, 1)))
    hits = np.arange(51)
    expected = np.sum(binom.pmf(hits, 50, 0.8) * np.abs(hits / 50 - 0.8))
    value = expected_ece_if_calibrated(log_probabilities, seed=0, num_draws=20_000)
    # Standard error: deviations of about 0.034 over the root of 20,000 draws.
    assert value == pytest.approx(expected, abs=0.001)


def test_is_what_models_score_whose_labels_follow_them():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([2, 1, 1], 300)
    confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    chances = probabilities.cumsum(axis=1)
    drawn = [(rng.random((300, 1)) > chances).sum(axis=1) == predicted for _ in range(400)]
    scored = np.mean([ece(confidence, correct) for correct in drawn])
    value = expected_ece_if_calibrated(np.log(probabilities), seed=1, num_draws=400)
    # Both means are of 400 draws whose standard deviation is about 0.012.
    assert value == pytest.approx(scored, abs=0.003)


def test_shrinks_with_the_number_of_cases():
    rng = np.random.default_rng(2)
    probabilities = rng.dirichlet([4, 1, 1], 1000)
    few, many = (expected_ece_if_calibrated(np.log(probabilities[:n]), seed=0) for n in (200, 1000))
    # As the root of the number of cases: sqrt(1000 / 200) = 2.24.
    assert few / many == pytest.approx(np.sqrt(5), rel=0.15)


def test_a_certain_model_that_is_calibrated_is_never_wrong():
    assert expected_ece_if_calibrated(np.array([[0.0, -np.inf]] * 5), seed=0) == 0.0


def test_refuses_no_draw_and_logits():
    with pytest.raises(InputError, match="num_draws must be at least 1"):
        expected_ece_if_calibrated(np.log([[0.5, 0.5]]), seed=0, num_draws=0)
    with pytest.raises(InputError, match="were these logits"):
        expected_ece_if_calibrated(np.array([[2.0, 1.0]]), seed=0)

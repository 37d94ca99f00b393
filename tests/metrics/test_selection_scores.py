import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax
from scipy.stats import entropy

from pipeline.errors import InputError
from pipeline.metrics.selection_scores import (
    SELECTION_SCORES,
    calibrated_logits,
    confidence,
    energy,
    margin,
    max_logit,
    negative_entropy,
)

OF_PROBABILITIES = [confidence, margin, negative_entropy]
OF_LOGITS = [max_logit, energy]

seeds = st.integers(0, 2**32 - 1)


def some_logits(seed, n=20, classes=4):
    return np.random.default_rng(seed).normal(0, 3, size=(n, classes))


@pytest.mark.parametrize("score", OF_PROBABILITIES)
@given(seed=seeds)
def test_scores_of_probabilities_ignore_a_constant_added_to_a_row(score, seed):
    logits = some_logits(seed)
    np.testing.assert_allclose(score(log_softmax(logits, axis=1)), score(logits), atol=1e-12)


@pytest.mark.parametrize("score", OF_LOGITS)
@given(seed=seeds)
def test_scores_of_logits_rise_by_the_constant_added_to_a_row(score, seed):
    logits = some_logits(seed)
    np.testing.assert_allclose(score(logits + 5), score(logits) + 5, rtol=1e-12)


@given(seed=seeds)
def test_scores_are_what_their_definitions_say(seed):
    logits = some_logits(seed)
    probabilities = np.sort(softmax(logits, axis=1), axis=1)
    expected = {
        "confidence": probabilities[:, -1],
        "margin": probabilities[:, -1] - probabilities[:, -2],
        "negative_entropy": -entropy(probabilities, axis=1),
        "max_logit": np.sort(logits, axis=1)[:, -1],
        "energy": np.log(np.exp(logits).sum(axis=1)),
    }
    assert SELECTION_SCORES.keys() == expected.keys()
    for name, score in SELECTION_SCORES.items():
        np.testing.assert_allclose(score(logits), expected[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        pytest.param([0, 0], [1 / 2, 0, -np.log(2), 0, np.log(2)], id="undecided"),
        pytest.param([2000, 0], [1, 1, 0, 2000, 2000], id="saturated"),
        pytest.param([-2000, -2000], [1 / 2, 0, -np.log(2), -2000, -2000 + np.log(2)], id="low"),
    ],
)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_scores_at_the_edges(logits, expected, kind):
    found = [score(np.array([logits], dtype=kind))[0] for score in SELECTION_SCORES.values()]
    np.testing.assert_allclose(found, expected, rtol=1e-15, atol=1e-300)


def test_a_probability_of_exactly_zero_adds_no_entropy():
    with np.errstate(divide="ignore"):
        log_probabilities = np.log([[1.0, 0.0], [0.5, 0.5]])
    np.testing.assert_allclose(negative_entropy(log_probabilities), [0, -np.log(2)])


@given(seed=seeds)
def test_a_temperature_of_each_row_s_own_is_undone_exactly(seed):
    logits = some_logits(seed)
    temperatures = np.random.default_rng(seed).uniform(0.2, 5, size=(20, 1))
    restored = calibrated_logits(logits, log_softmax(logits / temperatures, axis=1))
    np.testing.assert_allclose(restored, logits / temperatures, rtol=1e-9, atol=1e-9)


@given(seed=seeds)
def test_restored_logits_have_the_calibrated_probabilities(seed):
    logits = some_logits(seed)
    calibrated = log_softmax(logits / 2 + np.array([0, 1, -1, 3]), axis=1)
    restored = calibrated_logits(logits, calibrated)
    np.testing.assert_allclose(log_softmax(restored, axis=1), calibrated, atol=1e-12)


def test_a_row_of_equal_logits_keeps_its_mean():
    logits = np.array([[7.0, 7.0]])
    np.testing.assert_array_equal(calibrated_logits(logits, np.log([[0.5, 0.5]])), logits)


@pytest.mark.parametrize("name", ["max_logit", "energy"])
def test_refuses_log_probabilities_where_the_constant_matters(name):
    with pytest.raises(InputError, match=f"{name} needs logits, got log-probabilities"):
        SELECTION_SCORES[name](log_softmax(some_logits(0), axis=1))


def test_refuses_log_probabilities_of_other_cases():
    with pytest.raises(InputError, match=r"expected one shape, got \(1, 2\) and \(2, 2\)"):
        calibrated_logits(np.zeros((1, 2)), np.zeros((2, 2)))

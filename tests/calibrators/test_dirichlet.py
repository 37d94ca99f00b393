import numpy as np
import pytest

from pipeline.calibrators.dirichlet import fit_dirichlet
from pipeline.calibrators.softmax import log_softmax
from pipeline.calibrators.temperature import fit_temperature
from pipeline.calibrators.vector import fit_vector
from pipeline.errors import InputError
from tests.calibrators.simulations import (
    draw_labels,
    mean_error,
    mean_nll,
    overconfident,
    random_logits,
)

WEIGHTS = 0.6 * np.eye(5) + np.random.default_rng(8).normal(scale=0.15, size=(5, 5))
BIASES = np.array([0.3, -0.3, 0.2, 0.0, -0.2])


def mixed(seed, n):
    """Return logits, labels and the true log-probabilities behind these."""
    logits = random_logits(seed, n, num_classes=5)
    truth = log_softmax(log_softmax(logits) @ WEIGHTS.T + BIASES)
    return logits, draw_labels(seed, truth), truth


def test_finds_the_true_probabilities_where_vector_scaling_cannot():
    logits, labels, _ = mixed(0, 20_000)
    fresh, _, truth = mixed(1, 5_000)
    ours = mean_error(fit_dirichlet(logits, labels)(fresh), truth)
    assert ours < 0.01
    assert mean_error(fit_vector(logits, labels)(fresh), truth) > 3 * ours


def test_recovers_the_true_matrix():
    logits, labels, _ = mixed(2, 50_000)
    fitted = fit_dirichlet(logits, labels, off_diagonal=0.0, bias=0.0)
    # Adding one row to all rows changes no probability: compare differences between rows.
    found, truth = np.array(fitted.weights), WEIGHTS
    np.testing.assert_allclose(found - found.mean(axis=0), truth - truth.mean(axis=0), atol=0.06)


def test_a_strong_penalty_leaves_only_the_diagonal():
    logits, labels, _ = mixed(3, 1_000)
    weights = np.array(fit_dirichlet(logits, labels, off_diagonal=1e6).weights)
    assert np.abs(weights - np.diag(np.diag(weights))).max() < 1e-5


@pytest.mark.slow
def test_the_chosen_strength_does_not_explode_with_many_classes():
    logits, labels = overconfident(4, 1_000, num_classes=40)
    fresh, fresh_labels = overconfident(5, 5_000, num_classes=40)
    plain = mean_nll(fit_temperature(logits, labels)(fresh), fresh_labels)
    chosen = fit_dirichlet(logits, labels)
    assert mean_nll(chosen(fresh), fresh_labels) < plain + 0.1
    assert chosen.notes[0] == "off_diagonal 10000 chosen by 3-fold likelihood"
    weak = fit_dirichlet(logits, labels, off_diagonal=1.0)
    assert mean_nll(weak(fresh), fresh_labels) > plain + 1.0


@pytest.mark.parametrize("n", [500, 5_000])
def test_the_chosen_strength_is_nearly_the_best(n):
    logits, labels, _ = mixed(6, n)
    fresh, fresh_labels, _ = mixed(7, 10_000)
    losses = [
        mean_nll(fit_dirichlet(logits, labels, off_diagonal=s)(fresh), fresh_labels)
        for s in (1e3, 1e1, 1e-1)
    ]
    chosen = mean_nll(fit_dirichlet(logits, labels)(fresh), fresh_labels)
    assert chosen < min(losses) + 0.01


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"off_diagonal": -1.0}, "off_diagonal must be a number >= 0, got -1.0"),
        ({"off_diagonal": "best"}, "off_diagonal must be a number >= 0, got 'best'"),
        ({"bias": np.inf}, "bias must be a number >= 0, got inf"),
    ],
)
def test_refuses_a_penalty_that_is_no_strength(arguments, reason):
    with pytest.raises(InputError, match=reason):
        fit_dirichlet(*overconfident(0, 50), **arguments)


def test_two_cases_are_too_few_for_the_search_and_enough_for_a_stated_strength():
    logits, labels = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1])
    with pytest.raises(InputError, match="at least 3 calibration cases are needed, got 2"):
        fit_dirichlet(logits, labels)
    assert np.isfinite(fit_dirichlet(logits, labels, off_diagonal=1.0)(logits)).all()

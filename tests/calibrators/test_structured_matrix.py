import numpy as np
import pytest
from probmetrics.calibrators import SMSCalibrator
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from pipeline.calibrators.dirichlet import fit_dirichlet
from pipeline.calibrators.structured_matrix import fit_structured_matrix
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


def skewed(seed, n):
    """Return logits, labels and the true log-probabilities, which a matrix maps them to."""
    weights = 0.6 * np.eye(5) + np.random.default_rng(8).normal(scale=0.05, size=(5, 5))
    logits = random_logits(seed, n, num_classes=5)
    truth = log_softmax(log_softmax(logits, axis=1) @ weights.T + [0.3, -0.3, 0.2, 0.0, -0.2], 1)
    return logits, draw_labels(seed, truth), truth


def mixed_with_equal(logits, temperature, n):
    """Temperature scaling of which one part in n + 1 is spread over all classes."""
    return (n * softmax(logits / temperature, axis=1) + 1.0 / logits.shape[1]) / (n + 1)


def objective(weights, biases, logits, labels, temperature, strength=1.0):
    """What the fit minimises, written out."""
    n, k = logits.shape
    inputs = np.log(mixed_with_equal(logits, temperature, n))
    off = weights[~np.eye(k, dtype=bool)]
    near = (biases**2).sum() + ((np.diag(weights) - 1.0) ** 2).sum()
    penalty = strength * (k / n * near + k * (k - 1) / n * (off**2).sum())
    return mean_nll(log_softmax(inputs @ weights.T + biases, axis=1), labels) + penalty


@pytest.mark.parametrize(("num_classes", "strength"), [(2, 1.0), (3, 1.0), (3, 0.05)])
def test_agrees_with_a_search_on_the_objective_written_out(num_classes, strength):
    logits, labels = overconfident(0, 120, num_classes=num_classes)
    size, temperature = num_classes**2, fit_temperature(logits, labels).temperature

    def loss(point):
        weights = point[:size].reshape(num_classes, num_classes)
        return objective(weights, point[size:], logits, labels, temperature, strength)

    start = np.append(np.eye(num_classes).ravel(), np.zeros(num_classes))
    found = minimize(loss, start, method="BFGS", options={"gtol": 1e-6}).x
    fitted = fit_structured_matrix(logits, labels, strength=strength)
    # The search has finite differences for a gradient.
    np.testing.assert_allclose(np.ravel(fitted.weights), found[:size], atol=5e-4)
    np.testing.assert_allclose(fitted.biases, found[size:], atol=5e-4)


@pytest.mark.parametrize(("num_classes", "n"), [(2, 200), (4, 300), (10, 1_000)])
def test_agrees_with_the_authors_implementation(num_classes, n):
    logits, labels = overconfident(1, n, num_classes=num_classes)
    fresh, _ = overconfident(2, 500, num_classes=num_classes)
    theirs = SMSCalibrator().fit(softmax(logits, axis=1), labels)
    ours = fit_structured_matrix(logits, labels)
    # They compute in single precision, and end their search where that tells no more.
    expected = theirs.predict_proba(softmax(fresh, axis=1))
    np.testing.assert_allclose(np.exp(ours(fresh)), expected, atol=3e-3)
    problem = logits, labels, ours.temperature
    their_end = objective(theirs.W_[:, :-1], theirs.W_[:, -1], *problem)
    our_end = objective(np.array(ours.weights), np.array(ours.biases), *problem)
    assert our_end <= their_end < our_end + 1e-5


def test_a_strong_penalty_is_temperature_scaling_mixed_with_equal_probabilities():
    logits, labels = overconfident(3, 99)
    fitted = fit_structured_matrix(logits, labels, strength=1e9)
    temperature = fit_temperature(logits, labels).temperature
    fresh, _ = overconfident(4, 200)
    expected = mixed_with_equal(fresh, temperature, 99)
    np.testing.assert_allclose(np.exp(fitted(fresh)), expected, atol=1e-7)
    assert fitted.equal_share == pytest.approx(0.01)


def test_finds_true_probabilities_with_many_cases_where_vector_scaling_cannot():
    logits, labels, _ = skewed(0, 20_000)
    fresh, _, truth = skewed(1, 5_000)
    ours = mean_error(fit_structured_matrix(logits, labels)(fresh), truth)
    assert ours < 0.01
    assert mean_error(fit_vector(logits, labels)(fresh), truth) > 3 * ours


def test_few_cases_of_many_classes_cost_little_where_dirichlet_s_fixed_strength_costs_much():
    logits, labels = overconfident(5, 400, num_classes=40)
    fresh, fresh_labels = overconfident(6, 5_000, num_classes=40)
    plain = mean_nll(fit_temperature(logits, labels)(fresh), fresh_labels)
    ours = mean_nll(fit_structured_matrix(logits, labels)(fresh), fresh_labels)
    theirs = mean_nll(fit_dirichlet(logits, labels, off_diagonal=1.0)(fresh), fresh_labels)
    assert ours < plain + 0.05
    assert theirs > plain + 1.0


def test_the_weaker_the_penalty_the_likelier_the_calibration_cases():
    logits, labels, _ = skewed(7, 300)
    losses = [
        mean_nll(fit_structured_matrix(logits, labels, strength=strength)(logits), labels)
        for strength in (0.01, 0.1, 1.0, 10.0)
    ]
    assert losses == sorted(losses)


def test_classes_in_another_order_give_the_same_probabilities_in_that_order():
    logits, labels, _ = skewed(9, 300)
    order = np.array([3, 0, 4, 1, 2])
    expected = fit_structured_matrix(logits, labels)(logits)[:, order]
    found = fit_structured_matrix(logits[:, order], np.argsort(order)[labels])(logits[:, order])
    # Both searches end within their tolerance of the one optimum.
    np.testing.assert_allclose(np.exp(found), np.exp(expected), atol=1e-5)


def test_logits_that_say_nothing_of_balanced_classes_stay_at_equal_probabilities():
    fitted = fit_structured_matrix(np.full((9, 3), 7.0), np.repeat([0, 1, 2], 3))
    np.testing.assert_allclose(np.exp(fitted(np.zeros((2, 3)))), 1 / 3, rtol=1e-12)


def test_two_cases_of_two_classes_are_enough():
    logits, labels = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1])
    fitted = fit_structured_matrix(logits, labels)
    np.testing.assert_array_equal(fitted(logits).argmax(axis=1), labels)
    # A third of equal probabilities: even a certain case is not believed beyond the penalty.
    assert np.exp(fitted(np.array([[1e150, -1e150]])).max()) < 0.99


def test_the_same_cases_give_the_same_bits():
    logits, labels = overconfident(10, 300)
    assert fit_structured_matrix(logits, labels) == fit_structured_matrix(logits, labels)


def test_names_classes_without_a_case():
    logits, labels = overconfident(11, 200)
    notes = fit_structured_matrix(logits, np.where(labels == 3, 0, labels)).notes
    assert notes == ("no calibration case of class 3",)


@pytest.mark.parametrize("strength", [0.0, -1.0, np.inf, "auto"])
def test_refuses_a_penalty_that_is_no_strength(strength):
    with pytest.raises(InputError, match="strength must be a number > 0, got "):
        fit_structured_matrix(*overconfident(0, 50), strength=strength)

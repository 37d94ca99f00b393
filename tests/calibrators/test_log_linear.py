import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression

from pipeline.calibrators.dirichlet import _odir
from pipeline.calibrators.log_linear import (
    LinearScores,
    QuadraticPenalty,
    curvature,
    fit_log_linear,
    matrix_scores,
    mean_loss,
    weak_prior,
)
from pipeline.calibrators.softmax import log_softmax
from tests.calibrators.simulations import mean_nll, overconfident

BIASES = LinearScores(
    forward=lambda parameters, inputs: inputs + parameters,
    backward=lambda derivatives, inputs: derivatives.sum(axis=0),
)


def test_the_gradient_is_that_of_the_loss():
    logits, labels = overconfident(0, 60)
    inputs, scores = log_softmax(logits), matrix_scores(4)
    point = np.random.default_rng(1).normal(size=20)
    error = check_grad(
        lambda x: mean_loss(x, inputs, labels, scores)[0],
        lambda x: mean_loss(x, inputs, labels, scores)[1],
        point,
    )
    # Finite differences in 20 dimensions.
    assert error < 1e-5


def test_the_loss_is_the_mean_negative_log_likelihood_over_all_blocks():
    logits, labels = overconfident(1, 20_000)
    inputs = log_softmax(logits)
    biases = np.array([0.1, -0.3, 0.0, 0.7])
    loss, _ = mean_loss(biases, inputs, labels, BIASES)
    assert loss == pytest.approx(mean_nll(log_softmax(logits + biases), labels), rel=1e-12)


def test_the_curvature_is_the_diagonal_of_the_second_derivative():
    logits, labels = overconfident(2, 50)
    inputs, scores = log_softmax(logits), matrix_scores(4)
    point, step = np.append(np.eye(4).ravel(), np.zeros(4)), 1e-5
    expected = [
        (
            mean_loss(point + step * unit, inputs, labels, scores)[1]
            - mean_loss(point - step * unit, inputs, labels, scores)[1]
        )
        @ unit
        / (2 * step)
        for unit in np.eye(20)
    ]
    np.testing.assert_allclose(curvature(point, inputs, scores), expected, rtol=1e-5)


def test_agrees_with_scikit_learn_on_penalised_logistic_regression():
    logits, labels = overconfident(3, 400)
    inputs = log_softmax(logits)
    # Scikit-learn's C weighs the sum of losses against half the squares; biases go free.
    weights = np.append(np.full(16, 1 / (0.5 * 400)), np.full(4, 1e-9))
    parameters, notes = fit_log_linear(
        inputs, labels, matrix_scores(4), QuadraticPenalty(weights, np.zeros(20)), tolerance=1e-15
    )
    reference = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(inputs, labels)
    expected = reference.predict_log_proba(inputs)
    scores = matrix_scores(4).forward(parameters, inputs)
    np.testing.assert_allclose(log_softmax(scores), expected, atol=1e-4)
    assert notes == ()


def test_a_weak_prior_weighs_as_a_case_in_a_hundred():
    penalty = weak_prior(np.array([1.0]), 50)
    value, gradient = penalty(np.array([11.0]))
    # Half the square of one standard deviation, over 50 cases.
    assert value == pytest.approx(0.5 / 50)
    assert gradient[0] == pytest.approx(10.0 / (50 * 100))


def test_bounds_are_kept():
    logits, labels = overconfident(4, 200)
    found, _ = fit_log_linear(
        log_softmax(logits),
        np.zeros_like(labels),
        BIASES,
        weak_prior(np.zeros(4), 200),
        bounds=[(-1.0, 1.0)] * 4,
    )
    np.testing.assert_allclose(found, [1.0, -1.0, -1.0, -1.0])


def test_a_search_cut_short_says_so(monkeypatch):
    monkeypatch.setattr("pipeline.calibrators.log_linear.MAXIMUM_STEPS", 2)
    logits, labels = overconfident(5, 500)
    _, notes = fit_log_linear(
        log_softmax(logits), labels, matrix_scores(4), _odir(4, 500, 0.01, 0.01)
    )
    assert notes == ("fit stopped after 2 steps before it converged",)

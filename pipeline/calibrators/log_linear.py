r"""Calibrators whose scores are linear in their parameters: a convex fit by L-BFGS.

Each maps log-probabilities ``x`` to scores :math:`s_\theta(x)`, linear in the parameters, and
calibrates to :math:`\mathrm{softmax}(s_\theta(x))`: the negative log-likelihood is then convex,
and so it has no false optimum. Log-probabilities stand for logits because they do not change when
a constant is added to a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from pipeline.calibrators.softmax import log_softmax, row_blocks
from pipeline.shapes import Labels, Logits, LogProbabilities

Parameters = Float[np.ndarray, "parameters"]

WEAK_PRIOR_DEVIATION = 10.0
"""Standard deviation, in nats, of a normal prior that keeps separable or absent classes finite."""

MAXIMUM_STEPS = 1_000
FUNCTION_TOLERANCE = 1e-12
GRADIENT_TOLERANCE = 1e-7


@dataclass(frozen=True)
class LinearScores:
    """Scores linear in the parameters, and how a gradient by scores becomes one by parameters."""

    forward: Callable[[Parameters, LogProbabilities], Logits]
    backward: Callable[[Logits, LogProbabilities], Parameters]
    """``(derivatives by scores, inputs) -> derivatives by parameters``, summed over cases."""


def matrix_scores(num_classes: int) -> LinearScores:
    """Return the scores of a matrix, stored row after row, with the biases behind it."""
    size = num_classes**2

    def forward(parameters: Parameters, inputs: LogProbabilities) -> Logits:
        weights = parameters[:size].reshape(num_classes, num_classes)
        return inputs @ weights.T + parameters[size:]

    def backward(derivatives: Logits, inputs: LogProbabilities) -> Parameters:
        return np.concatenate([(derivatives.T @ inputs).ravel(), derivatives.sum(axis=0)])

    return LinearScores(forward, backward)


@dataclass(frozen=True)
class QuadraticPenalty:
    """Half the weighted square of the parameters' distance from a centre."""

    weights: Parameters
    centre: Parameters

    def __call__(self, parameters: Parameters) -> tuple[float, Parameters]:
        """Return the penalty and its gradient."""
        gradient = self.weights * (parameters - self.centre)
        return float(0.5 * gradient @ (parameters - self.centre)), gradient


def weak_prior(centre: Parameters, num_cases: int) -> QuadraticPenalty:
    """Return the penalty a normal prior of deviation 10 puts on a mean over ``num_cases``."""
    weight = 1.0 / (num_cases * WEAK_PRIOR_DEVIATION**2)
    return QuadraticPenalty(np.full(len(centre), weight), centre)


def fit_log_linear(
    inputs: LogProbabilities,
    labels: Labels,
    scores: LinearScores,
    penalty: QuadraticPenalty,
    *,
    start: Parameters | None = None,
    bounds: list[tuple[float, float]] | None = None,
    tolerance: float = FUNCTION_TOLERANCE,
) -> tuple[Parameters, tuple[str, ...]]:
    """Minimise mean negative log-likelihood plus penalty.

    Parameters
    ----------
    start : float array, (parameters,), optional
        The penalty's centre by default.
    bounds : list of (low, high), optional
        One pair a parameter.
    tolerance : float
        Relative fall of the objective below which the search ends.

    Returns
    -------
    parameters : float array, (parameters,)
    notes : tuple of str
        Says so if the search stopped before it converged.
    """
    first = penalty.centre if start is None else start
    # Each parameter is measured in units of its own curvature, which saves most of the steps.
    units = 1.0 / np.sqrt(penalty.weights + curvature(first, inputs, scores))

    def objective(steps: Parameters) -> tuple[float, Parameters]:
        parameters = first + units * steps
        loss, gradient = mean_loss(parameters, inputs, labels, scores)
        extra, extra_gradient = penalty(parameters)
        return loss + extra, units * (gradient + extra_gradient)

    result = minimize(
        objective,
        np.zeros_like(first),
        jac=True,
        method="L-BFGS-B",
        bounds=None if bounds is None else (np.array(bounds) - first[:, None]) / units[:, None],
        options={
            "maxiter": MAXIMUM_STEPS,
            "maxfun": 2 * MAXIMUM_STEPS,
            "maxcor": 20,
            "ftol": tolerance,
            "gtol": GRADIENT_TOLERANCE,
        },
    )
    # Status 1 is the limit of steps; 2, no further descent to be had within rounding, is an end.
    stopped = (f"fit stopped after {result.nit} steps before it converged",)
    return first + units * result.x, stopped if result.status == 1 else ()


def mean_loss(
    parameters: Parameters, inputs: LogProbabilities, labels: Labels, scores: LinearScores
) -> tuple[float, Parameters]:
    """Return the mean negative log-likelihood and its gradient, block by block."""
    loss, gradient = 0.0, np.zeros_like(parameters)
    for rows in row_blocks(*inputs.shape):
        log_p = log_softmax(scores.forward(parameters, inputs[rows]))
        own = (np.arange(len(log_p)), labels[rows])
        loss -= log_p[own].sum()
        derivatives = np.exp(log_p)
        derivatives[own] -= 1.0
        gradient += scores.backward(derivatives, inputs[rows])
    return loss / len(inputs), gradient / len(inputs)


def curvature(parameters: Parameters, inputs: LogProbabilities, scores: LinearScores) -> Parameters:
    """Return the diagonal of the mean loss's second derivative, each score on its own."""
    result = np.zeros_like(parameters)
    for rows in row_blocks(*inputs.shape):
        p = np.exp(log_softmax(scores.forward(parameters, inputs[rows])))
        result += scores.backward(p * (1.0 - p), inputs[rows] ** 2)
    return result / len(inputs)

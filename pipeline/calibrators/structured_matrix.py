"""Structured matrix scaling: a penalised linear map on top of temperature scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.arguments import positive
from pipeline.calibrators.bcts import absent_notes
from pipeline.calibrators.calibrator import checked_cases, checked_logits
from pipeline.calibrators.log_linear import QuadraticPenalty, fit_log_linear, matrix_scores
from pipeline.calibrators.softmax import log_softmax
from pipeline.calibrators.temperature import fit_temperature
from pipeline.shapes import Labels, Logits, LogProbabilities


@dataclass(frozen=True)
class StructuredMatrix:
    """Scale by a temperature, mix with equal probabilities, then map their logarithms linearly."""

    preserves_argmax: ClassVar[bool] = False

    temperature: float
    equal_share: float
    """Weight of equal probabilities in the mixture, in (0, 1)."""
    weights: tuple[tuple[float, ...], ...]
    """One row for each class of the result, one column for each of the input."""
    biases: tuple[float, ...]
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        logits = checked_logits(logits, num_classes=len(self.biases))
        inputs = log_mixture(log_softmax(logits, self.temperature), self.equal_share)
        return log_softmax(inputs @ np.asarray(self.weights).T + np.asarray(self.biases))


def log_mixture(log_p: LogProbabilities, equal_share: float) -> LogProbabilities:
    r"""Return :math:`\log((1 - \epsilon) p_k + \epsilon / K)`, (n, classes).

    >>> np.exp(log_mixture(np.log([[0.9, 0.1]]), 0.5)).round(12)
    array([[0.7, 0.3]])
    """
    return np.log((1.0 - equal_share) * np.exp(log_p) + equal_share / log_p.shape[1])


def fit_structured_matrix(
    logits: Logits, labels: Labels, *, strength: float = 1.0
) -> StructuredMatrix:
    r"""Fit a temperature, then a matrix near the identity whose parts are penalised by their size.

    .. math:: \min_{W, b} \frac1n \sum_i -\log \mathrm{softmax}(W \log q_i + b)_{y_i}
              + \lambda \frac{K}{n} \Big( \sum_k b_k^2 + \sum_k (w_{kk} - 1)^2 \Big)
              + \lambda \frac{K (K - 1)}{n} \sum_{j \ne k} w_{jk}^2

    with :math:`q = \frac{n}{n + 1} \mathrm{softmax}(z / T) + \frac{1}{n + 1} \frac1K` and T the
    likeliest temperature in [0.05, 20]. Strictly convex: its only optimum is found by L-BFGS with
    the analytic gradient, whose steps cost 4 n K^2 operations each. The larger :math:`\lambda`, the
    closer to q itself: temperature scaling, but for the share 1/(n + 1).

    May change the arg-max, hence accuracy. A temperature at its bound and classes without any case
    are named in ``notes``.

    Parameters
    ----------
    logits : float array, (n, classes)
        Held-out calibration logits, in nats. At least as many cases as classes.
    strength : float
        :math:`\lambda > 0`; 1 in the source.

    References
    ----------
    Berta, Holzmüller, Jordan, Bach, AISTATS 2026, arXiv:2511.03685, with ridge penalties and
    rho = tau = 1, as in version 1.3.0 of the authors' ``probmetrics``. The source names it for
    more than two classes; for two it prefers a quadratic map. The bounds of T are ours.

    Examples
    --------
    Logits claim odds of 9 to 1, and are right in 3 of 4 cases; the penalty of so few cases leaves
    the matrix at the identity: T = 2, hence 3 to 1, and 4/5 (3/4, 1/4) + 1/5 (1/2, 1/2).

    >>> fitted = fit_structured_matrix(
    ...     np.log([[9.0, 1.0]] * 4), np.array([0, 0, 0, 1]), strength=1e9
    ... )
    >>> np.exp(fitted(np.log([[9.0, 1.0]]))).round(6)
    array([[0.7, 0.3]])
    """
    logits, labels = checked_cases(logits, labels)
    num_cases, num_classes = logits.shape
    penalty = _penalty(num_classes, num_cases, positive("strength", strength))
    scaling = fit_temperature(logits, labels)
    equal_share = 1.0 / (num_cases + 1)
    inputs = log_mixture(scaling(logits), equal_share)
    parameters, notes = fit_log_linear(inputs, labels, matrix_scores(num_classes), penalty)
    size = num_classes**2
    return StructuredMatrix(
        scaling.temperature,
        equal_share,
        tuple(map(tuple, parameters[:size].reshape(num_classes, num_classes).tolist())),
        tuple(parameters[size:].tolist()),
        scaling.notes + notes + absent_notes(labels, num_classes),
    )


def _penalty(num_classes: int, num_cases: int, strength: float) -> QuadraticPenalty:
    identity = np.eye(num_classes)
    matrix = np.where(identity > 0, num_classes, num_classes * (num_classes - 1))
    weights = np.append(matrix.ravel(), np.full(num_classes, num_classes))
    centre = np.append(identity.ravel(), np.zeros(num_classes))
    # A penalty is half the weighted squares.
    return QuadraticPenalty(2.0 * strength * weights / num_cases, centre)

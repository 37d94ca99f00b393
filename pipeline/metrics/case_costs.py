"""What wrong answers cost, by true class and answer."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pipeline.errors import InputError
from pipeline.shapes import Labels, require_labels_in_range, require_same_length

Costs = Float[np.ndarray, "classes classes"]
"""Cost of answering the column's class where the row's is true."""


def case_costs(predicted: Labels, labels: Labels, costs: Costs) -> Float[np.ndarray, "cases"]:
    """Return what answering each case costs: losses for `pipeline.metrics.selective`.

    ``costs[true, answered]`` is finite and at least 0; zeros on the diagonal and ones elsewhere
    give losses of 0 and 1.

    Raises `InputError` if the matrix is not square, a cost is negative or not finite, or a class
    does not exist.

    >>> missed_disease = np.array([[0.0, 1.0], [20.0, 0.0]])
    >>> case_costs(np.array([0, 1, 0]), np.array([0, 0, 1]), missed_disease)
    array([ 0.,  1., 20.])
    """
    costs = np.asarray(costs, dtype=np.float64)
    if costs.ndim != 2 or costs.shape[0] != costs.shape[1]:
        message = f"costs must be (classes, classes), got shape {costs.shape}"
        raise InputError(message)
    if not (np.isfinite(costs).all() and (costs >= 0).all()):
        message = f"costs must be finite and at least 0, got {costs.min()}..{costs.max()}"
        raise InputError(message)
    require_same_length(predicted=predicted, labels=labels)
    require_labels_in_range(labels, num_classes=len(costs))
    require_labels_in_range(predicted, num_classes=len(costs))
    return costs[labels, predicted]

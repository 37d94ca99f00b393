"""What an error costs, as somebody stated it, and what a model's answers then cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from pipeline.errors import InputError
from pipeline.metrics.case_costs import Costs, case_costs
from pipeline.tables.parts.run import Applied

if TYPE_CHECKING:
    from pipeline.tables.parts.experiment import Experiment


StatedCosts = Mapping[str, Mapping[str, float]]
"""By true class, by the class answered; what is left out costs 1, and a right answer nothing."""


def cost_matrix(stated: StatedCosts, classes: Sequence[str]) -> Costs:
    """Return the costs in the order of the classes: of the row's class read as the column's.

    Raises
    ------
    InputError
        If a class is none of these, a right answer has a cost, or no error has one.

    Examples
    --------
    >>> cost_matrix({"ill": {"well": 20}}, ["well", "ill"])
    array([[ 0.,  1.],
           [20.,  0.]])
    """
    named = set(stated).union(*stated.values())
    if strangers := sorted(named - set(classes)):
        message = f"costs must be of the classes {', '.join(classes)}, got {', '.join(strangers)}"
        raise InputError(message)
    costs = 1.0 - np.eye(len(classes))
    for true, row in stated.items():
        for answered, cost in row.items():
            costs[classes.index(true), classes.index(answered)] = cost
    if np.diagonal(costs).any():
        message = "a right answer costs nothing, so no class may have a cost when read as itself"
        raise InputError(message)
    if not (np.isfinite(costs).all() and costs.min() >= 0 and costs.max() > 0):
        message = f"costs must be finite, at least 0 and not all 0, got {costs.tolist()}"
        raise InputError(message)
    return costs


def scaled_costs(applied: Applied, calibrator: str, costs: Costs) -> Float[np.ndarray, "cases"]:
    """Return what answering each case costs, as a share of the largest cost."""
    predicted = applied.top(calibrator).predicted
    return case_costs(predicted, applied.predictions.labels, costs / costs.max())


def costs_are_stated(experiment: Experiment) -> bool:
    """Return whether somebody said what its errors cost."""
    return bool(experiment.row.costs)

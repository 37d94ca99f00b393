"""Thresholds whose true selective risk is at most a target, with a stated confidence.

The promise is over repeated samples from the same population: the threshold named has a true risk
above the target in at most a share delta of them. It says nothing of other sites, scanners,
subgroups or one patient. It needs cases that no calibrator was fitted on and that are independent:
one case a patient (`pipeline.metrics.patient_units`).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped

from pipeline.arguments import one_of
from pipeline.errors import InputError
from pipeline.metrics.fixed_sequence import fixed_sequence
from pipeline.metrics.risk_sums import SelectionScores
from pipeline.metrics.risk_tests import RISK_TESTS
from pipeline.metrics.selective import risk_coverage_curve
from pipeline.metrics.threshold_choice import Question, ThresholdChoice


def choose_threshold(
    confidence: SelectionScores,
    losses: Shaped[np.ndarray, "cases"],
    *,
    target: float,
    delta: float,
    test: str = "exact_binomial",
) -> ThresholdChoice:
    """Choose the threshold that answers most cases with a true risk of at most ``target``.

    "No threshold meets the target" and "too few cases" are answers, not errors.

    Parameters
    ----------
    confidence : float array, (n,)
        Scores of independent cases that nothing was fitted on, higher when surer.
    losses : array, (n,)
        0 or 1; or anything in [0, 1] with ``test="hoeffding_bentkus"``. Costs on another scale are
        divided by the largest possible one, and the target with them.
    target : float
        Largest selective risk wanted, in (0, 1).
    delta : float
        Chance allowed for a threshold whose true risk is above the target, in (0, 1).
    test : str
        A key of `pipeline.metrics.risk_tests.RISK_TESTS`. Chosen beforehand, never by whether the
        losses happened to be 0 and 1.

    Raises
    ------
    InputError
        If target or delta lies outside (0, 1), the test does not exist, or the losses do not suit
        it.

    Examples
    --------
    >>> falling = np.linspace(1, 0, 100)
    >>> choice = choose_threshold(falling, np.arange(100) >= 80, target=0.05, delta=0.05)
    >>> choice.status, choice.chosen.answered, choice.chosen.wrong
    ('found', 80, 0.0)
    """
    one_of("test", test, sorted(RISK_TESTS))
    question = Question(target, delta, RISK_TESTS[test])
    curve = risk_coverage_curve(confidence, losses)
    costs = np.asarray(losses)
    if question.test.binary and not np.isin(costs, (0, 1)).all():
        message = f"the test {test} needs losses of 0 or 1, got others, largest {costs.max()}"
        raise InputError(message)
    if costs.max() > 1:
        message = f"losses must lie in [0, 1], got {costs.max()}: divide by the largest possible"
        raise InputError(message)
    return fixed_sequence(curve, question)

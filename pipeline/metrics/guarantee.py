"""Thresholds whose true selective risk is at most a target, with a stated confidence.

The promise is over repeated samples from the same population: a rule names a threshold whose true
risk exceeds the target in at most a share delta of them. It says nothing of other sites, scanners,
subgroups or one patient. It needs cases that no calibrator was fitted on and that are independent:
one case a patient (`pipeline.metrics.patient_units`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

import numpy as np
from jaxtyping import Shaped

from pipeline.errors import InputError
from pipeline.metrics.fixed_sequence import fixed_sequence
from pipeline.metrics.risk_sums import Scores
from pipeline.metrics.risk_tests import RISK_TESTS
from pipeline.metrics.selective import RiskCoverage, risk_coverage_curve
from pipeline.metrics.sgr import sgr
from pipeline.metrics.threshold_choice import (
    Question,
    ThresholdChoice,
    conclude,
    coverage_steps,
    minimum_answered,
    points_answering,
)

BONFERRONI_STEPS = 20
"""Candidates of the Bonferroni rule: one every 5 % of coverage."""


def bonferroni(curve: RiskCoverage, question: Question) -> ThresholdChoice:
    """Test each of a grid of thresholds at an equal part of delta; choose the widest that passes.

    A comparison: it needs no order, and pays for it with power. Arguments as of `fixed_sequence`.
    """
    level = question.delta / BONFERRONI_STEPS
    num_cases, fewest = int(curve.answered[-1]), minimum_answered(question.target, level)
    conclusion = partial(conclude, "bonferroni", question, curve, level=level, fewest=fewest)
    if num_cases < fewest:
        return conclusion((), None)
    points = points_answering(curve, coverage_steps(num_cases, BONFERRONI_STEPS))
    p_values = question.test.p_value(curve.losses[points], curve.answered[points], question.target)
    passed = points[p_values <= level]
    return conclusion(points, int(passed[-1]) if len(passed) else None)


THRESHOLD_RULES: dict[str, Callable[[RiskCoverage, Question], ThresholdChoice]] = {
    "fixed_sequence": fixed_sequence,
    "bonferroni": bonferroni,
    "sgr": sgr,
}


def choose_threshold(
    confidence: Scores,
    losses: Shaped[np.ndarray, "cases"],
    *,
    target: float,
    delta: float,
    rule: str = "fixed_sequence",
    test: str = "exact_binomial",
) -> ThresholdChoice:
    """Choose the threshold that answers most cases with a true risk of at most ``target``.

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
    rule : str
        A key of `THRESHOLD_RULES`.
    test : str
        A key of `pipeline.metrics.risk_tests.RISK_TESTS`. Chosen beforehand, never by whether the
        losses happened to be 0 and 1.

    Returns
    -------
    ThresholdChoice
        "No threshold meets the target" and "too few cases" are answers, not errors.

    Raises
    ------
    InputError
        If target or delta lies outside (0, 1), rule or test do not exist, or the losses do not suit
        the test.

    Examples
    --------
    >>> falling = np.linspace(1, 0, 100)
    >>> choice = choose_threshold(falling, np.arange(100) >= 80, target=0.05, delta=0.05)
    >>> choice.status, choice.chosen.answered, choice.chosen.wrong
    ('found', 80, 0.0)
    """
    _require_known("rule", rule, THRESHOLD_RULES)
    _require_known("test", test, RISK_TESTS)
    question = Question(target, delta, RISK_TESTS[test])
    curve = risk_coverage_curve(confidence, losses)
    costs = np.asarray(losses)
    if question.test.binary and not np.isin(costs, (0, 1)).all():
        message = f"the test {test} needs losses of 0 or 1, got others, largest {costs.max()}"
        raise InputError(message)
    if costs.max() > 1:
        message = f"losses must lie in [0, 1], got {costs.max()}: divide by the largest possible"
        raise InputError(message)
    return THRESHOLD_RULES[rule](curve, question)


def _require_known(name: str, word: str, known: Collection[str]) -> None:
    if word not in known:
        message = f"{name} must be one of {', '.join(sorted(known))}, got {word!r}"
        raise InputError(message)

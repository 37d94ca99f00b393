"""Thresholds whose true selective risk is at most a target, with a stated confidence.

The promise is over repeated samples from the same population: the threshold named has a true risk
above the target in at most a share delta of them. It says nothing of other sites, scanners,
subgroups or one patient. It needs cases that no calibrator was fitted on and that are independent:
one case a patient (`pipeline.metrics.patient_units`).
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache, partial
from itertools import count

import numpy as np
from jaxtyping import Float, Int, Shaped

from pipeline.arguments import one_of
from pipeline.errors import InputError
from pipeline.metrics.risk_sums import SelectionScores
from pipeline.metrics.risk_tests import RISK_TESTS, Shares
from pipeline.metrics.selective import RiskCoverage, risk_coverage_curve
from pipeline.metrics.threshold_choice import (
    Question,
    ThresholdChoice,
    conclude,
    coverage_steps,
    minimum_answered,
    points_answering,
)

GRID_STEPS = 50
"""Candidates between the starts: one every 2 % of coverage."""


def fixed_sequence(curve: RiskCoverage, question: Question) -> ThresholdChoice:
    r"""Test thresholds from a strict one downward, with a part of delta begun at each of k starts.

    Candidates are the k starts of `sequence_starts` and, from the first on, coverages in steps of
    2 %. From the strictest down each is tested at the level

    .. math:: \delta_i = \frac{\delta}{k} \big(1[i \text{ is a start}]\big)
              + \delta_{i-1}\, 1[i - 1 \text{ passed}]

    so what a sequence was given goes on with it until a candidate fails, and joins what the next
    start is given; a level of 0 is no test. The lowest threshold that passed is chosen.

    Order, starts and steps depend on n, target and delta alone. Let the risk of the candidates
    :math:`i_1 < i_2 < \dots` exceed the target. If :math:`i_j` is the first of them to pass, it was
    tested at no more than what began after :math:`i_{j-1}` and no later than :math:`i_j`. These
    parts sum to at most delta, so with probability at most delta any of them passes.

    `num_candidates` counts those that were tested; `minimum_answered` is the first start.

    The curve is of the cases kept for choosing a threshold.

    References
    ----------
    Angelopoulos, Bates, Candes, Jordan and Lei, "Learn then Test", arXiv:2110.01052, section 4,
    for fixed sequences with several starts; Wiens and Dmitrienko, Journal of Biopharmaceutical
    Statistics 15 (2005), 929-942, for levels that go on ("fallback"). The starts are our choice.
    """
    starts = sequence_starts(int(curve.answered[-1]), question)
    conclusion = partial(conclude, question, curve)
    if not starts:
        fewest = minimum_answered(question.target, question.delta)
        return conclusion((), None, level=question.delta, fewest=fewest)
    points = _candidates(curve, starts)
    begun = np.zeros(len(points), dtype=np.int64)
    # Equal scores may merge starts, whose parts of delta then add up.
    np.add.at(begun, np.searchsorted(curve.answered[points], starts), 1)
    p_values = question.test.p_value(curve.losses[points], curve.answered[points], question.target)
    levels = _levels(p_values, begun, question.delta)
    tested = levels > 0
    passed = points[tested & (p_values <= levels)]
    chosen = int(passed[-1]) if len(passed) else None
    return conclusion(points[tested], chosen, level=levels[tested], fewest=starts[0])


@lru_cache(maxsize=256)
def sequence_starts(num_cases: int, question: Question) -> tuple[int, ...]:
    """Return how many cases each start answers, fewest first; none if there are too few cases.

    With k starts the j-th is the fewest answered that pass at level delta/k with 2^j - 2 of them
    wrong: 0, 2, 6, 14 and so on. k is the largest number whose last start the cases suffice for. So
    the first start is the earliest that can pass at all, and each is about twice the one before.

    >>> from pipeline.metrics.risk_tests import RISK_TESTS
    >>> question = Question(target=0.05, delta=0.05, test=RISK_TESTS["exact_binomial"])
    >>> [sequence_starts(num_cases, question) for num_cases in (58, 59, 300)]
    [(), (59,), (80, 153, 271)]
    """

    def start(number: int, num_starts: int) -> int:
        level = question.delta / num_starts
        return _fewest_that_pass(2**number - 2, question, level, num_cases)

    num_starts = next(k for k in count() if start(k + 1, k + 1) > num_cases)
    return tuple(start(number, num_starts) for number in range(1, num_starts + 1))


def _fewest_that_pass(wrong: int, question: Question, level: float, num_cases: int) -> int:
    """Return the fewest answered that pass with so many wrong; `num_cases` + 1 if none do."""

    def passes(answered: int) -> bool:
        p_value = question.test.p_value(np.array([wrong]), np.array([answered]), question.target)
        return bool(p_value[0] <= level)

    # More right answers never raise the p-value, so halving finds the first that passes.
    return 1 + bisect_left(range(1, num_cases + 1), True, key=passes)


def _candidates(curve: RiskCoverage, starts: tuple[int, ...]) -> Int[np.ndarray, "candidates"]:
    steps = coverage_steps(int(curve.answered[-1]), GRID_STEPS)
    return points_answering(curve, [*starts, *(step for step in steps if step >= starts[0])])


def _levels(
    p_values: Shares, begun: Int[np.ndarray, "candidates"], delta: float
) -> Float[np.ndarray, "candidates"]:
    """Return the level each candidate is tested at: what was carried to it and what begins there.

    Counted in whole parts of delta, so that all of them make delta itself and not nearly.
    """
    num_parts, carried = int(begun.sum()), 0
    levels = np.empty(len(begun))
    for place, (own, p_value) in enumerate(zip(begun.tolist(), p_values.tolist(), strict=True)):
        parts = carried + own
        levels[place] = delta * (parts / num_parts)
        carried = parts if p_value <= levels[place] else 0
    return levels


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

    Raises `InputError` if target or delta lies outside (0, 1), the test does not exist, or the
    losses do not suit it.

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

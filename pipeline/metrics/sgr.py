"""Selection with guaranteed risk: a binary search for the widest safe threshold."""

from __future__ import annotations

from functools import partial
from math import ceil, log2

from pipeline.metrics.selective import RiskCoverage
from pipeline.metrics.threshold_choice import (
    Question,
    ThresholdChoice,
    conclude,
    minimum_answered,
)


def sgr(curve: RiskCoverage, question: Question) -> ThresholdChoice:
    """Halve the range of ranks ceil(log2 n) times, each test at delta over that number.

    A comparison. Two departures from the published algorithm: it names the last threshold tried,
    whether or not its limit meets the target, where this names one that passed, or none; and equal
    scores are answered together. Which ranks are tried depends on the losses, so that the parts of
    delta add up only where the true risk rises with coverage; `fixed_sequence` needs no such thing.

    Parameters
    ----------
    curve : RiskCoverage
        Curve of the cases kept for choosing a threshold.
    question : Question
        Target, delta and test.

    References
    ----------
    Geifman and El-Yaniv, NeurIPS 2017, arXiv:1705.08500, algorithm 2.
    """
    num_cases = int(curve.answered[-1])
    num_tests = max(1, ceil(log2(num_cases)))
    level = question.delta / num_tests
    fewest = minimum_answered(question.target, level)
    conclusion = partial(conclude, "sgr", question, curve, level=level, fewest=fewest)
    if num_cases < fewest:
        return conclusion((), None)
    lowest, highest = 1, num_cases
    tried, chosen = set(), None
    for _ in range(num_tests):
        middle = ceil((lowest + highest) / 2)
        # The paper ranks scores upward: rank z answers the n - z + 1 cases from it on.
        point = int(curve.answered.searchsorted(num_cases - middle + 1))
        tried.add(point)
        losses, answered = curve.losses[point, None], curve.answered[point, None]
        if question.test.p_value(losses, answered, question.target)[0] <= level:
            highest, chosen = middle, point
        else:
            lowest = middle
    return conclusion(sorted(tried), chosen)

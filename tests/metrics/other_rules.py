"""Rules that choose a threshold in other ways, each told by how many cases it answers: to compare.

Each takes the curve of the cases at hand and the question, and returns 0 where it finds nothing.
"""

from math import ceil, log2

import numpy as np

from pipeline.metrics.fixed_sequence import GRID_STEPS
from pipeline.metrics.threshold_choice import coverage_steps, minimum_answered, points_answering

BONFERRONI_STEPS = 20


def bonferroni(curve, asked):
    """Test 20 coverages, each at delta / 20, and take the widest that passes."""
    points = points_answering(curve, coverage_steps(int(curve.answered[-1]), BONFERRONI_STEPS))
    level = asked.delta / BONFERRONI_STEPS
    passed = p_values(curve, points, asked) <= level
    return int(curve.answered[points[passed]].max(initial=0))


def sgr(curve, asked):
    """Halve the range of ranks ceil(log2 n) times, each test at delta over that number.

    Geifman and El-Yaniv 2017, arXiv:1705.08500, algorithm 2, but for naming a threshold that passed
    where the published one names the last it tried.
    """
    num_cases = int(curve.answered[-1])
    num_tests = ceil(log2(num_cases))
    lowest, highest, answered = 1, num_cases, 0
    for _ in range(num_tests):
        middle = ceil((lowest + highest) / 2)
        # The paper ranks scores upward: rank z answers the n - z + 1 cases from it on.
        point = curve.answered.searchsorted(num_cases - middle + 1, side="left")
        if p_values(curve, [point], asked)[0] <= asked.delta / num_tests:
            highest, answered = middle, int(curve.answered[point])
        else:
            lowest = middle
    return answered


def one_start(curve, asked):
    """The former rule: one sequence at level delta from max(a_min, min(5 a_min, n/3))."""
    n, fewest = int(curve.answered[-1]), minimum_answered(asked.target, asked.delta)
    if n < fewest:
        return 0
    start = max(fewest, min(5 * fewest, n / 3))
    grid = [answered for answered in steps(n, 0)[1:] if answered >= start]
    return chosen_by_sequence(curve, grid, asked, asked.delta)


def four_starts(curve, asked):
    """Sequences from n/2, n/4, n/8 and 1.6 a_min, each at its part of delta and no more."""
    n, fewest = int(curve.answered[-1]), minimum_answered(asked.target, asked.delta / 4)
    wanted = [*(max(fewest, n / part) for part in (2, 4, 8)), 1.6 * fewest]
    starts = {int(np.ceil(start)) for start in wanted if np.ceil(start) <= n}
    level = asked.delta / max(len(starts), 1)
    sequences = [chosen_by_sequence(curve, steps(n, start), asked, level) for start in starts]
    return max(sequences, default=0)


def p_values(curve, points, asked):
    """Return the p-value of the curve's points."""
    return asked.test.p_value(curve.losses[points], curve.answered[points], asked.target)


def steps(num_cases, start):
    return [start, *(step for step in coverage_steps(num_cases, GRID_STEPS) if step > start)]


def chosen_by_sequence(curve, candidates, asked, level):
    """Return how many a plain fixed sequence answers at one level, 0 if it finds nothing."""
    passed = p_values(curve, np.searchsorted(curve.answered, candidates), asked) <= level
    num_passed = len(passed) if passed.all() else int(passed.argmin())
    return candidates[num_passed - 1] if num_passed else 0

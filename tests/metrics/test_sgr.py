from math import ceil, comb, log2

import numpy as np
import pytest
from scipy.optimize import brentq

from pipeline.metrics.risk_tests import RISK_TESTS
from pipeline.metrics.selective import risk_coverage_curve
from pipeline.metrics.sgr import sgr
from pipeline.metrics.threshold_choice import Question

EXACT = RISK_TESTS["exact_binomial"]


def published_search(confidence, wrong, target, delta):
    """Run the published algorithm in its own terms: bound B*, ranks z upward, cases from z on."""
    m = len(wrong)
    num_tests = ceil(log2(m))
    upward = np.argsort(confidence)
    low, high, passed = 1, m, None
    for _ in range(num_tests):
        z = ceil((low + high) / 2)
        accepted = wrong[upward[z - 1 :]]
        size, errors = len(accepted), int(accepted.sum())

        def excess(b, size=size, errors=errors):
            tail = sum(comb(size, j) * b**j * (1 - b) ** (size - j) for j in range(errors + 1))
            return tail - delta / num_tests

        bound = 1.0 if errors == size else brentq(excess, 1e-12, 1 - 1e-12)
        if bound < target:
            high, passed = z, confidence[upward[z - 1]]
        else:
            low = z
    return passed


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_the_published_search_wherever_that_passes(seed):
    rng = np.random.default_rng(seed)
    confidence = rng.random(200)
    wrong = (rng.random(200) < 0.4 * (1 - confidence) ** 2).astype(int)
    choice = sgr(risk_coverage_curve(confidence, wrong), Question(0.1, 0.05, EXACT))
    assert choice.threshold == published_search(confidence, wrong, 0.1, 0.05)


def test_names_no_threshold_where_none_passes():
    wrong = np.arange(200) % 2
    choice = sgr(risk_coverage_curve(np.linspace(1, 0, 200), wrong), Question(0.1, 0.05, EXACT))
    assert (choice.status, choice.threshold) == ("none", None)
    assert choice.best.upper_limit > 0.1


def test_each_test_gets_its_part_of_delta():
    choice = sgr(
        risk_coverage_curve(np.linspace(1, 0, 256), np.zeros(256)), Question(0.1, 0.05, EXACT)
    )
    assert choice.chosen.upper_limit == pytest.approx(
        1 - (0.05 / 8) ** (1 / choice.chosen.answered), rel=1e-9
    )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_cases_is_too_few(n):
    choice = sgr(risk_coverage_curve(np.arange(n), np.zeros(n)), Question(0.1, 0.05, EXACT))
    assert choice.status == "too_few"


def test_a_single_case_may_do_where_little_is_asked():
    choice = sgr(risk_coverage_curve(np.array([0.5]), np.array([0])), Question(0.9, 0.5, EXACT))
    assert choice.threshold == 0.5

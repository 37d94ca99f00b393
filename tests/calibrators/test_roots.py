import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad

from pipeline.calibrators.roots import (
    LOG_TEMPERATURE_BOUNDS,
    ConfidenceEquation,
    Limits,
    likelihood_equation,
    solve_log_temperatures,
)
from pipeline.calibrators.softmax import highest_logits
from tests.calibrators.simulations import overconfident


class CountingEquation:
    """Terms f(sharpness - root) with a root for each case, and the number of passes made."""

    def __init__(self, roots, *terms):
        self.roots, self.terms, self.num_passes = np.array(roots), terms, 0

    def __call__(self, cases, inverse):
        self.num_passes += 1
        away = np.log(inverse) - self.roots[cases]
        return tuple(term(away) for term in self.terms)


LINE = (lambda x: x, np.ones_like, np.zeros_like)
NOTHING = (np.zeros_like, np.zeros_like, np.zeros_like)


SHAPES = {
    "line": LINE,
    "cube, flat at its root": (lambda x: x**3, lambda x: 3 * x**2, lambda x: 6 * x),
    "sigmoid, flat far away": (
        lambda x: np.tanh(20 * x),
        lambda x: 20 / np.cosh(20 * x) ** 2,
        lambda x: -800 * np.tanh(20 * x) / np.cosh(20 * x) ** 2,
    ),
    "exponential, steep above": (
        lambda x: np.expm1(9 * x),
        lambda x: 9 * np.exp(9 * x),
        lambda x: 81 * np.exp(9 * x),
    ),
    "step with a slope of zero": (np.sign, np.zeros_like, np.zeros_like),
    "slope that misleads": (np.cbrt, lambda x: np.full_like(x, 1e-3), np.zeros_like),
    "curvature that misleads": (np.sinh, np.cosh, lambda x: -9.0 * np.sign(x)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_finds_each_group_its_own_root_whatever_the_shape(shape):
    wanted = np.array([-2.9, -1.0, 0.01, 0.3, 2.0, 2.99])
    equation = CountingEquation(-wanted, *SHAPES[shape])
    found = solve_log_temperatures(
        equation, np.arange(6), num_groups=6, limits=Limits(step_tolerance=1e-6)
    )
    # Halley's steps halve the distance to a triple root: a last step of 1e-6 leaves 1e-6.
    tolerance = 1.1e-6 if "cube" in shape else 1e-10
    np.testing.assert_allclose(found.log_temperatures, wanted, rtol=0, atol=tolerance)
    assert found.determined.all()
    assert equation.num_passes < 90


def test_roots_beyond_the_bounds_give_the_bounds_exactly():
    equation = CountingEquation([-7.0, 7.0], *LINE)
    found = solve_log_temperatures(equation, np.arange(2), num_groups=2)
    np.testing.assert_array_equal(found.log_temperatures, LOG_TEMPERATURE_BOUNDS[::-1])


def test_a_root_at_the_very_bound_is_found():
    low, high = LOG_TEMPERATURE_BOUNDS
    equation = CountingEquation([-low, -high], *LINE)
    found = solve_log_temperatures(equation, np.arange(2), num_groups=2)
    np.testing.assert_array_equal(found.log_temperatures, [low, high])


def test_a_sum_that_is_zero_everywhere_keeps_the_start_and_says_so():
    equation = CountingEquation([0.0, 0.0], *NOTHING)
    found = solve_log_temperatures(equation, np.arange(2), num_groups=2, start=np.array([0.0, 1.5]))
    np.testing.assert_array_equal(found.log_temperatures, [0.0, 1.5])
    assert not found.determined.any()


@given(st.lists(st.floats(-2.9, 2.9), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_groups_do_not_disturb_one_another(roots, seed):
    members = np.random.default_rng(seed).integers(0, 5, size=len(roots))
    members[0] = 4
    terms = (
        lambda x: np.sinh(3 * x),
        lambda x: 3 * np.cosh(3 * x),
        lambda x: 9 * np.sinh(3 * x),
    )
    together = solve_log_temperatures(CountingEquation(roots, *terms), members, num_groups=5)
    for group in np.unique(members):
        own = np.flatnonzero(members == group)
        alone = solve_log_temperatures(
            CountingEquation(roots, *terms), np.zeros(len(own), dtype=int), num_groups=1, cases=own
        )
        assert together.log_temperatures[group] == pytest.approx(
            alone.log_temperatures[0], abs=1e-9
        )


def test_a_large_group_takes_few_passes_over_all_of_its_cases():
    logits, labels = overconfident(0, 70_000)
    equation, sizes = likelihood_equation(logits, labels), []

    def counting(cases, inverse):
        sizes.append(len(cases))
        return equation(cases, inverse)

    solve_log_temperatures(counting, np.zeros(70_000, dtype=int), num_groups=1)
    assert sum(size == 70_000 for size in sizes) <= 2


def test_groups_without_a_say_keep_one_though_others_start_near_the_common_root():
    logits, labels = overconfident(3, 20_000)
    groups = np.arange(20_000) % 2
    logits[groups == 1] = 0.0
    found = solve_log_temperatures(likelihood_equation(logits, labels), groups, num_groups=2)
    assert found.log_temperatures[1] == 0.0
    assert found.determined.tolist() == [True, False]
    assert found.log_temperatures[0] > 0.1


@pytest.mark.parametrize("kind", ["likelihood", "confidence"])
def test_slopes_and_curvatures_are_the_derivatives_of_the_values(kind):
    logits, labels = overconfident(1, 30)
    equation = likelihood_equation(logits, labels)
    if kind == "confidence":
        equation = ConfidenceEquation(logits, highest_logits(logits), np.full(30, 0.7))
    cases = np.arange(30)

    def derivative(sharpness, order):
        return equation(cases, np.full(30, np.exp(sharpness[0])))[order].sum()

    for sharpness, order in itertools.product((-1.0, 0.0, 1.0), (0, 1)):
        error = check_grad(
            lambda x, order=order: derivative(x, order),
            lambda x, order=order: derivative(x, order + 1)[None],
            [sharpness],
        )
        # Finite differences of a sum of 30 terms.
        assert error < 1e-5


def test_the_likelihood_terms_are_derivatives_of_the_loss_by_inverse_temperature():
    logits, labels = overconfident(2, 50)
    equation = likelihood_equation(logits, labels)

    def loss(inverse):
        scaled = inverse[0] * logits
        return (np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(50), labels]).sum()

    def derivative(inverse):
        return equation(np.arange(50), np.full(50, inverse[0]))[0].sum()[None]

    assert check_grad(loss, derivative, [0.8]) < 1e-4


def test_equal_logits_have_no_say_in_the_confidence_of_their_group():
    logits = np.array([[2.0, 0.0], [3.0, 3.0]])
    equation = ConfidenceEquation(logits, highest_logits(logits), np.array([0.75, 0.75]))
    found = solve_log_temperatures(equation, np.zeros(2, dtype=int), num_groups=1)
    # The first alone: odds exp(2/T) = 3.
    assert np.exp(found.log_temperatures[0]) == pytest.approx(2 / np.log(3), rel=1e-9)

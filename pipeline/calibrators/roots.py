"""Temperatures that solve one monotone equation a group of cases, all groups at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pipeline.calibrators.softmax import exponential_moments, highest_logits
from pipeline.shapes import Labels, Logits

TEMPERATURE_BOUNDS = (0.05, 20.0)
"""Temperatures outside are not searched; one at a bound is reported as such."""

LOG_TEMPERATURE_BOUNDS = (
    float(np.log(TEMPERATURE_BOUNDS[0])),
    float(np.log(TEMPERATURE_BOUNDS[1])),
)

STEP_TOLERANCE = 3e-5
WIDTH_TOLERANCE = 1e-12

THINNING = 16
CASES_A_GROUP_WORTH_THINNING = 4_000

Equation = Callable[
    [Int[np.ndarray, "chosen"], Float[np.ndarray, "chosen"]],
    tuple[Float[np.ndarray, "chosen"], Float[np.ndarray, "chosen"]],
]
"""``(cases, sharpness) -> (values, slopes)``: each case's term of its group's equation, and the
derivative of that term, at sharpness -log T. A group's sum must never fall as sharpness rises."""


@dataclass(frozen=True)
class Roots:
    """What `solve_log_temperatures` found, one entry a group."""

    log_temperatures: Float[np.ndarray, "groups"]
    slopes: Float[np.ndarray, "groups"]
    """Derivative of the group's sum by -log T, at the root."""
    determined: np.ndarray
    """False where the sum is zero and flat, as for constant logits: the start was kept."""


@dataclass(frozen=True)
class LikelihoodEquation:
    r"""Derivative of the negative log-likelihood: :math:`E_p[z] - z_y`, :math:`p = softmax(z/T)`.

    The likelihood is convex in 1/T, so its derivative crosses zero once.
    """

    logits: Logits
    highest: Float[np.ndarray, "cases"]
    label_gaps: Float[np.ndarray, "cases"]
    """The label's logit less the largest one: zero or negative."""

    def __call__(
        self, cases: Int[np.ndarray, "chosen"], sharpness: Float[np.ndarray, "chosen"]
    ) -> tuple[Float[np.ndarray, "chosen"], Float[np.ndarray, "chosen"]]:
        """Return each case's term and its derivative by -log T."""
        inverse = np.exp(sharpness)
        total, first, second = exponential_moments(self.logits, self.highest, cases, inverse, 3)
        mean = first / total
        return mean - self.label_gaps[cases], (second / total - mean**2) * inverse


@dataclass(frozen=True)
class ConfidenceEquation:
    """Confidence at T less a target, zero in the mean where a group is as sure as it should be."""

    logits: Logits
    highest: Float[np.ndarray, "cases"]
    targets: Float[np.ndarray, "cases"]

    def __call__(
        self, cases: Int[np.ndarray, "chosen"], sharpness: Float[np.ndarray, "chosen"]
    ) -> tuple[Float[np.ndarray, "chosen"], Float[np.ndarray, "chosen"]]:
        """Return each case's term and its derivative by -log T."""
        inverse = np.exp(sharpness)
        total, first = exponential_moments(self.logits, self.highest, cases, inverse, 2)
        # Equal logits keep one confidence at every temperature: such a case has no say in it.
        says = total < self.logits.shape[1]
        return says * (1.0 / total - self.targets[cases]), -first / total**2 * inverse


def likelihood_equation(logits: Logits, labels: Labels) -> LikelihoodEquation:
    """Return the equation whose root is the temperature of largest likelihood."""
    highest = highest_logits(logits)
    return LikelihoodEquation(logits, highest, logits[np.arange(len(labels)), labels] - highest)


def solve_log_temperatures(
    equation: Equation,
    groups: Int[np.ndarray, "chosen"],
    *,
    num_groups: int,
    cases: Int[np.ndarray, "chosen"] | None = None,
    bounds: tuple[float, float] = LOG_TEMPERATURE_BOUNDS,
    start: Float[np.ndarray, "groups"] | None = None,
    step_tolerance: float = STEP_TOLERANCE,
) -> Roots:
    """Find for every group the log T, within bounds, at which its cases' terms sum to zero.

    Bisection, quickened by Newton's steps wherever these stay inside the bracket and at least
    halve: as the sums are monotone it cannot stop at a false root. Where a sum has no root between
    the bounds the answer is the bound itself, exactly.

    Parameters
    ----------
    equation : Equation
    groups : int array, (chosen,)
        The group of each chosen case.
    cases : int array, (chosen,), optional
        Ascending indices of the chosen cases; all by default.
    bounds : (float, float)
        Least and largest log T.
    start : float array, (groups,), optional
        First guess of log T; 0 by default.
    step_tolerance : float
        A Newton step this small is taken and is the last: what is left is about its square.
    """
    chosen = np.arange(len(groups)) if cases is None else cases
    guess = np.zeros(num_groups) if start is None else start
    if len(groups) > num_groups * CASES_A_GROUP_WORTH_THINNING:
        # A root of every 16th case is nearly the root: one or two passes over all cases remain.
        thin = slice(None, None, THINNING)
        bracket = _Bracket(guess, bounds, step_tolerance)
        guess = _search(equation, groups[thin], chosen[thin], bracket).log_temperatures
    return _search(equation, groups, chosen, _Bracket(guess, bounds, step_tolerance))


def _search(
    equation: Equation,
    groups: Int[np.ndarray, "chosen"],
    cases: Int[np.ndarray, "chosen"],
    bracket: _Bracket,
) -> Roots:
    num_groups = len(bracket.position)
    while bracket.open.any():
        rows = slice(None) if bracket.open.all() else np.flatnonzero(bracket.open[groups])
        members = groups[rows]
        values, slopes = equation(cases[rows], bracket.position[members])
        bracket.narrow(
            np.bincount(members, values, num_groups), np.bincount(members, slopes, num_groups)
        )
    return Roots(-bracket.position, bracket.slopes, bracket.determined)


class _Bracket:
    """The interval known to hold each group's root, on the axis of sharpness -log T."""

    def __init__(
        self,
        log_temperatures: Float[np.ndarray, "groups"],
        bounds: tuple[float, float],
        step_tolerance: float,
    ) -> None:
        start = -log_temperatures
        self.bounds = -bounds[1], -bounds[0]
        self.step_tolerance = step_tolerance
        self.position = np.clip(start, *self.bounds)
        # One beyond the bounds, so that a bound itself is still inside until it has been tried.
        self.low = np.full(len(start), self.bounds[0] - 1.0)
        self.high = np.full(len(start), self.bounds[1] + 1.0)
        self.last_step = np.full(len(start), np.inf)
        self.open = np.ones(len(start), dtype=bool)
        self.slopes = np.zeros(len(start))
        self.determined = np.ones(len(start), dtype=bool)

    def narrow(
        self, sums: Float[np.ndarray, "groups"], slopes: Float[np.ndarray, "groups"]
    ) -> None:
        """Take in the open groups' sums at their positions and move these, or close the group."""
        was_open, position = self.open, self.position
        self.slopes = np.where(was_open, slopes, self.slopes)
        self.determined &= ~(was_open & (sums == 0) & (slopes == 0))
        self.low = np.where(was_open & (sums <= 0), position, self.low)
        self.high = np.where(was_open & (sums >= 0), position, self.high)
        lowest, highest = self.bounds
        beyond = ((sums <= 0) & (position >= highest)) | ((sums >= 0) & (position <= lowest))
        still_open = was_open & ~beyond & (self.high - self.low > WIDTH_TOLERANCE)
        step, is_newton = self._step(sums, slopes)
        self.position = np.where(still_open, position + step, position)
        self.last_step = np.where(still_open, np.abs(step), self.last_step)
        self.open = still_open & ~(is_newton & (np.abs(step) < self.step_tolerance))

    def _step(
        self, sums: Float[np.ndarray, "groups"], slopes: Float[np.ndarray, "groups"]
    ) -> tuple[Float[np.ndarray, "groups"], np.ndarray]:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = np.clip(self.position - sums / slopes, *self.bounds)
        step = newton - self.position
        trusted = (
            (newton > self.low) & (newton < self.high) & (np.abs(step) <= 0.5 * self.last_step)
        )
        middle = np.clip(0.5 * (self.low + self.high), *self.bounds)
        return np.where(trusted, step, middle - self.position), trusted

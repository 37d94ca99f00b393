"""Temperatures that solve one monotone equation a group of cases, all groups at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from jaxtyping import Float, Int

from pipeline.calibrators.softmax import exponential_moments, highest_logits, row_blocks
from pipeline.shapes import Labels, Logits

TEMPERATURE_BOUNDS = (0.05, 20.0)
"""Temperatures outside are not searched; one at a bound is reported as such."""

LOG_TEMPERATURE_BOUNDS = (
    float(np.log(TEMPERATURE_BOUNDS[0])),
    float(np.log(TEMPERATURE_BOUNDS[1])),
)

WIDTH_TOLERANCE = 1e-12
MOST_BENDING = (0.5, 2.0)
"""What Halley may divide Newton's step by: near a root it is close to one."""

ROUGH_STEP_TOLERANCE = 0.1
"""For first guesses: its cube is about `Limits.step_tolerance`."""

CASES_A_THINNED_GROUP = 1_000
LEAST_THINNING = 4
FEW_CLASSES = 32
MOST_ROUGH_GAP = 1e30
"""Of two logits in single precision: far beyond where an exponential is zero."""


@dataclass(frozen=True)
class Limits:
    """Where a search ends."""

    bounds: tuple[float, float] = LOG_TEMPERATURE_BOUNDS
    """Least and largest log T."""
    step_tolerance: float = 5e-4
    """One of Halley's steps this small is taken and is the last: about its cube is left."""


LIMITS = Limits()

Terms = tuple[Float[np.ndarray, "chosen"], Float[np.ndarray, "chosen"], Float[np.ndarray, "chosen"]]
Equation = Callable[[Int[np.ndarray, "chosen"], Float[np.ndarray, "chosen"]], Terms]
"""``(cases, 1/T) -> (values, slopes, curvatures)``: each case's term of its group's equation, and
the first and second derivative of that term by -log T. A group's sum must never fall as 1/T rises.
"""


@dataclass(frozen=True)
class Roots:
    """What `solve_log_temperatures` found, one entry a group."""

    log_temperatures: Float[np.ndarray, "groups"]
    slopes: Float[np.ndarray, "groups"]
    """Derivative of the group's sum by -log T, within a step tolerance of the root."""
    determined: np.ndarray
    """False where the sum is zero and flat, as for constant logits: the start was kept."""
    counts: Int[np.ndarray, "groups"]
    """Cases in the group."""


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
        self, cases: Int[np.ndarray, "chosen"], inverse: Float[np.ndarray, "chosen"]
    ) -> Terms:
        """Return each case's term and its derivatives by -log T, at 1/T."""
        total, *moments = exponential_moments(self.logits, self.highest, cases, inverse, 4)
        mean, second, third = (moment / total for moment in moments)
        slopes = (second - mean**2) * inverse
        skewness = third - 3.0 * mean * second + 2.0 * mean**3
        return mean - self.label_gaps[cases], slopes, slopes + skewness * inverse**2


@dataclass(frozen=True)
class ConfidenceEquation:
    """Confidence at T less a target, zero in the mean where a group is as sure as it should be."""

    logits: Logits
    highest: Float[np.ndarray, "cases"]
    targets: Float[np.ndarray, "cases"]

    def __call__(
        self, cases: Int[np.ndarray, "chosen"], inverse: Float[np.ndarray, "chosen"]
    ) -> Terms:
        """Return each case's term and its derivatives by -log T, at 1/T."""
        total, *moments = exponential_moments(self.logits, self.highest, cases, inverse, 3)
        mean, second = (moment / total * inverse**order for order, moment in enumerate(moments, 1))
        confidence = 1.0 / total
        # Equal logits keep one confidence at every temperature: such a case has no say in it.
        says = total < self.logits.shape[1]
        return (
            says * (confidence - self.targets[cases]),
            -mean * confidence,
            (2.0 * mean**2 - second - mean) * confidence,
        )


Modelled = TypeVar("Modelled", LikelihoodEquation, ConfidenceEquation)


def in_single_precision(equation: Modelled) -> Modelled:
    """Return the same equation to about six digits, in half of its time or less."""
    shape = equation.logits.shape
    # A few long columns are summed several times faster than many short rows.
    gaps = np.empty(shape, dtype=np.float32, order="F" if shape[1] <= FEW_CLASSES else "C")
    for rows in row_blocks(*shape):
        exact = equation.logits[rows] - equation.highest[rows, None]
        gaps[rows] = np.maximum(exact, -MOST_ROUGH_GAP, out=exact)
    return replace(equation, logits=gaps, highest=np.zeros(len(gaps), dtype=np.float32))


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
    start: Float[np.ndarray, "groups"] | None = None,
    limits: Limits = LIMITS,
    rough: Equation | None = None,
) -> Roots:
    """Find for every group the log T, within bounds, at which its cases' terms sum to zero.

    Bisection, quickened by Halley's steps wherever these stay inside the bracket and at least
    halve: as the sums are monotone it cannot stop at a false root. Where a sum has no root between
    the bounds the answer is the bound itself, exactly.

    Parameters
    ----------
    groups : int array, (chosen,)
        The group of each chosen case.
    cases : int array, (chosen,), optional
        Ascending indices of the chosen cases; all by default.
    start : float array, (groups,), optional
        First guess of log T; 0 by default.
    rough : Equation, optional
        The same equation as fast as it can be had: first guesses are its roots.

    References
    ----------
    Gander, Am. Math. Monthly 92 (1985) 131, for Halley's iteration.
    """
    chosen = np.arange(len(groups)) if cases is None else cases
    guess = np.zeros(num_groups) if start is None else start
    roughly = replace(limits, step_tolerance=ROUGH_STEP_TOLERANCE)
    thinning = len(groups) // (max(num_groups, 1) * CASES_A_THINNED_GROUP)
    if thinning >= LEAST_THINNING:
        thin = slice(None, None, thinning)
        bracket = _Bracket(guess, roughly)
        guess = _search(rough or equation, groups[thin], chosen[thin], bracket).log_temperatures
    if rough is not None:
        guess = _search(rough, groups, chosen, _Bracket(guess, roughly)).log_temperatures
    return _search(equation, groups, chosen, _Bracket(guess, limits))


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
        terms = equation(cases[rows], np.exp(bracket.position)[members])
        bracket.narrow(*(_group_sums(members, term, num_groups) for term in terms))
    counts = np.bincount(groups, minlength=num_groups)
    return Roots(-bracket.position, bracket.slopes, bracket.determined, counts)


def _group_sums(
    members: Int[np.ndarray, "chosen"], term: Float[np.ndarray, "chosen"], num_groups: int
) -> Float[np.ndarray, "groups"]:
    if num_groups == 1:
        return term.sum(keepdims=True)
    return np.bincount(members, term, num_groups)


class _Bracket:
    """The interval known to hold each group's root, on the axis of sharpness -log T."""

    def __init__(
        self,
        log_temperatures: Float[np.ndarray, "groups"],
        limits: Limits,
    ) -> None:
        start = -log_temperatures
        self.bounds = -limits.bounds[1], -limits.bounds[0]
        self.step_tolerance = limits.step_tolerance
        self.position = np.clip(start, *self.bounds)
        # One beyond the bounds, so that a bound itself is still inside until it has been tried.
        self.low = np.full(len(start), self.bounds[0] - 1.0)
        self.high = np.full(len(start), self.bounds[1] + 1.0)
        self.last_step = np.full(len(start), np.inf)
        self.open = np.ones(len(start), dtype=bool)
        self.slopes = np.zeros(len(start))
        self.determined = np.ones(len(start), dtype=bool)

    def narrow(
        self,
        sums: Float[np.ndarray, "groups"],
        slopes: Float[np.ndarray, "groups"],
        curvatures: Float[np.ndarray, "groups"],
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
        step, is_trusted = self._step(sums, slopes, curvatures)
        self.position = np.where(still_open, position + step, position)
        self.last_step = np.where(still_open, np.abs(step), self.last_step)
        self.open = still_open & ~(is_trusted & (np.abs(step) < self.step_tolerance))

    def _step(
        self,
        sums: Float[np.ndarray, "groups"],
        slopes: Float[np.ndarray, "groups"],
        curvatures: Float[np.ndarray, "groups"],
    ) -> tuple[Float[np.ndarray, "groups"], np.ndarray]:
        """Return Halley's steps, or those to the bracket's middle, and which are Halley's."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = -sums / slopes
            bent = np.clip(1.0 + 0.5 * newton * curvatures / slopes, *MOST_BENDING)
            target = np.clip(self.position + newton / bent, *self.bounds)
        step = target - self.position
        is_trusted = (
            (target > self.low) & (target < self.high) & (np.abs(step) <= 0.5 * self.last_step)
        )
        middle = np.clip(0.5 * (self.low + self.high), *self.bounds)
        return np.where(is_trusted, step, middle - self.position), is_trusted

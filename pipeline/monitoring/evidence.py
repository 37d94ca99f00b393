"""What a test that is looked at every day has found so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.monitoring.betting import LogFactors, log_wealth

MOST = 690.0
"""Logarithm of the largest e-value that is written, 1e299."""


@dataclass(frozen=True)
class Evidence:
    """The wealth from betting against a hypothesis.

    Attributes
    ----------
    log_path : float array, (times,)
        Natural logarithm of the wealth after each patient.
    delta : float
        Chance allowed for ever finding something where the hypothesis holds.
    """

    log_path: Float[np.ndarray, "times"]
    delta: float

    @classmethod
    def of_bets(cls, log_factors: LogFactors, delta: float) -> Evidence:
        """Return the evidence that bets have brought; no patient, none."""
        return cls(log_wealth(log_factors), delta)

    @property
    def found_after(self) -> int | None:
        """After how many patients the wealth first reached 1 / delta; None if it never did.

        What was found once stays found: that is what the chance delta is about.
        """
        reached = np.flatnonzero(self.log_path >= -np.log(self.delta))
        return int(reached[0]) + 1 if len(reached) else None

    @property
    def found(self) -> bool:
        """Whether the hypothesis is rejected."""
        return self.found_after is not None

    @property
    def highest(self) -> float:
        """The largest e-value so far; 1 before any patient."""
        return float(np.exp(min(self.log_path.max(initial=0.0), MOST)))

    @property
    def now(self) -> float:
        """The e-value at present."""
        return float(np.exp(min(self.log_path[-1], MOST))) if len(self.log_path) else 1.0

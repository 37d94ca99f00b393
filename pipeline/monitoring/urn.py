"""What comes next, if new patients are like the reference: an urn that keeps what it has shown.

The reference is a sample, not the truth: against its shares as they are, every long series would
differ in the end. If the reference's patients and the new ones are exchangeable, the next one's
place among all before is uniform, so chances are counts of the reference and of those who came
since. This is a conformal p-value; nothing but exchangeability is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

SEED = 0
"""Of what parts equal values. Fixed: a log that grew gives what it gave before, and more."""

BLOCK = 500
"""Values that are compared with one another at once."""


@dataclass(frozen=True)
class ReferenceBins:
    """The reference's values in bins, from their quantiles.

    Attributes
    ----------
    edges : float array, (edges,)
        The distinct quantiles, rising.
    masses : float array, (2 edges + 1,)
        Places among the reference's patients, one more than there are patients: below the first
        edge, at it, between it and the second ... above the last. "At" holds ties alone.
    """

    edges: Float[np.ndarray, "edges"]
    masses: Float[np.ndarray, "bins"]

    @classmethod
    def of_quantiles(
        cls, quantiles: Float[np.ndarray, "quantiles"], num_patients: int
    ) -> ReferenceBins:
        """Return the bins of quantiles at equal steps from 0 to 1.

        >>> ReferenceBins.of_quantiles(np.array([0.5, 0.7, 1.0, 1.0]), 7).masses
        array([1., 0., 2., 0., 2., 2., 1.])
        """
        edges, first = np.unique(quantiles, return_index=True)
        step = (num_patients - 1) / (len(quantiles) - 1)
        masses = np.zeros(2 * len(edges) + 1)
        masses[[0, -1]] = 1.0
        masses[2:-1:2] = step
        masses[1::2] = step * (np.diff(first, append=len(quantiles)) - 1)
        return cls(edges, masses)

    def bin_of(self, values: Float[np.ndarray, "times"]) -> Int[np.ndarray, "times"]:
        """Return the number of the bin that each value is in; a single edge is in that above it."""
        left = np.searchsorted(self.edges, values, side="left")
        right = np.searchsorted(self.edges, values, side="right")
        bins = left + right
        return np.where(self.masses[bins] > 0, bins, bins + 1)


def conformal_p_values(
    values: Float[np.ndarray, "times"], reference: ReferenceBins
) -> Float[np.ndarray, "times"]:
    """Return each value's place among the reference and all values before it, in (0, 1).

    Low for low values. Within a bin the place is drawn by lot, so that the p-values are independent
    and uniform if all values are exchangeable.

    References
    ----------
    Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005, section 7.1.
    """
    bins = reference.bin_of(values)
    lots = np.random.default_rng(SEED).random(len(values))
    counts = reference.masses.copy()
    places = np.empty(len(values))
    for start in range(0, len(values), BLOCK):
        block = bins[start : start + BLOCK]
        earlier = np.tri(len(block), k=-1, dtype=bool)
        lower = ((block < block[:, None]) & earlier).sum(axis=1)
        equal = ((block == block[:, None]) & earlier).sum(axis=1)
        below = (np.cumsum(counts) - counts)[block] + lower
        at = counts[block] + equal
        total = counts.sum() + np.arange(len(block))
        stop = start + len(block)
        places[start:stop] = (below + at * lots[start:stop]) / total
        counts += np.bincount(block, minlength=len(counts))
    return places


def next_chances(
    happened: Bool[np.ndarray, "times"], *, share: float, num_patients: int
) -> Float[np.ndarray, "times"]:
    """Return the chance of an event before each time, from the reference and all times before.

    Parameters
    ----------
    happened : bool array, (times,)
    share : float
        Of the reference's patients to whom it happened.
    num_patients : int
        Of the reference. Half a patient more on each side: no chance is 0 or 1.

    Examples
    --------
    >>> next_chances(np.array([True, True]), share=0.5, num_patients=3)  # 2 / 4, then 3 / 5
    array([0.5, 0.6])
    """
    before = np.arange(len(happened))
    count = np.cumsum(happened) - happened
    return (share * num_patients + 0.5 + count) / (num_patients + 1.0 + before)

"""Reliability: accuracy beside confidence, bin by bin, and where a calibrated model would fall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pipeline.metrics.bins import BIN_KINDS, NUM_BINS, BinKind
from pipeline.metrics.calibrated_bins import MissChances, calibrated_bins
from pipeline.metrics.intervals import LEVEL, require_level
from pipeline.metrics.weighting import Confidence, Correct, Patients, case_weights
from pipeline.shapes import require_same_length


@dataclass(frozen=True)
class Reliability:
    """The points of a reliability diagram."""

    edges: Float[np.ndarray, "edges"]
    """Confidences that bound the bins, from 0 to 1."""
    counts: np.ndarray
    mean_confidence: Float[np.ndarray, "bins"]
    accuracy: Float[np.ndarray, "bins"]
    """Of the cases in each bin; NaN where there is none, so that no plot draws a point there."""


@dataclass(frozen=True)
class ConsistencyBand:
    """Range of each bin's accuracy if the model were calibrated; NaN in empty bins."""

    lower: Float[np.ndarray, "bins"]
    upper: Float[np.ndarray, "bins"]


def reliability(
    confidence: Confidence, correct: Correct, num_bins: int = NUM_BINS, kind: BinKind = "width"
) -> Reliability:
    """Return counts, mean confidence and accuracy of each bin.

    The mean of ``abs(accuracy - mean_confidence)`` over bins, weighted by their counts, is `ece` or
    `ada_ece`; the largest is `mce`.

    Raises `InputError` if lengths differ or a confidence lies outside [0, 1].

    Parameters
    ----------
    confidence : float array, (n,)
        Probability of what ``correct`` speaks of, in [0, 1].
    correct : bool or 0/1 array, (n,)
        Whether the predicted class is the label; or ``labels == k`` with the probability of k.
    kind : "width" or "mass"
        Bins of equal width, as of `ece`, or of equally many cases, as of `ada_ece`, where equal
        confidences share a bin and others may be left empty.

    Examples
    --------
    >>> points = reliability(np.array([0.2, 0.8, 1.0]), np.array([0, 0, 1]), num_bins=2)
    >>> points.counts, points.mean_confidence, points.accuracy
    (array([1, 2]), array([0.2, 0.9]), array([0. , 0.5]))
    """
    require_same_length(confidence=confidence, correct=correct)
    confidence = np.asarray(confidence, dtype=np.float64)
    bins = BIN_KINDS[kind](confidence, num_bins)
    weights = case_weights(None, len(confidence))
    counts = bins.counts(weights)
    hits = bins.sums(np.asarray(correct, dtype=np.float64), weights)
    return Reliability(
        edges=bins.edges(),
        counts=counts.astype(np.int64),
        mean_confidence=_mean(bins.sums(confidence, weights), counts),
        accuracy=_mean(hits, counts),
    )


def consistency_band(
    confidence: Confidence,
    correct: Correct,
    patients: Patients,
    num_bins: int = NUM_BINS,
    kind: BinKind = "width",
    *,
    level: float = LEVEL,
) -> ConsistencyBand:
    r"""Return where a calibrated model's accuracies would fall, all bins together.

    In ``level`` of all studies, or somewhat more as counts are discrete, no bin of a calibrated
    model lies outside its range: with m bins that hold a case, each range has the level
    :math:`\mathrm{level}^{1/m}` (Sidak's correction). A patient's cases count together.

    The band lies around the diagonal. It comes from `calibrated_bins`: nothing is drawn and no
    order of cases matters.

    `level`, in (0, 1), is of all bins at once.

    References
    ----------
    Broecker and Smith, Weather and Forecasting 22 (2007), doi:10.1175/WAF993.1; Sidak, Journal of
    the American Statistical Association 62 (1967), doi:10.1080/01621459.1967.10482935.

    Examples
    --------
    >>> half, alone = np.full(100, 0.5), np.arange(100)
    >>> band = consistency_band(half, alone % 2, alone, num_bins=1)
    >>> band.lower, band.upper  # 50 +- 2 sqrt(100 / 4) of 100
    (array([0.4]), array([0.6]))
    """
    require_level(level)
    confidence = np.asarray(confidence, dtype=np.float64)
    ideal = calibrated_bins(confidence, correct, patients, BIN_KINDS[kind](confidence, num_bins))
    # Half of what one bin may lie outside, on either side.
    tail = (1.0 - level ** (1.0 / np.count_nonzero(ideal.counts))) / 2
    ends = np.array([_central_range(chances, tail) for chances in ideal.chances()], dtype=float)
    fewest_wrong, most_wrong = ends.T
    return ConsistencyBand(
        _mean(ideal.counts - most_wrong, ideal.counts),
        _mean(ideal.counts - fewest_wrong, ideal.counts),
    )


def _central_range(chances: MissChances, tail: float) -> tuple[int, int]:
    """Return the fewest and the most misses outside of which, on either side, lies ``tail``.

    >>> _central_range(np.array([0.1, 0.2, 0.4, 0.2, 0.1]), 0.15)
    (1, 3)
    """
    # Summed from either end, so that a small tail is not lost in a rounded one.
    at_most, at_least = np.cumsum(chances), np.cumsum(chances[::-1])
    return int(np.argmax(at_most > tail)), len(chances) - 1 - int(np.argmax(at_least > tail))


def _mean(
    sums: Float[np.ndarray, "bins"], counts: Float[np.ndarray, "bins"] | Int[np.ndarray, "bins"]
) -> Float[np.ndarray, "bins"]:
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)

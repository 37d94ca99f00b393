"""Reliability: accuracy beside confidence, bin by bin, and where a calibrated model would fall."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.metrics.bins import BIN_KINDS, NUM_BINS, BinKind, Bins
from pipeline.metrics.intervals import LEVEL, require_level
from pipeline.metrics.weighting import Confidence, Correct, case_weights
from pipeline.shapes import require_same_length

NUM_DRAWS = 1000
"""Sets of labels drawn from the confidences unless said."""

BLOCK_ELEMENTS = 2**20
"""Labels drawn at once: 8 MB in float64."""


@dataclass(frozen=True)
class Reliability:
    """The points of a reliability diagram.

    Attributes
    ----------
    edges : float array, (bins + 1,)
        Confidences that bound the bins, from 0 to 1.
    counts : int array, (bins,)
        Cases in each bin.
    mean_confidence, accuracy : float array, (bins,)
        Of the cases in each bin; NaN where there is none, so that no plot draws a point there.
    """

    edges: Float[np.ndarray, "edges"]
    counts: np.ndarray
    mean_confidence: Float[np.ndarray, "bins"]
    accuracy: Float[np.ndarray, "bins"]


@dataclass(frozen=True)
class ConsistencyBand:
    """Pointwise range of each bin's accuracy if the model were calibrated; NaN in empty bins."""

    lower: Float[np.ndarray, "bins"]
    upper: Float[np.ndarray, "bins"]


def reliability(
    confidence: Confidence, correct: Correct, num_bins: int = NUM_BINS, kind: BinKind = "width"
) -> Reliability:
    """Return counts, mean confidence and accuracy of each bin.

    Parameters
    ----------
    confidence : float array, (n,)
        Probability of what ``correct`` speaks of, in [0, 1].
    correct : bool or 0/1 array, (n,)
        Whether the predicted class is the label; or ``labels == k`` with the probability of k.
    num_bins : int
        Number of bins.
    kind : "width" or "mass"
        Bins of equal width, as of `ece`, or of equally many cases, as of `ada_ece`, where equal
        confidences share a bin and others may be left empty.

    Returns
    -------
    Reliability
        The mean of ``abs(accuracy - mean_confidence)`` over bins, weighted by their counts, is
        `ece` or `ada_ece`; the largest is `mce`.

    Raises
    ------
    InputError
        If lengths differ or a confidence lies outside [0, 1].

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
    num_bins: int = NUM_BINS,
    kind: BinKind = "width",
    *,
    seed: int,
    num_draws: int = NUM_DRAWS,
    level: float = LEVEL,
) -> ConsistencyBand:
    """Return where each bin's accuracy would fall, ``level`` of the time, for a calibrated model.

    Whether each case is right is drawn anew with its confidence as the chance; confidences and
    bins stay (the source also redraws the confidences). Centred on the diagonal, and pointwise: of
    15 calibrated bins one in twenty lies outside its 95 % range.

    References
    ----------
    Broecker and Smith, Weather and Forecasting 22 (2007), doi:10.1175/WAF993.1.

    Examples
    --------
    >>> band = consistency_band(np.full(100, 0.5), num_bins=1, seed=0)
    >>> band.lower.round(1), band.upper.round(1)  # 50 +- 2 sqrt(100 / 4) of 100
    (array([0.4]), array([0.6]))
    """
    require_level(level)
    confidence = np.asarray(confidence, dtype=np.float64)
    bins = BIN_KINDS[kind](confidence, num_bins)
    weights = case_weights(None, len(confidence))
    counts = bins.counts(weights)
    hits = list(drawn_hits(confidence, bins, seed=seed, num_draws=num_draws))
    tail = (1.0 - level) / 2
    lower, upper = np.quantile(np.concatenate(hits), [tail, 1.0 - tail], axis=0)
    return ConsistencyBand(_mean(lower, counts), _mean(upper, counts))


def drawn_hits(
    confidence: Confidence, bins: Bins, *, seed: int, num_draws: int
) -> Iterator[Float[np.ndarray, "draws bins"]]:
    """Yield how many cases of each bin are right, each right with its confidence as the chance.

    In all `num_draws` rows, block by block, so that memory stays bounded.
    """
    rng = np.random.default_rng(seed)
    # Sums of zeros and ones: exact, in whatever order a product of matrices takes them.
    member = np.eye(bins.num_bins)[bins.numbers()]
    step = max(1, BLOCK_ELEMENTS // len(confidence))
    for start in range(0, num_draws, step):
        size = (min(step, num_draws - start), len(confidence))
        yield (rng.random(size) < confidence).astype(np.float64) @ member


def _mean(
    sums: Float[np.ndarray, "bins"], counts: Float[np.ndarray, "bins"]
) -> Float[np.ndarray, "bins"]:
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)

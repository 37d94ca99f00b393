"""The error that a calibrated model would score: what a binned error must be compared with."""

from __future__ import annotations

import numpy as np

from pipeline.errors import InputError
from pipeline.metrics.bins import NUM_BINS, width_bins
from pipeline.metrics.cases import require_log_probabilities
from pipeline.metrics.reliability import drawn_hits
from pipeline.metrics.weighting import case_weights
from pipeline.shapes import LogProbabilities

NUM_DRAWS = 200
"""Sets of labels drawn unless said: their mean is then known to about 2 %."""


def expected_ece_if_calibrated(
    log_probabilities: LogProbabilities,
    num_bins: int = NUM_BINS,
    *,
    seed: int,
    num_draws: int = NUM_DRAWS,
) -> float:
    r"""Return the mean ECE of these very predictions if labels followed them.

    ECE takes the absolute value of noise, so it is above zero for a calibrated model: about 4 % for
    200 cases, 2 % for 1,000. Beside a model's ECE this says how much of it means anything.

    .. math:: E_{y_i \sim p_i}\big[\mathrm{ECE}(p, y)\big]

    Parameters
    ----------
    log_probabilities : float array, (n, classes)
        The model's predictions; no label is read. A label drawn from a row is the predicted class
        with the row's confidence as the chance, so that alone is drawn.
    num_bins : int
        Bins of the ECE.
    seed : int
        Of the draws.
    num_draws : int
        How many sets of labels are drawn.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    InputError
        If rows are no log-probabilities or there is no draw.

    Examples
    --------
    >>> expected_ece_if_calibrated(np.log(np.full((1, 2), 0.5)), seed=0)
    0.5
    """
    if num_draws < 1:
        message = f"num_draws must be at least 1, got {num_draws}"
        raise InputError(message)
    require_log_probabilities(log_probabilities)
    confidence = np.minimum(np.exp(log_probabilities.max(axis=1).astype(np.float64)), 1.0)
    bins = width_bins(confidence, num_bins)
    expected = bins.sums(confidence, case_weights(None, len(confidence)))
    gaps = [
        np.abs(hits - expected).sum(axis=1)
        for hits in drawn_hits(confidence, bins, seed=seed, num_draws=num_draws)
    ]
    return float(np.concatenate(gaps).mean() / len(confidence))

"""Top-label histogram binning: the confidence of a case becomes the accuracy of its bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.arguments import whole_number
from pipeline.calibrators.ats import merge_notes
from pipeline.calibrators.calibrator import checked_cases, checked_logits
from pipeline.calibrators.confidence_bins import (
    MINIMUM_PER_BIN,
    bin_of,
    equal_mass_edges,
    smoothed_accuracy,
)
from pipeline.calibrators.softmax import confidence_log_odds, log_softmax
from pipeline.shapes import Labels, Logits, LogProbabilities

MINIMUM_CASES = 2


@dataclass(frozen=True)
class HistogramBinning:
    """Give the predicted class its bin's accuracy; the others share the rest as they did before."""

    preserves_argmax: ClassVar[bool] = False

    edges: tuple[float, ...]
    """Inner edges between the bins, in log-odds of uncalibrated confidence."""
    accuracies: tuple[float, ...]
    counts: tuple[int, ...]
    """Calibration cases in each bin."""
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        logits = checked_logits(logits)
        bins = bin_of(confidence_log_odds(logits), np.asarray(self.edges))
        accuracy = np.asarray(self.accuracies)[bins]
        own = (np.arange(len(logits)), logits.argmax(axis=1))
        others = logits.copy()
        others[own] = -np.inf
        result = log_softmax(others)
        result += np.log1p(-accuracy)[:, None]
        result[own] = np.log(accuracy)
        return result


def fit_histogram(logits: Logits, labels: Labels, *, bins: int = 20) -> HistogramBinning:
    """Fit the accuracy of each equal-mass bin of uncalibrated confidence.

    Accuracy is smoothed to (hits + 1)/(n + 2), so that no log-probability is infinite.

    The arg-max of a row changes where the bin's accuracy falls below what the runner-up then gets,
    and all cases of a bin tie. The other classes keep their proportions, over-confident ones too,
    which more cases do not mend. Merged bins are named in ``notes``.

    Neighbouring bins are merged until each holds at least 50 cases.

    References
    ----------
    Zadrozny and Elkan, ICML 2001, "Obtaining calibrated probability estimates from decision trees
    and naive Bayesian classifiers"; applied to the top label as in Guo et al., arXiv:1706.04599.

    Examples
    --------
    Three of four are right: (3 + 1) / (4 + 2).

    >>> fit_histogram(np.log([[9.0, 1.0]] * 4), np.array([0, 0, 0, 1])).accuracies
    (0.6666666666666666,)
    """
    logits, labels = checked_cases(logits, labels, at_least=MINIMUM_CASES)
    whole_number("bins", bins, lowest=1)
    log_odds = confidence_log_odds(logits)
    edges = equal_mass_edges(log_odds, bins, at_least=MINIMUM_PER_BIN)
    members = bin_of(log_odds, edges)
    counts = np.bincount(members, minlength=len(edges) + 1)
    hits = np.bincount(members, logits.argmax(axis=1) == labels, len(edges) + 1)
    return HistogramBinning(
        edges=tuple(edges.tolist()),
        accuracies=tuple(smoothed_accuracy(hits, counts).tolist()),
        counts=tuple(counts.tolist()),
        notes=merge_notes(bins, len(counts)) + _scope_notes(logits.shape[1]),
    )


def _scope_notes(num_classes: int) -> tuple[str, ...]:
    """Say what binning leaves as it was; with two classes there is no such thing."""
    if num_classes == 2:
        return ()
    return ("mends the predicted class alone, not the others' proportions",)

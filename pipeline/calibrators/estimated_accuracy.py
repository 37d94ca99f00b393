"""The level of confidence at a new site, from cases there that nobody has labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.calibrators.calibrator import (
    Calibrator,
    SiteCases,
    checked_cases,
    checked_logits,
)
from pipeline.calibrators.roots import ConfidenceEquation, solve_log_temperatures
from pipeline.calibrators.softmax import highest_logits, log_softmax
from pipeline.calibrators.temperature import bound_notes
from pipeline.errors import InputError
from pipeline.shapes import Logits, LogProbabilities

MINIMUM_CASES = 2


@dataclass(frozen=True)
class EstimatedAccuracyScaling:
    """Calibrate by ``source``, then divide by the one temperature of this site."""

    source: Calibrator
    temperature: float
    accuracy: float
    """Estimated, of the target cases; mean confidence there equals it."""
    notes: tuple[str, ...] = ()

    @property
    def preserves_argmax(self) -> bool:
        """As the source does."""
        return self.source.preserves_argmax

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        return log_softmax(self.source(logits), self.temperature)


def fit_estimated_accuracy(
    calibrator: Calibrator, target: SiteCases, *, source: SiteCases
) -> EstimatedAccuracyScaling:
    r"""Set mean confidence at a new site to the accuracy that is estimated there without labels.

    Damage to images costs more accuracy than confidence, so a calibrator from elsewhere is too
    sure. How sure one case is against another may carry over all the same. So the source's
    adaptive temperatures are kept, and one factor on all of them is taken from the new site: that
    at which

    .. math:: \frac1n \sum_i \max_k p_{ik}(T) = \frac1n \sum_i [c_i \ge t]

    with c the source-calibrated confidence of the target's cases and t the confidence that as many
    of the source's labelled cases reach as are right there. The construction is our choice.

    Keeps the arg-max if the source calibrator does. A temperature at its bound is named in
    ``notes``.

    Parameters
    ----------
    calibrator : Calibrator
        Fitted at the source, usually by ats.
    target : SiteCases
        Logits of the new site, at least 2. Labels, if any, are not looked at.
    source : SiteCases
        Labelled cases of the source that the calibrator was not fitted on.

    Raises
    ------
    InputError
        If either has too few cases.

    References
    ----------
    Garg et al., ICLR 2022, arXiv:2201.04234, section 4, for the estimate (average thresholded
    confidence).
    """
    source_logits, source_labels = checked_cases(
        source.logits, source.required_labels, at_least=MINIMUM_CASES
    )
    target_logits = checked_logits(target.logits, num_classes=source_logits.shape[1])
    if len(target_logits) < MINIMUM_CASES:
        message = f"at least {MINIMUM_CASES} target cases are needed, got {len(target_logits)}"
        raise InputError(message)
    at_source, at_target = calibrator(source_logits), calibrator(target_logits)
    right = at_source.argmax(axis=1) == source_labels
    accuracy = _share_above(_threshold(at_source.max(axis=1), right), at_target.max(axis=1))
    equation = ConfidenceEquation(
        at_target, highest_logits(at_target), np.full(len(at_target), accuracy)
    )
    roots = solve_log_temperatures(equation, np.zeros(len(at_target), dtype=np.intp), num_groups=1)
    temperature = float(np.exp(roots.log_temperatures[0]))
    return EstimatedAccuracyScaling(
        calibrator, temperature, accuracy, (*calibrator.notes, *bound_notes(roots))
    )


def _threshold(confidence: Float[np.ndarray, "cases"], right: np.ndarray) -> float:
    """Return the confidence that as many cases reach as are right.

    >>> _threshold(np.array([0.6, 0.7, 0.8, 0.9]), np.array([False, True, True, True]))
    0.7
    """
    num_right = int(right.sum())
    return float(np.sort(confidence)[-num_right]) if num_right else float("inf")


def _share_above(threshold: float, confidence: Float[np.ndarray, "cases"]) -> float:
    return float((confidence >= threshold).mean())

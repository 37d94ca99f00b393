"""Correction for another prevalence, from cases of the new site that nobody has labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.arguments import one_of
from pipeline.calibrators.calibrator import (
    Calibrator,
    SiteCases,
    checked_cases,
    checked_logits,
)
from pipeline.calibrators.prior import mean_prediction
from pipeline.calibrators.softmax import log_softmax
from pipeline.errors import InputError
from pipeline.shapes import Logits, LogProbabilities

MINIMUM_CASES = 1
MAXIMUM_STEPS = 10_000
STEP_TOLERANCE = 1e-10
WORST_CONDITION = 1e6


@dataclass(frozen=True)
class LabelShiftCorrection:
    """Calibrate by ``calibrator``, then weight each class by its prevalence here over home's."""

    calibrator: Calibrator
    log_weights: tuple[float, ...]
    prevalence: tuple[float, ...]
    """Estimated share of each class among the target cases."""
    notes: tuple[str, ...] = ()

    @property
    def preserves_argmax(self) -> bool:
        """Never sure: a class that is commoner here may overtake."""
        return False

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        logits = checked_logits(logits, num_classes=len(self.log_weights))
        return log_softmax(self.calibrator(logits) + np.asarray(self.log_weights))


def fit_label_shift(
    calibrator: Calibrator, target: SiteCases, *, source: SiteCases, method: str = "em"
) -> LabelShiftCorrection:
    r"""Estimate the target's prevalence and correct the posterior for it.

    Under label shift p(image | class) is the same at both places and only the prevalence differs,
    so

    .. math:: q(y \mid x) \propto p(y \mid x) \, \frac{q(y)}{p(y)}

    May change the arg-max. Shares are kept above 1 / (n classes), so that no log-probability is
    infinite.

    Raises `InputError` if "bbse" cannot tell the classes apart because C is (nearly) singular.

    Parameters
    ----------
    calibrator : Calibrator
        Fitted at the source. "em" needs its probabilities calibrated, class by class: use bcts.
    target : SiteCases
        Logits of the new site, at least 1. Labels, if any, are not looked at.
    source : SiteCases
        Labelled cases of the source.
    method : {"em", "bbse"}
        "em": the prevalence of largest likelihood, by expectation and maximisation. "bbse": solves
        :math:`C w = \mu` for the weights, with C the joint shares of predicted and true class at
        the source and :math:`\mu` the shares of predicted classes at the target; it asks nothing
        of the probabilities, but needs every class predicted.

    References
    ----------
    Saerens, Latinne, Decaestecker, Neural Computation 14 (2002) 21, section 2.2; Lipton, Wang,
    Smola, ICML 2018, arXiv:1802.03916, section 3; p(y) for "em" is the source's mean calibrated
    prediction, as Alexandari et al., arXiv:1901.06852, advise: without shift nothing changes then.
    """
    one_of("method", method, ("em", "bbse"))
    source_logits, source_labels = checked_cases(source.logits, source.required_labels)
    target_logits = checked_logits(target.logits, num_classes=source_logits.shape[1])
    if len(target_logits) < MINIMUM_CASES:
        message = f"at least {MINIMUM_CASES} target case is needed, got none"
        raise InputError(message)
    at_source, at_target = calibrator(source_logits), calibrator(target_logits)
    if method == "em":
        home = mean_prediction(at_source)
        shares, notes = most_likely_prevalence(at_target, home)
    else:
        num_classes = source_logits.shape[1]
        home = np.bincount(source_labels, minlength=num_classes) / len(source_labels)
        shares = home * _black_box_weights(
            at_source.argmax(axis=1), source_labels, at_target.argmax(axis=1), num_classes
        )
        notes = ()
    shares = np.maximum(shares, 1.0 / (len(target_logits) * len(shares)))
    shares /= shares.sum()
    log_weights = np.log(shares) - np.log(home)
    return LabelShiftCorrection(
        calibrator, tuple(log_weights.tolist()), tuple(shares.tolist()), calibrator.notes + notes
    )


def most_likely_prevalence(
    log_probabilities: LogProbabilities, home: Float[np.ndarray, "classes"]
) -> tuple[Float[np.ndarray, "classes"], tuple[str, ...]]:
    r"""Return the prevalence q of largest likelihood, and a note if it did not settle.

    It maximises the mean of :math:`\log \sum_k p_k q_k / h_k` by expectation and maximisation.

    Parameters
    ----------
    log_probabilities : float array, (cases, classes)
        Calibrated, of cases without labels.
    home : float array, (classes,)
        The prevalence h that these probabilities presuppose; each share above 0.

    Examples
    --------
    Images that tell the classes apart are counted, whatever the prevalence at home:

    >>> sure = np.log(np.array([[1 - 1e-9, 1e-9], [1e-9, 1 - 1e-9], [1e-9, 1 - 1e-9]]))
    >>> most_likely_prevalence(sure, np.array([0.9, 0.1]))[0].round(6)
    array([0.333333, 0.666667])
    """
    ratios = log_probabilities - np.log(home)
    ratios = np.exp(ratios - ratios.max(axis=1, keepdims=True))
    shares = home.copy()
    for _ in range(MAXIMUM_STEPS):
        updated = shares * (ratios.T @ (1.0 / (ratios @ shares))) / len(ratios)
        moved = np.abs(updated - shares).max()
        shares = updated
        if moved < STEP_TOLERANCE:
            return shares, ()
    return shares, (f"prevalence still moving by {moved:.1e} after {MAXIMUM_STEPS} steps",)


def _black_box_weights(
    predicted: np.ndarray, labels: np.ndarray, predicted_at_target: np.ndarray, num_classes: int
) -> Float[np.ndarray, "classes"]:
    joint = np.zeros((num_classes, num_classes))
    np.add.at(joint, (predicted, labels), 1.0 / len(labels))
    condition = np.linalg.cond(joint)
    if condition > WORST_CONDITION:
        message = (
            "bbse needs source predictions that tell every class apart, got a confusion matrix of "
            f'condition {condition:.1e}; use method "em"'
        )
        raise InputError(message)
    seen = np.bincount(predicted_at_target, minlength=num_classes) / len(predicted_at_target)
    return np.maximum(np.linalg.solve(joint, seen), 0.0)

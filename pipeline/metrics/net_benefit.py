"""Net benefit: what acting on a probability is worth, weighed by the threshold one acts at."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from pipeline.errors import InputError
from pipeline.metrics.weighting import Weights, case_weights
from pipeline.shapes import require_finite, require_same_length

# Elements of the cases x thresholds matrices held at once: 16 MB in float64.
BLOCK_ELEMENTS = 2**21

Curves = Float[np.ndarray, "*resamples thresholds"]
"""Net benefit in true positives per patient, one column for each threshold probability."""


@dataclass(frozen=True)
class Referral:
    """Who is referred, and what a referral brings and costs."""

    answered: Bool[np.ndarray, "cases"]
    """Cases the model decides; a reader decides the others."""
    sensitivity: float
    specificity: float
    """The reader's, in [0, 1]. Without a reader study these are assumptions: say so."""
    cost: float
    """Cost of one referral, in true positives: how many true positives one would give to save
    it."""

    def __post_init__(self) -> None:
        for name, value in [("sensitivity", self.sensitivity), ("specificity", self.specificity)]:
            if not 0 <= value <= 1:
                message = f"a reader's {name} must lie in [0, 1], got {value}"
                raise InputError(message)
        if not self.cost >= 0:
            message = f"the cost of a referral must be at least 0, got {self.cost}"
            raise InputError(message)


def net_benefit(
    probabilities: Float[np.ndarray, "cases"],
    positive: Bool[np.ndarray, "cases"],
    threshold_probabilities: Float[np.ndarray, "thresholds"],
    *,
    referral: Referral | None = None,
    weights: Weights | None = None,
) -> Curves:
    r"""Return the net benefit of acting on every case whose probability is at least p_t.

    .. math:: \frac{\mathrm{TP}}{n} - \frac{\mathrm{FP}}{n} \cdot \frac{p_t}{1 - p_t}

    p_t is the probability at which acting and not acting are worth the same to the one who decides,
    so p_t / (1 - p_t) is how many true positives one false positive outweighs.

    A net benefit counts true positives per patient and is at most the prevalence.

    Raises `InputError` if lengths differ, a probability is not finite, or a threshold lies outside
    (0, 1).

    Parameters
    ----------
    probabilities : float array, (n,)
        Predicted probability of the condition.
    positive : bool array, (n,)
        Whether the case has it.
    threshold_probabilities : float array, (thresholds,)
        In (0, 1), named beforehand for the decision at hand.
    referral : Referral, optional
        Who is decided by a reader instead, see `decision_curves`; nobody if not given.

    References
    ----------
    Vickers and Elkin, Med. Decis. Making 26 (2006), equation 1.

    Examples
    --------
    >>> probabilities, positive = np.array([0.9, 0.6, 0.1]), np.array([True, False, False])
    >>> net_benefit(probabilities, positive, np.array([0.5, 0.75]))  # (1 - 1 * 1) / 3, 1 / 3
    array([0.        , 0.33333333])
    """
    thresholds = np.asarray(threshold_probabilities, dtype=np.float64)
    require_same_length(probabilities=probabilities, positive=positive)
    require_finite("probabilities", probabilities)
    if not ((thresholds > 0) & (thresholds < 1)).all():
        message = (
            "threshold probabilities must lie in (0, 1), "
            f"got {thresholds.min():g}..{thresholds.max():g}"
        )
        raise InputError(message)
    counts = case_weights(weights, len(positive))
    step = max(1, BLOCK_ELEMENTS // len(positive))
    sums = [
        counts @ _case_benefit(probabilities, positive, thresholds[start : start + step], referral)
        for start in range(0, len(thresholds), step)
    ]
    return np.concatenate(sums, axis=-1) / counts.sum(axis=-1)[..., None]


def decision_curves(
    probabilities: Float[np.ndarray, "cases"],
    positive: Bool[np.ndarray, "cases"],
    threshold_probabilities: Float[np.ndarray, "thresholds"],
    referral: Referral,
    *,
    weights: Weights | None = None,
) -> dict[str, Curves]:
    r"""Return the net benefit of the model with and without referral, and of what it must beat.

    With referral, the model decides the answered cases and a reader of stated sensitivity and
    specificity the others, at a cost each:

    .. math:: \frac{\mathrm{TP} + \mathrm{se}\,P_r}{n}
              - \frac{\mathrm{FP} + (1 - \mathrm{sp})\,N_r}{n} \cdot \frac{p_t}{1 - p_t}
              - \mathrm{cost} \cdot \frac{P_r + N_r}{n}

    with TP and FP among the answered, and P_r and N_r the referred with and without the condition.

    The curves are ``model`` and ``model_with_referral``; ``act_on_all`` and ``act_on_none``;
    ``refer_all``; and ``refer_at_random``, which refers as many as the model does, drawn by lot (on
    average). Arguments, shapes and errors are those of `net_benefit`.

    >>> referral = Referral(np.array([True, False]), sensitivity=1, specificity=1, cost=0.1)
    >>> curves = decision_curves(
    ...     np.array([0.9, 0.6]), np.array([True, False]), np.array([0.5]), referral
    ... )
    >>> curves["model"], curves["model_with_referral"]  # (1 - 1) / 2, (1 - 0) / 2 - 0.1 / 2
    (array([0.]), array([0.45]))
    """

    def curve(scores: Float[np.ndarray, "cases"], referral: Referral | None) -> Curves:
        return net_benefit(
            scores, positive, threshold_probabilities, referral=referral, weights=weights
        )

    everybody_referred = replace(referral, answered=np.zeros(len(positive), dtype=bool))
    model, refer_all = curve(probabilities, None), curve(probabilities, everybody_referred)
    counts = case_weights(weights, len(positive))
    coverage = (counts @ referral.answered / counts.sum(axis=-1))[..., None]
    return {
        "model": model,
        "model_with_referral": curve(probabilities, referral),
        "act_on_all": curve(np.ones(len(positive)), None),
        "act_on_none": np.zeros_like(model),
        "refer_all": refer_all,
        "refer_at_random": coverage * model + (1.0 - coverage) * refer_all,
    }


def _case_benefit(
    probabilities: Float[np.ndarray, "cases"],
    positive: Bool[np.ndarray, "cases"],
    thresholds: Float[np.ndarray, "thresholds"],
    referral: Referral | None,
) -> Float[np.ndarray, "cases thresholds"]:
    """Return what each case brings at each threshold, in true positives."""
    harm = thresholds / (1.0 - thresholds)
    condition = np.asarray(positive, dtype=bool)[:, None]
    acted = np.asarray(probabilities)[:, None] >= thresholds
    decided = np.where(condition, acted, -harm * acted)
    if referral is None:
        return decided
    require_same_length(answered=referral.answered, positive=positive)
    found = np.where(condition, referral.sensitivity, -harm * (1.0 - referral.specificity))
    return np.where(referral.answered[:, None], decided, found - referral.cost)

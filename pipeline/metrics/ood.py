"""Out-of-distribution detection: how well a score tells known kinds of cases from foreign ones.

In-distribution is the positive class, and a higher score means more like the training data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from pipeline.errors import InputError
from pipeline.metrics.ranking import multiplicity_blocks, rank
from pipeline.metrics.selection_scores import (
    SelectionScores,
    confidence,
    energy,
    max_logit,
    negative_entropy,
)
from pipeline.shapes import Logits, require_finite

OOD_SCORES: dict[str, Callable[[Logits], SelectionScores]] = {
    "max_softmax": confidence,
    "entropy": negative_entropy,
    "max_logit": max_logit,
    "energy": energy,
}
"""Scores by their names in the literature on out-of-distribution detection."""

TRUE_POSITIVE_RATE = 0.95

Figures = Float[np.ndarray, "resamples"]


@dataclass(frozen=True)
class _Accepted:
    """Known and foreign cases that score at least each distinct score, one row a resample."""

    known: Int[np.ndarray, "resamples points"]
    foreign: Int[np.ndarray, "resamples points"]

    @property
    def num_known(self) -> Int[np.ndarray, "resamples 1"]:
        return self.known[:, -1:]

    @property
    def num_foreign(self) -> Int[np.ndarray, "resamples 1"]:
        return self.foreign[:, -1:]


def ood_metrics(
    known: SelectionScores,
    foreign: SelectionScores,
    weights: Shaped[np.ndarray, "*resamples cases"] | None = None,
) -> dict[str, float | Figures]:
    r"""Return how well the scores of known cases stand above those of foreign ones.

    ``auroc``: chance that a known case scores above a foreign one, ties counted half. ``aupr_in``,
    ``aupr_out``: average precision with the known, or the foreign, as positives; sum over
    thresholds of the gain in recall times the precision there. ``fpr_at_95_tpr``: share of foreign
    cases accepted at the strictest threshold that accepts at least 95 % of the known.

    Known cases, of the kind trained on, are the positives; foreign ones are of another kind.

    Raises `InputError` if either kind has no case, or a score is not finite.

    References
    ----------
    Hendrycks and Gimpel, ICLR 2017, arXiv:1610.02136, section 2; Liang et al., ICLR 2018,
    arXiv:1706.02690, section 4.1.

    Examples
    --------
    >>> ood_metrics(np.array([0.9, 0.8]), np.array([0.8, 0.1]))["auroc"]  # (1 + 1 + 1/2 + 1) / 4
    0.875
    """
    scores = np.concatenate([known, foreign]).astype(np.float64)
    require_finite("scores", scores)
    is_known = np.arange(len(scores)) < len(known)
    ranking = rank(scores)
    parts: dict[str, list[Figures]] = {name: [] for name in _FIGURES}
    for multiplicities in multiplicity_blocks(weights, num_cases=len(scores)):
        accepted = _Accepted(
            known=ranking.cumulate(multiplicities * is_known),
            foreign=ranking.cumulate(multiplicities * ~is_known),
        )
        if not (accepted.num_known.all() and accepted.num_foreign.all()):
            message = f"both kinds need a case, got {len(known)} known and {len(foreign)} foreign"
            raise InputError(message)
        for name, figure in _FIGURES.items():
            parts[name].append(figure(accepted))
    single = weights is None or weights.ndim == 1
    return {
        name: float(blocks[0][0]) if single else np.concatenate(blocks)
        for name, blocks in parts.items()
    }


def _auroc(accepted: _Accepted) -> Figures:
    gained = np.diff(accepted.known, prepend=0)
    met = np.diff(accepted.foreign, prepend=0)
    pairs = (met * (accepted.known - gained / 2)).sum(axis=1)
    return pairs / (accepted.num_known * accepted.num_foreign)[:, 0]


def _aupr_in(accepted: _Accepted) -> Figures:
    precision = accepted.known / np.maximum(accepted.known + accepted.foreign, 1)
    gained = np.diff(accepted.known, prepend=0)
    return (gained * precision).sum(axis=1) / accepted.num_known[:, 0]


def _aupr_out(accepted: _Accepted) -> Figures:
    # Seen from below: a threshold names the cases that score at most this as foreign.
    gained = np.diff(accepted.foreign, prepend=0)
    foreign = accepted.num_foreign - accepted.foreign + gained
    known = accepted.num_known - accepted.known + np.diff(accepted.known, prepend=0)
    precision = foreign / np.maximum(foreign + known, 1)
    return (gained * precision).sum(axis=1) / accepted.num_foreign[:, 0]


def _fpr_at_tpr(accepted: _Accepted) -> Figures:
    suffices = accepted.known / accepted.num_known >= TRUE_POSITIVE_RATE
    first = np.argmax(suffices, axis=1)[:, None]
    return np.take_along_axis(accepted.foreign, first, axis=1)[:, 0] / accepted.num_foreign[:, 0]


_FIGURES: dict[str, Callable[[_Accepted], Figures]] = {
    "auroc": _auroc,
    "aupr_in": _aupr_in,
    "aupr_out": _aupr_out,
    "fpr_at_95_tpr": _fpr_at_tpr,
}

"""What answering and referring cost, with a wrong answer worth so many referrals."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from pipeline.errors import InputError
from pipeline.metrics.weighting import Weights, case_weights
from pipeline.metrics.workload import ARRIVING
from pipeline.shapes import require_same_length


def policy_costs(
    answered: Bool[np.ndarray, "cases"],
    wrong: Bool[np.ndarray, "cases"],
    referrals_per_error: Float[np.ndarray, "ratios"],
    *,
    weights: Weights | None = None,
) -> dict[str, Float[np.ndarray, "*resamples ratios"]]:
    """Return the cost of each policy per 1,000 patients, counted in referrals.

    A referral costs 1, a wrong answer w, a right one nothing.

    The policies are ``model``; ``refer_all``; ``answer_all``; and ``refer_at_random``, which refers
    as many as the model does, drawn by lot (on average).

    Cases not answered are referred; `wrong` says where the model is wrong, answered or not; w is
    how many referrals one would make to avoid one wrong answer, chosen beforehand and by someone
    named.

    Raises `InputError` if lengths differ, there is no case, or a ratio is negative.

    >>> costs = policy_costs(
    ...     np.array([True, True, False, False]), np.array([False, True, True, False]),
    ...     np.array([10.0]),
    ... )
    >>> costs["model"], costs["answer_all"]  # 1000 (2 + 10) / 4, 1000 (20) / 4
    (array([3000.]), array([5000.]))
    """
    require_same_length(answered=answered, wrong=wrong)
    ratios = np.asarray(referrals_per_error, dtype=np.float64)
    if not (ratios >= 0).all():
        message = f"a wrong answer must be worth at least 0 referrals, got {ratios.min()}"
        raise InputError(message)
    counts = case_weights(weights, len(wrong))

    def rate(chosen: Bool[np.ndarray, "cases"]) -> Float[np.ndarray, "*resamples 1"]:
        return (counts @ chosen.astype(np.float64) / counts.sum(axis=-1))[..., None]

    coverage, errors = rate(answered), rate(wrong)
    per_patient = {
        "model": 1.0 - coverage + ratios * rate(answered & wrong),
        "refer_all": np.ones_like(coverage * ratios),
        "answer_all": ratios * errors,
        "refer_at_random": 1.0 - coverage + ratios * coverage * errors,
    }
    return {policy: ARRIVING * cost for policy, cost in per_patient.items()}

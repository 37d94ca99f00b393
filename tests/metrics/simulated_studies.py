"""Studies with a known truth: cases of patients whose outcomes may depend on one another."""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, log_softmax, ndtr, softmax


def normal_by_patient(generator, patients, share):
    """Draw standard normal values, of which patients share a part: their correlation."""
    of_patients = generator.normal(size=patients.max() + 1)[patients]
    return np.sqrt(share) * of_patients + np.sqrt(1 - share) * generator.normal(size=len(patients))


def calibrated_study(seed, kind, n):
    """Return confidence, correctness and patients of a model that is calibrated.

    Kinds: "independent" cases; "copies", each patient's image three times; "dependent", three
    images of like confidence whose outcomes correlate (latent correlation 0.95); "uneven", one to
    ten images a patient; "hard", three images that depend on one another where the model is unsure.
    """
    generator = np.random.default_rng(seed)
    if kind == "independent":
        patients = np.arange(n)
    elif kind == "uneven":
        sizes = generator.integers(1, 11, size=n // 5)
        patients = np.repeat(np.arange(len(sizes)), sizes)
    else:
        patients = np.arange(n) // 3
    like = {"independent": 0.0, "copies": 1.0}.get(kind, 0.8)
    quantile = ndtr(normal_by_patient(generator, patients, like))
    confidence = 0.34 + 0.66 * betaincinv(2.5, 1, quantile)
    together = {"independent": 0.0, "copies": 1.0, "dependent": 0.95, "uneven": 0.5}
    share = np.where(quantile < 0.5, 0.9, 0.0) if kind == "hard" else together[kind]
    correct = ndtr(normal_by_patient(generator, patients, share)) < confidence
    return confidence, correct, patients


def predicted_study(seed, n, *, num_classes, images, sharpness):
    """Return log-probabilities, labels and patients; true where `sharpness` is 1, else too bold."""
    generator = np.random.default_rng(seed)
    patients = np.arange(n) // images
    columns = [normal_by_patient(generator, patients, 0.6) for _ in range(num_classes)]
    logits = 2.5 * np.stack(columns, axis=1)
    chances = softmax(logits, axis=1).cumsum(axis=1)
    drawn = ndtr(normal_by_patient(generator, patients, 0.6))
    labels = (drawn[:, None] > chances[:, :-1]).sum(axis=1)
    return log_softmax(sharpness * logits, axis=1), labels, patients

"""Logits with a known truth behind them, each drawn from a seed."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax


def draw_labels(seed, true_logits):
    """Draw each label from the softmax of its row (the Gumbel trick)."""
    generator = np.random.default_rng([seed, 1])
    return (true_logits + generator.gumbel(size=true_logits.shape)).argmax(axis=1)


def random_logits(seed, n, *, num_classes=4, spread=2.0):
    """Independent normal logits."""
    return np.random.default_rng([seed, 0]).normal(scale=spread, size=(n, num_classes))


def overconfident(seed, n, *, truth=2.0, num_classes=4, spread=2.0):
    """Logits and labels of true temperature `truth`: labels follow softmax(logits / truth)."""
    true_logits = random_logits(seed, n, num_classes=num_classes, spread=spread)
    return truth * true_logits, draw_labels(seed, true_logits)


def heteroscedastic(seed, n, *, low=0.5, high=3.0):
    """Ten classes; the unsure half is too modest (true T `low`), the sure too bold (`high`)."""
    logits = random_logits(seed, n, num_classes=10)
    sure = log_softmax(logits, axis=1).max(axis=1) > np.log(0.6)
    temperatures = np.where(sure, high, low)
    return logits, draw_labels(seed, logits / temperatures[:, None])


def expected_calibration_error(log_probabilities, labels, num_bins=15):
    """Weighted mean gap of accuracy and confidence over equal-width bins (j/B, (j+1)/B]."""
    confidence = np.exp(log_probabilities.max(axis=1))
    hits = log_probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * num_bins).astype(int) - 1, 0, num_bins - 1)
    return np.abs(np.bincount(bins, hits - confidence, num_bins)).sum() / len(labels)


def mean_nll(log_probabilities, labels):
    """Mean negative log-probability of the labels."""
    return -log_probabilities[np.arange(len(labels)), labels].mean()


def mean_error(log_probabilities, true_log_probabilities):
    """Mean absolute error of probabilities against the true ones."""
    return np.abs(np.exp(log_probabilities) - np.exp(true_log_probabilities)).mean()

"""What losses and calibrators are called where people read: their keys are short for configs."""

from __future__ import annotations

import re
from collections.abc import Iterable

NAMES = {
    "adafocal": "AdaFocal",
    "brier": "Brier score",
    "bsce_gra": "cross-entropy, gradients weighted by the Brier score",
    "class_balanced": "class-balanced cross-entropy",
    "cross_entropy": "cross-entropy",
    "dual_focal": "dual focal loss",
    "flsd53": "sample-dependent focal loss",
    "focal": "focal loss",
    "gce": "generative cross-entropy",
    "gce_ema": "generative cross-entropy, moving-average marginal",
    "gce_flsd53": "generative cross-entropy, sample-dependent focal weights",
    "gce_focal": "generative cross-entropy, focal weights",
    "gce_half": "generative cross-entropy, half the weight",
    "gce_logit_adjusted": "generative cross-entropy, logit-adjusted",
    "generative_flsd53": "generative focal loss, sample-dependent exponents",
    "generative_focal": "generative focal loss",
    "generative_focal_3": "generative focal loss, exponent 3",
    "label_smoothing": "label smoothing",
    "ldam": "label-distribution-aware margins",
    "logit_adjusted": "logit-adjusted cross-entropy",
    "mbls": "margin-based label smoothing",
    "mdca": "difference of confidence and accuracy",
    "mmce": "maximum mean calibration error",
    "ats": "adaptive temperature scaling",
    "ats_auto": "adaptive temperature scaling, automatic bins",
    "ats_auto_monotone": "monotone adaptive temperature scaling, automatic bins",
    "ats_bins_10": "adaptive temperature scaling, 10 bins",
    "ats_bins_5": "adaptive temperature scaling, 5 bins",
    "ats_bins_50": "adaptive temperature scaling, 50 bins",
    "ats_linear": "adaptive temperature scaling, linear between bins",
    "ats_monotone": "monotone adaptive temperature scaling",
    "ats_nll": "adaptive temperature scaling, fitted by NLL",
    "bcts": "bias-corrected temperature scaling",
    "bts": "bin-wise temperature scaling",
    "dirichlet": "Dirichlet calibration",
    "ets": "ensemble temperature scaling",
    "focal_temperature": "focal temperature scaling",
    "histogram": "histogram binning",
    "hts": "entropy-based temperature scaling",
    "identity": "no calibration",
    "isotonic": "isotonic regression",
    "prior": "prior correction",
    "prior_ats": "prior correction, then adaptive temperature scaling",
    "prior_temperature": "prior correction, then temperature scaling",
    "structured_matrix": "structured matrix scaling",
    "temperature": "temperature scaling",
    "vector": "vector scaling",
}
"""By the name of the file in ``configs/losses`` or ``configs/calibrators``; others keep that."""


def named(key: str) -> str:
    """Return a loss or calibrator in words, and behind them its key where they do not say it.

    >>> named("gce"), named("cross_entropy"), named("my_loss")
    ('generative cross-entropy (gce)', 'cross-entropy', 'my_loss')
    """
    return f"{NAMES[key]} ({key})" if _is_short(key) else NAMES.get(key, key)


def _is_short(key: str) -> bool:
    """Return whether a key stands for more words than it has."""
    return key in NAMES and not set(key.split("_")) <= set(re.findall(r"\w+", NAMES[key].lower()))


def titled(key: str) -> str:
    """Return the same to begin a line with.

    >>> titled("gce"), titled("adafocal"), titled("my_loss")
    ('Generative cross-entropy (gce)', 'AdaFocal', 'my_loss')
    """
    return heading(named(key))


def heading(text: str) -> str:
    """Return a text with a capital where it begins with a name, but not where with a key.

    >>> heading("no calibration (identity), seed 0"), heading("my_loss, seed 0")
    ('No calibration (identity), seed 0', 'my_loss, seed 0')
    """
    return text[:1].upper() + text[1:] if text.startswith(tuple(NAMES.values())) else text


def legend(keys: Iterable[str]) -> str:
    """Say what keys stand for, each once; empty where none is short for anything.

    >>> legend(["gce", "cross_entropy", "my_loss", "gce", "ats"])
    'Losses and calibrators: gce, generative cross-entropy; ats, adaptive temperature scaling.'
    """
    listed = "; ".join(f"{key}, {NAMES[key]}" for key in dict.fromkeys(keys) if _is_short(key))
    return f"Losses and calibrators: {listed}." if listed else ""

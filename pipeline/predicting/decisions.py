"""What a release says of one patient's study: answered, or referred with the reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """One patient and study.

    Attributes
    ----------
    patient, study : str
        Keyed hashes.
    outcome : str
        "answered" or "referred".
    reason : str
        Of a referral: "not confident", "out of scope", "unreadable", "missing image",
        "outside limits" or "no guarantee".
    detail : str
        One plain sentence, without identity.
    predicted : str
        A class; empty where nothing could be read.
    probabilities : dict of str to float
        Calibrated, by class; empty where nothing could be read.
    confidence, threshold : float or None
    site : str
        A group of the release, or empty.
    num_images : int
    decided_at : str
        UTC, ISO 8601, to seconds.
    release : str
        SHA-256 of the release's SHA256SUMS.
    """

    patient: str
    study: str
    outcome: str
    reason: str
    detail: str
    predicted: str
    probabilities: dict[str, float]
    confidence: float | None
    threshold: float | None
    site: str
    num_images: int
    decided_at: str
    release: str

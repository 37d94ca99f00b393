"""Releases, decisions and headers for tests of what is made of them."""

import hashlib
from dataclasses import replace
from pathlib import Path

from pydicom import Dataset

from pipeline.predicting.decisions import Decision
from pipeline.releasing import Release, Released
from tests.dicom_files import image_dataset, uid

SHA = hashlib.sha256(b"a release").hexdigest()
GUARANTEE = "Of answered patients at most 5 % are wrong, in 95 of 100 such studies (410 patients)."
CODES = {
    "benign": {"scheme": "SCT", "value": "30807003", "meaning": "Benign"},
    "malignant": {"scheme": "SCT", "value": "21594007", "meaning": "Malignant"},
}
MEMBER = {
    "seed": 0, "weights": "models/model.safetensors", "mean": [0.5], "sd": [0.25],
    "logit_scale": 1.0, "cosine_head": False, "config_hash": "0", "logits_sha256": SHA,
    "revision": "0", "dirty": False,
}  # fmt: skip


def make_release(**stated):
    """A release of two classes that was never trained; what is stated wins."""
    parts = {
        "name": "squares gce", "study": "squares", "experiment": "squares-gce", "loss": "gce",
        "network": {"kind": "densenet"}, "network_name": "densenet", "recipe": "adam",
        "members": [MEMBER], "classes": list(CODES), "critical_classes": ["malignant"],
        "codes": CODES, "modality": None, "image_size": [8, 8], "channels": 1,
        "preprocessing": {
            "dataset": "squares", "adapter": "dicom", "reader": "dicom", "arguments": {},
            "dtype": "uint8", "spacing_mm": None,
        },
        "calibrator": {"name": "ats", "state": {}, "preserves_argmax": True},
        "rule": {
            "score": "confidence", "threshold": 0.875, "unproven_threshold": None, "target": 0.05,
            "delta": 0.05, "status": "found", "num_patients": 410, "num_test_patients": 200,
            "expected_answered": 0.8, "expected_risk": 0.03, "guarantee": GUARANTEE,
        },
        "scope": {
            "score": "energy", "threshold": 0.0, "quantile": 0.01, "num_cases": 400,
            "splits": ["calibration"],
        },
        "limits": {
            "sites": None, "sexes": None, "age_bands": None, "at_least": 20, "excess_risk": [],
        },
        "reference": {
            "split": "test", "num_cases": 400, "num_patients": 200,
            "confidence_quantiles": [0.5, 1.0], "prevalence": {"benign": 0.7, "malignant": 0.3},
            "referred": 0.2, "out_of_scope": 0.01, "mean_error_answered": 0.03,
        },
        "provenance": {
            "dataset_title": "Squares", "licence": "CC0", "citation": "", "simulated": True,
            "data_fingerprint": SHA, "revision": "0", "dirty": False, "versions": {},
        },
        "parent": None,
    }  # fmt: skip
    return Release.model_validate(parts | stated)


def make_released(**stated):
    return Released(folder=Path("release"), release=make_release(**stated), sha256=SHA)


ANSWERED = Decision(
    patient="5f" * 10,
    study="a0" * 10,
    outcome="answered",
    reason="",
    detail="",
    predicted="malignant",
    probabilities={"benign": 0.0625, "malignant": 0.9375},
    confidence=0.9375,
    threshold=0.875,
    site="",
    num_images=2,
    decided_at="2026-11-27T10:00:00+00:00",
    release=SHA,
)
REFERRED = replace(
    ANSWERED,
    outcome="referred",
    reason="not confident",
    detail="The least confident image reaches 0.625, below 0.875.",
    probabilities={"benign": 0.375, "malignant": 0.625},
    confidence=0.625,
)


def headers(num_images=2, **elements) -> list[Dataset]:
    """Headers of the images of one patient's study; elements given win."""
    stated = {
        "StudyInstanceUID": uid("study"), "SeriesInstanceUID": uid("series"),
        "PatientID": "P-0042", "PatientName": "Doe^Jane", "PatientBirthDate": "19700630",
        "PatientSex": "F", "AccessionNumber": "ACC42", "StudyDate": "20260101",
        "StudyDescription": "Screening", "PatientAge": "055Y",
    }  # fmt: skip
    return [
        image_dataset(_PIXELS, name=number, **(stated | elements)) for number in range(num_images)
    ]


_PIXELS = [[0, 1], [2, 3]]

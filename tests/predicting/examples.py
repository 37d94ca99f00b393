"""Releases, decisions and headers for tests of what is made of them."""

import hashlib
from dataclasses import replace
from pathlib import Path

from pydicom import Dataset

from pipeline.predicting.decisions import Decision
from pipeline.releasing import Released
from tests.dicom_files import image_dataset, uid
from tests.made_releases import make_release

SHA = hashlib.sha256(b"a release").hexdigest()
GUARANTEE = "Of answered patients at most 5 % are wrong, in 95 of 100 such studies (410 patients)."
CODES = {
    "benign": {"scheme": "SCT", "value": "30807003", "meaning": "Benign"},
    "malignant": {"scheme": "SCT", "value": "21594007", "meaning": "Malignant"},
}


def make_released(**changes):
    """A release of two classes with SNOMED CT codes that was never packed."""
    stated = {
        "name": "squares gce",
        "classes": list(CODES),
        "codes": CODES,
        "reference__prevalence": {"benign": 0.7, "malignant": 0.3},
        "rule__guarantee": GUARANTEE,
    }
    release = make_release(**stated | changes)
    return Released(folder=Path("release"), release=release, sha256=SHA)


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

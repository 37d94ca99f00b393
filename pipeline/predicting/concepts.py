"""The coded concepts of a report: DICOM's own where there is one, ours where there is none."""

from __future__ import annotations

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept

from pipeline.releasing.codes import PRIVATE_SCHEME


def _private(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, PRIVATE_SCHEME, meaning)


DEVICE = CodedConcept("121007", "DCM", "Device")
REPORT = CodedConcept("126000", "DCM", "Imaging Measurement Report")
PROCEDURE = CodedConcept("363679005", "SCT", "Imaging procedure")
ALGORITHM_FAMILY = CodedConcept("123110", "DCM", "Artificial Intelligence")
PROBABILITY = CodedConcept("122157", "DCM", "Probability")
NO_UNIT = CodedConcept("1", "UCUM", "no units")

DECISION = _private("DECISION", "Decision of the model")
OUTCOMES = {
    "answered": _private("ANSWERED", "Answered by the model"),
    "referred": _private("REFERRED", "Referred to a reader"),
}
REASON = _private("REASON", "Reason for referral")
REASONS = {
    "not confident": _private("NOT_CONFIDENT", "Not confident enough"),
    "out of scope": _private("OUT_OF_SCOPE", "Unlike the images the model knows"),
    "unreadable": _private("UNREADABLE", "Image cannot be read"),
    "missing image": _private("MISSING_IMAGE", "Image missing"),
    "outside limits": _private("OUTSIDE_LIMITS", "Patient outside the groups studied"),
    "no guarantee": _private("NO_GUARANTEE", "No guarantee was found"),
}
PREDICTED = _private("PREDICTED_CLASS", "Predicted class")
CONFIDENCE = _private("CONFIDENCE", "Highest calibrated probability")
THRESHOLD = _private("THRESHOLD", "Least confidence answered")
GUARANTEE = _private("GUARANTEE", "Guarantee")
DETAIL = _private("DETAIL", "Explanation")

SCHEME = CodingSchemeIdentificationItem(
    designator=PRIVATE_SCHEME, name="Codes of calibrated-imaging", responsible_organization=None
)

"""Tell a file that shows the patient from one that only looks like an image."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom import Dataset
from pydicom.uid import (
    UID,
    MRSpectroscopyStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    RawDataStorage,
    RTDoseStorage,
    SegmentationStorage,
    SurfaceSegmentationStorage,
)

from pipeline.adapters.dicom.elements import text, texts
from pipeline.adapters.refused import Refused

_WITHOUT_AN_IMAGE = {
    SegmentationStorage: "a segmentation",
    UID("1.2.840.10008.5.1.4.1.1.66.7"): "a label map",
    UID("1.2.840.10008.5.1.4.1.1.66.8"): "a height map",
    SurfaceSegmentationStorage: "a segmentation",
    RTDoseStorage: "a planned dose",
    MRSpectroscopyStorage: "spectra",
    RawDataStorage: "raw data",
    MultiFrameSingleBitSecondaryCaptureImageStorage: "a scanned page in black and white",
}
"""Classes of objects (DICOM PS3.4 B.5) with rows and columns, which are not the patient's image."""

LEFT_OUT_IMAGE_TYPES = (
    "LOCALIZER",  # any maker's scout or topogram
    "SCREEN SAVE", "SCREENSHOT", "DOSE INFO", "CT_SOM5 PROT",  # pages of text beside a scan
    "LABEL", "OVERVIEW",  # of a slide: its label names the patient
)  # fmt: skip
"""Values of Image Type (DICOM PS3.3 C.7.6.1.1.2, C.8.12.4.1.1) that mark what is no case."""


def require_image_of_the_patient(header: Dataset, left_out: Sequence[str]) -> None:
    """Raise `Refused` for a class of objects without an image, or an image type to be left out.

    Types are compared without regard to case, blanks and underscores, which makers vary.
    """
    kind = _WITHOUT_AN_IMAGE.get(UID(text(header, "SOPClassUID")))
    if kind is not None:
        raise Refused(reason="no image of the patient", advice=f"it holds {kind}: move it away")
    stated = {_plain(value) for value in texts(header, "ImageType")}
    for name in left_out:
        if _plain(name) in stated:
            advice = f"its header says {name}: where such are wanted, set 'leave_out_image_types'"
            raise Refused(reason="image type left out", advice=advice)


def _plain(value: str) -> str:
    return "".join(each for each in value.upper() if each.isalnum())

"""What one DICOM header says that is needed later, and nothing that says who the patient is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

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

from pipeline.adapters.case import NOT_RECORDED
from pipeline.adapters.dicom.claims import claimed_size, require_bytes_for_claims
from pipeline.adapters.dicom.elements import text, texts, whole
from pipeline.adapters.dicom.geometry import stated_geometry
from pipeline.adapters.dicom.opening import bytes_allowed, parse, quiet
from pipeline.adapters.folder_index import FileFacts
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.people import age_from_dicom, normal_sex, years_between
from pipeline.adapters.refused import UNREADABLE, Refused, too_large

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
_HASHED = (
    "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "AccessionNumber", "PatientID",
    "InstitutionName",
)  # fmt: skip
_GEOMETRY = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "ImagerPixelSpacing",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
_IMAGE = (
    "SOPClassUID", "ImageType", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel",
    "BitsAllocated", "PhotometricInterpretation", "InstanceNumber",
)  # fmt: skip
_PERSON = ("PatientAge", "PatientSex", "PatientBirthDate", "StudyDate", "BurnedInAnnotation")
_TAGS = [*_HASHED, *_GEOMETRY, *_IMAGE, *_PERSON]


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


@dataclass(frozen=True)
class HeaderScanner:
    """Turn a file into its facts; whatever is wrong with it becomes a fault, never an exception."""

    folder: Path
    pseudonyms: Pseudonyms
    """What every identifier leaves as."""
    site_names: dict[str, str]
    """From the institution of a header to the name its cases may carry."""
    max_pixels: int
    """A larger file is not read."""
    left_out_image_types: tuple[str, ...] = LEFT_OUT_IMAGE_TYPES
    """Values of Image Type that mark what is no case."""

    def wants(self, name: str) -> bool:
        """Every file may be one: DICOM asks for no suffix."""
        return not name.startswith(".")

    def __call__(self, relative: str) -> FileFacts:
        """Return the facts of a file below the folder."""
        path = self.folder / relative
        facts = FileFacts(relative, "", 0, file=self.pseudonyms("file", relative))
        try:
            facts = replace(facts, num_bytes=path.stat().st_size)
            if facts.num_bytes > bytes_allowed(self.max_pixels):
                raise too_large(facts.num_bytes, "bytes")
            content = path.read_bytes()
            facts = replace(facts, sha256=hashlib.sha256(content).hexdigest())
            with quiet():
                header = parse(BytesIO(content), max_pixels=self.max_pixels, tags=_TAGS)
                return self._facts(header, facts)
        except Refused as refused:
            return replace(facts, fault=refused.reason, advice=refused.advice)
        except OSError:
            return replace(facts, fault=UNREADABLE[0], advice=UNREADABLE[1])

    def _facts(self, header: Dataset, facts: FileFacts) -> FileFacts:
        """Return the facts with what the header says; identifiers hashed, text left behind."""

        def hashed(kind: str, keyword: str) -> str:
            value = text(header, keyword)
            return self.pseudonyms(kind, value) if value else ""

        known = replace(
            facts,
            sop=hashed("sop", "SOPInstanceUID"),
            series=hashed("series", "SeriesInstanceUID"),
            study=hashed("study", "StudyInstanceUID"),
            accession=hashed("accession", "AccessionNumber"),
            patient=hashed("patient", "PatientID"),
            site=self._site(text(header, "InstitutionName")),
            sex=normal_sex(text(header, "PatientSex")),
            age=_age(header),
            # What says neither yes nor no does not vouch for its pixels.
            burned_in=text(header, "BurnedInAnnotation").upper() not in ("", "NO"),
        )
        return self._with_image(header, known)

    def _with_image(self, header: Dataset, facts: FileFacts) -> FileFacts:
        """Return the facts with what is said of the image, up to what is wrong with it."""
        try:
            require_image_of_the_patient(header, self.left_out_image_types)
            facts = replace(facts, **claimed_size(header), instance_number=_instance_number(header))
            facts = replace(facts, **vars(stated_geometry(header, facts.num_frames)))
            require_bytes_for_claims(header, facts.num_bytes, max_pixels=self.max_pixels)
        except Refused as refused:
            return replace(facts, fault=refused.reason, advice=refused.advice)
        return facts

    def _site(self, institution: str) -> str:
        if not institution:
            return NOT_RECORDED
        unnamed = f"site-{self.pseudonyms('site', institution)[:8]}"
        return self.site_names.get(institution, unnamed)


def _age(header: Dataset) -> float | None:
    stated = age_from_dicom(text(header, "PatientAge"))
    if stated is not None:
        return stated
    return years_between(text(header, "PatientBirthDate"), text(header, "StudyDate"))


def _instance_number(header: Dataset) -> int | None:
    """Return a file's number in its series; one that cannot be used orders nothing."""
    try:
        return whole(header, "InstanceNumber")
    except Refused:
        return None

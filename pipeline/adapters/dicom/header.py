"""What one DICOM header says that is needed later, and nothing that says who the patient is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from pydicom import Dataset

from pipeline.adapters.case import NOT_RECORDED
from pipeline.adapters.dicom.elements import macro, numbers, text, whole
from pipeline.adapters.dicom.opening import bytes_allowed, parse, quiet
from pipeline.adapters.file_facts import FileFacts
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.people import age_from_dicom, normal_sex, years_between
from pipeline.adapters.refused import Refused, too_large

_HASHED = (
    "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "AccessionNumber", "PatientID",
    "InstitutionName",
)  # fmt: skip
_GEOMETRY = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "ImagerPixelSpacing",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
_IMAGE = ("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "InstanceNumber")
_PERSON = ("PatientAge", "PatientSex", "PatientBirthDate", "StudyDate", "BurnedInAnnotation")
_TAGS = [*_HASHED, *_GEOMETRY, *_IMAGE, *_PERSON]


@dataclass(frozen=True)
class HeaderScanner:
    """Turn a file into its facts; whatever is wrong with it becomes a fault, never an exception.

    Attributes
    ----------
    folder : Path
        The data set's folder.
    pseudonyms : Pseudonyms
        What every identifier leaves as.
    site_names : dict
        From the institution of a header to the name its cases may carry.
    max_pixels : int
        A larger file is not read.
    """

    folder: Path
    pseudonyms: Pseudonyms
    site_names: dict[str, str]
    max_pixels: int

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
            return replace(facts, fault="unreadable file", advice="check the disk and its rights")

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
            burned_in=text(header, "BurnedInAnnotation").upper() == "YES",
        )
        return _with_image(header, known)

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


def _with_image(header: Dataset, facts: FileFacts) -> FileFacts:
    num_rows, num_columns = whole(header, "Rows") or 0, whole(header, "Columns") or 0
    if num_rows <= 0 or num_columns <= 0:
        advice = "it may be a report, a plan or a directory: move it out of the folder"
        return replace(facts, fault="no image in the file", advice=advice)
    num_frames = max(whole(header, "NumberOfFrames") or 1, 1)
    measures = macro(header, 0, "PixelMeasuresSequence")
    spacing = numbers(measures, "PixelSpacing", 2) or numbers(header, "ImagerPixelSpacing", 2)
    return replace(
        facts,
        num_rows=num_rows,
        num_columns=num_columns,
        num_frames=num_frames,
        num_samples=max(whole(header, "SamplesPerPixel") or 1, 1),
        instance_number=whole(header, "InstanceNumber"),
        pixel_spacing=spacing if all(each > 0 for each in spacing) else (),
        positions=_positions(header, num_frames),
        orientation=_orientation(header, num_frames),
    )


def _positions(header: Dataset, num_frames: int) -> tuple[float, ...]:
    """Return every frame's position; nothing where one is missing, or all share the one stated."""
    if num_frames > 1 and "PerFrameFunctionalGroupsSequence" not in header:
        return ()
    found = [
        numbers(macro(header, frame, "PlanePositionSequence"), "ImagePositionPatient", 3)
        for frame in range(num_frames)
    ]
    return tuple(each for position in found for each in position) if all(found) else ()


def _orientation(header: Dataset, num_frames: int) -> tuple[float, ...]:
    """Return the orientation that all frames share, or nothing."""
    own = num_frames if "PerFrameFunctionalGroupsSequence" in header else 1
    found = {
        numbers(macro(header, frame, "PlaneOrientationSequence"), "ImageOrientationPatient", 6)
        for frame in range(own)
    }
    return found.pop() if len(found) == 1 else ()

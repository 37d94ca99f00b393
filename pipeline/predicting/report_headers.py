"""What a report repeats of its images' headers: their UIDs, the patient and the study."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydicom import Dataset
from pydicom.charset import convert_encodings
from pydicom.uid import Comprehensive3DSRStorage, UID_dictionary

from pipeline.adapters.dicom.elements import text
from pipeline.adapters.dicom.opening import DAMAGE, parse, quiet
from pipeline.adapters.refused import Refused
from pipeline.errors import InputError

KEYS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID")

STATED = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID",
    "StudyDate", "StudyTime", "ReferringPhysicianName",
)  # fmt: skip
"""What every object has of patient and study, empty where it is not known (type 2)."""

COPIED = (
    *STATED, "IssuerOfPatientID", "TypeOfPatientID", "IssuerOfPatientIDQualifiersSequence",
    "OtherPatientIDsSequence", "OtherPatientNames", "PatientBirthTime", "EthnicGroup",
    "PatientSpeciesDescription", "PatientIdentityRemoved", "DeidentificationMethod",
    "DeidentificationMethodCodeSequence", "IssuerOfAccessionNumberSequence", "StudyDescription",
    "PatientAge", "PatientSize", "PatientWeight",
)  # fmt: skip
"""The modules Patient, General Study and Patient Study, as far as a report repeats them."""

_STORED = re.compile(r"Storage( - For \w+)?$")
"""How the standard ends the names of what is stored: no service, no transfer syntax."""

_MOST_VALUES = 2**30
"""In a deflated header: it was bounded when it was read first."""


def report_header(path: Path) -> Dataset:
    """Return what a report repeats of an object, or where that is damaged, its UIDs alone.

    Raises
    ------
    Refused
        If it is no DICOM file.
    """
    with path.open("rb") as file:
        try:
            tags = [*KEYS, *COPIED, "SpecificCharacterSet"]
            return parse(file, max_pixels=_MOST_VALUES, tags=tags)
        except Refused:
            file.seek(0)
            return parse(file, max_pixels=_MOST_VALUES, tags=list(KEYS))


def headers_of(paths: Iterable[Path]) -> Iterator[Dataset]:
    """Yield what a report repeats of those files that are there and have a header."""
    for path in paths:
        if not path.is_file():  # A pipe would be waited for.
            continue
        try:
            with quiet():
                header = report_header(path)
        except (Refused, OSError):
            continue
        yield header


def patient_named_by(path: Path) -> str:
    """Return the patient ID that a file states; nothing where it states none or has no header."""
    return next((_text(header, "PatientID") for header in headers_of([path])), "")


def referable(paths: Iterable[Path]) -> list[Dataset]:
    """Return the headers among some files that a report can refer to."""
    return [header for header in headers_of(paths) if _is_referable(header)]


def _is_referable(header: Dataset) -> bool:
    try:
        evidence_of(header)
    except InputError:
        return False
    return True


def evidence_of(source: Dataset) -> Dataset:
    """Return an image's UIDs alone: nothing else of its header can then be at fault.

    Raises
    ------
    InputError
        If it lacks one, or is of a class that today's standard stores no objects of: that of a
        maker or a retired one.
    """
    values = {keyword: _text(source, keyword) for keyword in KEYS}
    if not all(values.values()):
        absent = next(keyword for keyword, value in values.items() if not value)
        message = f"a report refers to images by their UIDs: one has no {absent}"
        raise InputError(message)
    if not _is_stored_today(values["SOPClassUID"]):
        message = "a report refers to images of today's standard: one is of another class"
        raise InputError(message)
    return _dataset(values | dict.fromkeys(STATED, ""))


def _text(source: Dataset, keyword: str) -> str:
    try:
        with quiet():
            return text(source, keyword)
    except Refused:
        return ""


def _is_stored_today(sop_class: str) -> bool:
    """Return whether objects of a class are known to the library that writes reports."""
    name, _, other_standard, retired, _ = UID_dictionary.get(sop_class, ("",) * 5)
    return bool(_STORED.search(name)) and not other_standard and not retired


def copy_people(sources: Sequence[Dataset], report: Dataset) -> None:
    """Copy patient and study as they came; what no reader of DICOM can make out is left empty.

    They are those of the first header that names a patient. So does the character set, which any
    ASCII of ours fits into; else it is Unicode.
    """
    source = next((each for each in sources if _text(each, "PatientID")), sources[0])
    texts = (each.value for each in report.iterall() if each.VR in ("LO", "SH", "ST", "UT"))
    is_ascii = all(str(each).isascii() for each in texts)
    for keyword in COPIED:
        try:
            if keyword in source:
                report[keyword] = source[keyword]
        except DAMAGE:
            continue
    if not (is_ascii and _copy_character_set(source, report)):
        report.SpecificCharacterSet = "ISO_IR 192"


def _copy_character_set(source: Dataset, report: Dataset) -> bool:
    """Return whether an image's character set is one that can be written, and then write it."""
    try:
        stated = source.get("SpecificCharacterSet")
        convert_encodings(stated)
    except DAMAGE:
        return False
    if stated is not None:
        report.SpecificCharacterSet = stated
    return True


def reference_to(study: str, series: str, instance: str) -> Dataset:
    """Return what a later report says of an earlier one: its UIDs."""
    values = (study, series, Comprehensive3DSRStorage, instance)
    return _dataset(dict(zip(KEYS, values, strict=True)))


def _dataset(values: dict[str, str]) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset

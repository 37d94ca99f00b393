"""New DICOM files: images to decide upon, and what comes beside them."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import RE_VALID_UID, UID_dictionary

from pipeline.adapters.dicom.arguments import ReadingArguments
from pipeline.adapters.dicom.decoding import SeriesDecoder
from pipeline.adapters.dicom.elements import text
from pipeline.adapters.dicom.header import HeaderScanner
from pipeline.adapters.dicom.opening import parse, quiet
from pipeline.adapters.dicom.planning import Planner
from pipeline.adapters.dicom.reading import Found, decode_plans, plan_files
from pipeline.adapters.folder_index import FileFacts
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.label_table import Labelled
from pipeline.adapters.refused import Refused
from pipeline.config.reading import check_config
from pipeline.predicting.deciding import SINGLE_SLICE
from pipeline.predicting.inputs import InputFile
from pipeline.predicting.reading import ROOT, Reading, Sources, scanned
from pipeline.releasing import Release

SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")
"""A file named so, or without a suffix, is taken to be one: that it cannot be read matters."""

_NUMBER = re.compile(r"\.\d+")
"""What a file that is named after its UID ends in."""

_BESIDE = ("no image of the patient", "image type left out")
"""What a header scan says of segmentations, doses, scouts and pages of text."""

_DICOM_ROOT = "1.2.840.10008."
_FEW_PIXELS = 2**28
"""Bounds what a header inflates to; its pixels are not read."""

_MODALITIES = (
    "AR", "BI", "BMD", "CR", "CT", "DG", "DX", "EPS", "ES", "GM", "HC", "IO", "IVOCT", "IVUS",
    "KER", "LEN", "LS", "MG", "MR", "NM", "OAM", "OCT", "OP", "OPM", "OPT", "OPTBSV",
    "OPTENF", "OPV", "OSS", "OT", "PT", "PX", "RF", "RG", "RTIMAGE", "SM", "SRF", "TG", "US",
    "VA", "XA", "XC",
)  # fmt: skip
"""Defined terms (DICOM PS3.3 C.7.3.1.1.1) of images; nothing else of a header is repeated."""


def read_dicom(files: Sources, release: Release, pseudonyms: Pseudonyms) -> Reading:
    """Return files as `pipeline.adapters.dicom` reads them; every one may be a DICOM file."""
    stated = release.preprocessing.arguments
    arguments = check_config(stated, ReadingArguments, place="preprocessing.arguments")
    facts = scanned(
        files,
        HeaderScanner(
            folder=ROOT,
            pseudonyms=pseudonyms,
            site_names=arguments.site_names,
            max_pixels=arguments.max_pixels,
            left_out_image_types=arguments.leave_out_image_types,
        ),
    )
    without_image = {
        source: what
        for source, each in facts.items()
        if each.fault and (what := _what_else(each, files[source]))
    }
    images = [each for source, each in facts.items() if source not in without_image]
    other = _of_other_modalities(images, files, release.modality)
    volumes = release.spatial_dims == 3
    images = [each for each in images if each.source not in other]
    labels = {each.file: Labelled(each.file) for each in images}
    found = plan_files(images, Planner(labels, "file", arguments, volumes=volumes))
    if volumes:
        found, single = _without_single_slices(found)
        other |= single
    paths = {source: file.path for source, file in files.items()}
    decoder = SeriesDecoder(arguments, release.image_size, release.channels)
    cases = (*found.left_out,), decode_plans(found, paths, decoder)
    return Reading(facts, (each for part in cases for each in part), without_image, other)


def _what_else(facts: FileFacts, file: InputFile) -> str:
    """Return what a file without an image is; nothing if it should have been one."""
    if file.fault:
        return ""
    if facts.fault == "no DICOM file":
        looks_like_one = file.suffix in ("", *SUFFIXES) or _NUMBER.fullmatch(file.suffix)
        return "" if looks_like_one else "no DICOM file"
    if facts.fault in _BESIDE:
        return facts.fault
    return "no image" if facts.fault == "no image in the file" and not _is_image(file) else ""


def _is_image(file: InputFile) -> bool:
    """Return whether a file without pixels may be an image by its class.

    It is none if it states one of the standard's classes that are of no image, or twice the same
    one of a maker's own. Anything else may be an image that was damaged just there.
    """
    stated = stated_by(file.path, "SOPClassUID", "MediaStorageSOPClassUID")
    known = {UID_dictionary[each][0] for each in stated if each in UID_dictionary}
    if known:
        return any("Image Storage" in name for name in known)
    own, media = stated
    return own != media or not re.fullmatch(RE_VALID_UID, own) or own.startswith(_DICOM_ROOT)


def _of_other_modalities(
    images: list[FileFacts], files: Sources, modality: str | None
) -> dict[str, str]:
    """Return the sources of every series that is not of the release's modality."""
    if modality is None:
        return {}
    series: dict[str, list[FileFacts]] = defaultdict(list)
    for each in images:
        if each.study:
            series[each.series or each.file].append(each)
    other: dict[str, str] = {}
    for members in series.values():
        (stated,) = stated_by(files[members[0].source].path, "Modality")
        if stated != modality:
            told = stated if stated in _MODALITIES else "another or none"
            what = f"the modality is {told}, the release reads {modality}"
            other |= dict.fromkeys((each.source for each in members), what)
    return other


def stated_by(path: Path, *keywords: str) -> tuple[str, ...]:
    """Return elements of a header, or of what stands before it, each empty if it is not there."""
    if not path.is_file():  # A pipe would be waited for.
        return ("",) * len(keywords)
    try:
        with quiet(), path.open("rb") as file:
            header = parse(file, max_pixels=_FEW_PIXELS, tags=list(keywords))
            header.update(getattr(header, "file_meta", {}))
            return tuple(_text(header, keyword) for keyword in keywords)
    except (Refused, OSError):
        return ("",) * len(keywords)


def _text(header: Dataset, keyword: str) -> str:
    try:
        return text(header, keyword)
    except Refused:
        return ""


def _without_single_slices(found: Found) -> tuple[Found, dict[str, str]]:
    """Leave out what would be a volume of one slice: an image given to who reads volumes."""
    single = [plan for plan in found.plans if len(plan.slices) == 1]
    what = SINGLE_SLICE
    plans = [plan for plan in found.plans if len(plan.slices) > 1]
    return replace(found, plans=plans), {plan.slices[0].facts.source: what for plan in single}

"""How files become images, as the data set's adapter did it, without the study's own folders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pipeline.adapters.dicom.arguments import DicomArguments
from pipeline.adapters.nifti import NiftiArguments
from pipeline.adapters.phantom import reading_arguments
from pipeline.adapters.phantom.study import StudyArguments
from pipeline.config.reading import check_config
from pipeline.releasing.manifest import Preprocessing

Reader = Literal["dicom", "nifti", "picture"]

LEFT_OUT = {"folder", "labels", "workers"}
"""Of an adapter's arguments: they say where the study's own files are, and how fast they are read.
"""

PHANTOM_MODALITY = "OT"


def preprocessing(card: Mapping[str, Any]) -> Preprocessing:
    """Return how a data set's images were made of files, from its card.

    Data sets that come as arrays or pictures (PNG, JPEG) hold the values of pictures already: a
    picture is decoded and resized, no more.
    """
    reader, arguments = _reading(card["adapter"], card["arguments"])
    return Preprocessing(
        dataset=card["name"],
        adapter=card["adapter"],
        reader=reader,
        arguments=arguments,
        dtype=card["dtype"],
        spacing_mm=card["spacing_mm"],
    )


def default_modality(card: Mapping[str, Any]) -> str | None:
    """Return the DICOM modality that is known without being told: that of the simulation."""
    return PHANTOM_MODALITY if card["adapter"] == "phantom" else None


def _reading(adapter: str, arguments: Mapping[str, Any]) -> tuple[Reader, dict[str, Any]]:
    stated, place = dict(arguments), "card.json: arguments"
    if adapter == "dicom":
        dicom = check_config(stated, DicomArguments, place=place)
        return "dicom", dicom.model_dump(mode="json", exclude=LEFT_OUT)
    if adapter == "phantom":
        reading = reading_arguments(check_config(stated, StudyArguments, place=place))
        return "dicom", reading.model_dump(mode="json", exclude=LEFT_OUT)
    if adapter == "nifti":
        nifti = check_config(stated, NiftiArguments, place=place)
        return "nifti", nifti.model_dump(mode="json", exclude=LEFT_OUT)
    return "picture", {}

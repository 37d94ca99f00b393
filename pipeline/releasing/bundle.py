"""The files that make a release a MONAI bundle: metadata with its schema, and how to run it."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from pipeline.json_files import write_json
from pipeline.outgoing_text import printable
from pipeline.releasing.manifest import INFERENCE, INPUT, METADATA, SCHEMA, Release

RESOURCES = {"metadata.schema.json": SCHEMA, "inference.yaml": INFERENCE}

MODEL_VERSION = "1.0.0"

BYTE_RANGE = [0, 255]

INTENDED_USE = (
    "Research on calibration and referral. Not a medical device. Refers by default; answers alone "
    "only what its rule and its scope allow."
)


def write_bundle(release: Release, folder: Path) -> None:
    """Write what MONAI reads into a release's folder."""
    write_json(metadata(release), folder / METADATA)
    for name, target in RESOURCES.items():
        with as_file(files("pipeline.releasing") / name) as source:
            shutil.copyfile(source, folder / target)


def metadata(release: Release) -> dict[str, Any]:
    """Return ``configs/metadata.json`` by the MONAI Bundle Specification."""
    versions = release.provenance.versions
    classes = ", ".join(release.classes)
    content = {
        "schema": SCHEMA,
        "version": MODEL_VERSION,
        "monai_version": versions["monai"],
        "pytorch_version": versions["torch"],
        "numpy_version": versions["numpy"],
        "required_packages_version": {},
        "name": release.name,
        "task": f"Sorts an image into {classes}, or refers it to a reader",
        "description": f"{release.network_name}, trained with {release.loss} on "
        f"{release.provenance.dataset_title}, calibrated with {release.calibrator.name}. "
        f"{release.rule.promise}",
        "authors": "not stated",
        "copyright": "not stated",
        "data_source": release.provenance.citation,
        "data_type": release.preprocessing.reader,
        "intended_use": INTENDED_USE,
        "network_data_format": {
            "inputs": {INPUT: _input(release)},
            "outputs": {"pred": _output(release)},
        },
    }
    return _inert(content)


def _input(release: Release) -> dict[str, Any]:
    known = release.preprocessing.dtype == "uint8"
    return _tensor(
        "image", "magnitude", release.modality or "n/a", ["image"] * release.channels
    ) | {
        "spatial_shape": release.image_size,
        "dtype": "float32",
        "value_range": BYTE_RANGE if known else [],
    }


def _output(release: Release) -> dict[str, Any]:
    """Return what the columns of the outputs are, put side by side."""
    columns = [
        *(f"probability of {name}" for name in release.classes),
        "confidence",
        "decision: 1 answered, 0 referred",
        f"scope score: in scope from {release.scope.threshold:.6g}",
    ]
    return _tensor("probabilities", "classes", "n/a", columns) | {
        "spatial_shape": [],
        "dtype": "float64",
        "value_range": [],
    }


def _tensor(kind: str, form: str, modality: str, channels: list[str]) -> dict[str, Any]:
    return {
        "type": kind,
        "format": form,
        "modality": modality,
        "num_channels": len(channels),
        "is_patch_data": False,
        "channel_def": {str(place): name for place, name in enumerate(channels)},
    }


def _inert(content: Any) -> Any:
    """Return metadata whose texts are text: MONAI evaluates what begins with a dollar sign.

    >>> _inert({"task": "$exit(1)"})
    {'task': ' $exit(1)'}
    """
    if isinstance(content, str):
        text = printable(content)
        return f" {text}" if text.startswith(("$", "@", "%")) else text
    if isinstance(content, dict):
        return {key: _inert(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_inert(value) for value in content]
    return content

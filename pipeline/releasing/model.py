"""What of a release computes: networks, calibrator and likeness, and the program they make."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as tensor_bytes

from pipeline.calibrators import Calibrator
from pipeline.errors import InputError, located
from pipeline.folders import MANIFEST
from pipeline.releasing.exported_calibrators import exportable, require_equal
from pipeline.releasing.likeness import FITTED, Likeness
from pipeline.releasing.manifest import LIKENESS, Member, Release
from pipeline.releasing.program import Program
from pipeline.releasing.reading import Released
from pipeline.training import Classifier, restore_classifier


@dataclass(frozen=True)
class Model:
    """All parts of a released program but its thresholds.

    Attributes
    ----------
    weights : sequence of Path
        Each member's safetensors file, which a release copies.
    members : sequence of Classifier
    calibrator : Calibrator
    likeness : Likeness
    """

    weights: Sequence[Path]
    members: Sequence[Classifier]
    calibrator: Calibrator
    likeness: Likeness

    def program(self, *, threshold: float | None, scope_threshold: float) -> Program:
        """Return the module that a release exports."""
        return Program(
            self.members,
            exportable(self.calibrator),
            self.likeness,
            threshold=threshold,
            scope_threshold=scope_threshold,
        )

    def write(self, release: Release, folder: Path) -> None:
        """Write the weights, all as safetensors, where the manifest says."""
        for member, source in zip(release.members, self.weights, strict=True):
            shutil.copyfile(source, folder / member.weights)
        parts = {name: self.likeness.get_buffer(name) for name in FITTED}
        (folder / LIKENESS).write_bytes(tensor_bytes(parts))


UNFIT = (
    SafetensorError, OSError, RuntimeError, TypeError, ValueError, LookupError, AttributeError,
)  # fmt: skip
"""What torch, safetensors and calibrators raise of parts that are none of a release's."""


def restore_model(released: Released) -> Model:
    """Return the parts of a release, to be put together anew with another calibrator or rule.

    Raises
    ------
    InputError
        If weights cannot be read, or networks, calibrator and scope do not fit one another: hashes
        that match say who packed a release, not that it works.
    """
    release, folder = released.release, released.folder
    weights = [folder / member.weights for member in release.members]
    members = []
    for member, path in zip(release.members, weights, strict=True):
        with _fitting(path, f"weights of the network that {MANIFEST} states"):
            members.append(restore_classifier(_record(release, member), load_file(path)))
    with _fitting(folder / LIKENESS, "the numbers of a scope"):
        likeness = Likeness(load_file(folder / LIKENESS), release.image_size)
    with _fitting(folder / MANIFEST, "networks, a calibrator and a scope that fit one another"):
        model = Model(weights, members, released.calibrator, likeness)
        _try(model, release)
    return model


@contextmanager
def _fitting(path: Path, expected: str) -> Iterator[None]:
    """Say in a line that a part is not what was expected, in place of a library's many."""
    try:
        with located(path):
            yield
    except InputError:
        raise
    except UNFIT as error:
        message = f"{path}: {expected} expected, got others"
        raise InputError(message) from error


def _try(model: Model, release: Release) -> None:
    """Put an empty image through the model, and logits of any size through the calibrator.

    Raises what a part raises that does not take them.
    """
    logits = np.outer(np.linspace(-9.0, 9.0, 41), np.arange(len(release.classes)))
    require_equal(exportable(model.calibrator), model.calibrator, logits)
    program = model.program(threshold=None, scope_threshold=release.scope.threshold).eval()
    with torch.no_grad():
        program(torch.zeros(1, release.channels, *release.image_size))


def _record(release: Release, member: Member) -> Mapping[str, Any]:
    """Return what training's `run.json` says of a network."""
    return {
        "network": release.network.model_dump(),
        "image_size": release.image_size,
        "channels": release.channels,
        "classes": release.classes,
        "cosine_head": member.cosine_head,
        "normalisation": {"mean": member.mean, "sd": member.sd},
        "logit_scale": member.logit_scale,
    }

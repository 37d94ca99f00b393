"""What of a release computes: networks, calibrator and likeness, and the program they make."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from safetensors.torch import save as tensor_bytes

from pipeline.calibrators import Calibrator
from pipeline.releasing.exported_calibrators import exportable
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


def restore_model(released: Released) -> Model:
    """Return the parts of a release, to be put together anew with another calibrator or rule."""
    release, folder = released.release, released.folder
    weights = [folder / member.weights for member in release.members]
    members = [
        restore_classifier(_record(release, member), load_file(path))
        for member, path in zip(release.members, weights, strict=True)
    ]
    return Model(
        weights=weights,
        members=members,
        calibrator=released.calibrator,
        likeness=Likeness(load_file(folder / LIKENESS), release.image_size),
    )


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

"""Write a release: whole and proved, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.folders import MANIFEST, whole_folder
from pipeline.hashes import HASHES, write_hashes
from pipeline.json_files import write_json
from pipeline.releasing.bundle import write_bundle
from pipeline.releasing.exported_calibrators import AGREE_WITHIN, exportable, require_equal
from pipeline.releasing.exporting import (
    Outputs,
    export,
    load_onnx,
    load_program,
    write_onnx,
    write_program,
)
from pipeline.releasing.manifest import CARD, LICENCE, ONNX, PROGRAM, Release
from pipeline.releasing.model import Model
from pipeline.releasing.signing import require_key, sign
from pipeline.shapes import Logits, Probabilities

PACKAGES = ("onnx", "onnxruntime", "onnxscript")

STORED_WITHIN = 1e-3
"""Largest difference of a probability from what the study stored: devices round otherwise."""


@dataclass(frozen=True)
class Proof:
    """What a program is tried on before it is released.

    Attributes
    ----------
    logits : sequence of float array, (cases, classes)
        On which the exported calibrator must be the calibrator.
    images : array, (cases, *spatial, channels)
        Prepared; the exported programs must agree on them.
    probabilities : float array, (cases, classes)
        Of the same cases, as they are known from elsewhere.
    """

    logits: Sequence[Logits]
    images: np.ndarray
    probabilities: Probabilities


def require_packages() -> None:
    """Raise `InputError` where a package is absent that writes or proves a release."""
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        message = f"a release needs {', '.join(missing)}: pip install 'calibrated-imaging[release]'"
        raise InputError(message)


def write_release(
    target: Path,
    release: Release,
    model: Model,
    card: str,
    proof: Proof,
    *,
    key: Path | None = None,
) -> None:
    """Write a release's folder, which appears only if all that is in it was proved.

    Parameters
    ----------
    target : Path
        A new folder.
    release : Release
        What it says of itself.
    model : Model
        What computes; its thresholds are those of the release.
    card : str
        Markdown.
    proof : Proof
    key : Path, optional
        A private SSH key to sign with.

    Raises
    ------
    InputError
        If a package is absent, the exported calibrator is not the calibrator, the programs for
        torch and ONNX Runtime do not agree with one another and with what is known, or the key
        does not sign; nothing is written then.
    """
    require_packages()
    if key is not None:
        require_key(key)
    program = model.program(
        threshold=release.rule.threshold, scope_threshold=release.scope.threshold
    )
    for logits in proof.logits:
        require_equal(exportable(model.calibrator), model.calibrator, logits)
    exported = export(program, (release.channels, *release.image_size))
    with whole_folder(target, new=True) as folder:
        for name in ("configs", "docs", "models"):
            (folder / name).mkdir()
        model.write(release, folder)
        write_program(exported, folder / PROGRAM)
        write_onnx(exported, folder / ONNX)
        _require_agreement(folder, proof)
        write_bundle(release, folder)
        write_json(release.model_dump(mode="json"), folder / MANIFEST)
        (folder / CARD).write_text(card, encoding="utf-8")
        (folder / LICENCE).write_text(_licence(release), encoding="utf-8")
        write_hashes(folder)
        if key is not None:
            sign(folder / HASHES, key)


def _require_agreement(folder: Path, proof: Proof) -> None:
    torch_s = load_program(folder / PROGRAM)(proof.images)
    onnx_s = load_onnx(folder / ONNX)(proof.images)
    _require_close("ONNX Runtime's", onnx_s, torch_s["probabilities"], AGREE_WITHIN)
    if num_other := int((onnx_s["decision"] != torch_s["decision"]).sum()):
        message = f"equal decisions expected of torch and ONNX Runtime, got {num_other} other ones"
        raise InputError(message)
    _require_close("the exported program's", torch_s, proof.probabilities, STORED_WITHIN)


def _require_close(whose: str, found: Outputs, known: Probabilities, within: float) -> None:
    difference = float(np.abs(found["probabilities"] - known).max(initial=0.0))
    # Written so that NaN fails it too.
    if not difference <= within:
        message = f"{whose} probabilities must be within {within:g}, got {difference:.3g}"
        raise InputError(message)


def _licence(release: Release) -> str:
    return (
        "Of the weights and this bundle: not stated; ask whom it comes from.\n"
        f"Of the data that it was trained on: {release.provenance.licence}.\n"
    )

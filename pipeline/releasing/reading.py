"""Open a release: every hash first, then the signature, then what it says of itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.calibrators import Calibrator, from_json
from pipeline.config.reading import check_config
from pipeline.errors import InputError
from pipeline.folders import MANIFEST
from pipeline.hashes import HASHES, require_intact
from pipeline.json_files import read_json
from pipeline.provenance import package_versions
from pipeline.releasing.manifest import FORMAT, ONNX, PROGRAM, Release
from pipeline.releasing.signing import require_signature

PACKAGE = "calibrated-imaging"


@dataclass(frozen=True)
class Released:
    """A release whose files are as they were packed.

    Attributes
    ----------
    folder : Path
    release : Release
        What it says of itself.
    sha256 : str
        Of its SHA256SUMS, which names the whole release.
    signer : str or None
        Who signed it; None where nobody asked.
    """

    folder: Path
    release: Release
    sha256: str
    signer: str | None = None

    @property
    def program(self) -> Path:
        """The program for torch."""
        return self.folder / PROGRAM

    @property
    def onnx(self) -> Path:
        """The program for ONNX Runtime."""
        return self.folder / ONNX

    @cached_property
    def calibrator(self) -> Calibrator:
        """The fitted calibrator."""
        return from_json(self.release.calibrator.state)


def read_release(folder: Path, *, allowed_signers: Path | None = None) -> Released:
    """Return a release after checking all its files.

    Parameters
    ----------
    folder : Path
        As `pipeline release` wrote it.
    allowed_signers : Path, optional
        Those whose signature is asked for, see `pipeline.releasing.signing.require_signature`.

    Raises
    ------
    InputError
        If it is no release; a file is missing, was added or has changed; it is not signed by one of
        those allowed; or a later format, or another version of this package, wrote it.
    """
    if not (folder / HASHES).is_file() or not (folder / MANIFEST).is_file():
        message = f"{folder}: a release expected, with {MANIFEST} and {HASHES}"
        raise InputError(message)
    _require_no_linked_folder(folder)
    require_intact(folder)
    signer = require_signature(folder / HASHES, allowed_signers) if allowed_signers else None
    release = _read_manifest(folder / MANIFEST)
    digest = hashlib.sha256((folder / HASHES).read_bytes()).hexdigest()
    return Released(folder=folder, release=release, sha256=digest, signer=signer)


def _require_no_linked_folder(folder: Path) -> None:
    """Raise `InputError` where a link leads to a folder: what was added there nobody would see."""
    for path in folder.rglob("*"):
        if path.is_symlink() and path.is_dir():
            message = f"{path}: a folder expected, got a link to one"
            raise InputError(message)


def _read_manifest(path: Path) -> Release:
    """Return what a release says of itself, if this version of the package wrote it.

    Reading and preparing an image is this package's code: another version may make other pixels of
    it, and no guarantee is about those.
    """
    content = read_json(path)
    stated = content.get("version", FORMAT) if isinstance(content, dict) else FORMAT
    if stated != FORMAT:
        message = f"{path}: format {FORMAT} expected, which this version reads, got {stated!r:.20}"
        raise InputError(message)
    release = check_config(content, Release, place=path)
    packed, here = release.provenance.versions.get(PACKAGE), package_versions()[PACKAGE]
    if packed != here:
        message = f"{path}: packed by {PACKAGE} {packed}, this is {here}: install that one"
        raise InputError(message)
    return release

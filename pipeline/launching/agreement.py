"""Whether a worker would compute what this machine would: the same code, the same versions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.provenance import PACKAGE_FOLDER, UNKNOWN, package_versions, source_revision

OURS = "calibrated-imaging"
"""Of our own package the code is compared, not the version, which workers need not install."""


@dataclass(frozen=True)
class Identity:
    """What must be the same on every machine that trains for one plan.

    Attributes
    ----------
    versions : dict of str to str
        Of Python and of the packages that results depend on.
    sources : str
        SHA-256 of every module of the pipeline.
    revision : str
        The commit that is checked out; unknown where the code came without git.
    """

    versions: dict[str, str]
    sources: str
    revision: str


def own_identity() -> Identity:
    """Return this process's own."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE_FOLDER.rglob("*.py")):
        name = path.relative_to(PACKAGE_FOLDER).as_posix()
        digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return Identity(package_versions(), digest.hexdigest(), source_revision())


def require_agreement(here: Identity, there: Identity, *, place: str) -> None:
    """Raise `InputError` that says in what a worker differs from the machine that launches.

    >>> here = Identity({"torch": "2.13.0"}, "a", "unknown")
    >>> require_agreement(here, Identity({"torch": "2.12.0"}, "a", "unknown"), place="10.0.0.2")
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: worker 10.0.0.2 is not like this machine: torch 2.12.0, here 2.13.0
    """
    if found := "; ".join(_differences(here, there)):
        message = f"worker {place} is not like this machine: {found}"
        raise InputError(message)


def _differences(here: Identity, there: Identity) -> Iterator[str]:
    for name, version in here.versions.items():
        other = there.versions.get(name, "not installed")
        if name != OURS and other != version:
            yield f"{name} {other}, here {version}"
    if UNKNOWN not in (here.revision, there.revision) and here.revision != there.revision:
        yield f"commit {there.revision}, here {here.revision}"
    elif here.sources != there.sources:
        yield "another code of the pipeline"

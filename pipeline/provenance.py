"""Where a result comes from: code, versions, and hashes of everything that went into it."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("calibrated-imaging", "lightning-fabric", "monai", "numpy", "torch")
PACKAGE_FOLDER = Path(__file__).parent
UNKNOWN = "unknown"


def fingerprint(*parts: Any) -> str:
    """Return the SHA-256, in hexadecimal, of some JSON values: equal values, equal hash.

    >>> fingerprint({"b": 1, "a": [2]}) == fingerprint({"a": [2], "b": 1})
    True
    >>> fingerprint("a", "b") == fingerprint("ab")
    False
    """
    text = json.dumps(parts, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def array_sha256(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's type, shape and values.

    >>> array_sha256(np.zeros(2)) == array_sha256(np.zeros((2, 1)))
    False
    """
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def source_hashes(modules: Iterable[str], *, follow: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of the source of some modules and of what they import, by module.

    Parameters
    ----------
    modules : iterable of str
        Full names, such as ``pipeline.losses.gce``; a package stands for all of its modules.
    follow : iterable of str
        Packages whose modules count where they are imported; others change no result.
    """
    prefixes = tuple(f"{each}." for each in follow)
    found: dict[str, str] = {}
    waiting = [each for name in modules for each in _expanded(name)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        source = _source_path(name).read_bytes()
        found[name] = hashlib.sha256(source).hexdigest()
        waiting += [each for each in _imports(source) if each.startswith(prefixes)]
    return dict(sorted(found.items()))


def _expanded(name: str) -> Iterator[str]:
    path = _source_path(name)
    if path.name != "__init__.py":
        yield name
        return
    for each in sorted(path.parent.glob("*.py")):
        yield name if each.name == "__init__.py" else f"{name}.{each.stem}"


def _source_path(name: str) -> Path:
    path = PACKAGE_FOLDER.parent.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _imports(source: bytes) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            # `from package import module` names a module, `from module import name` does not.
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if _source_path(inner).is_file() else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def source_revision(root: Path = PACKAGE_FOLDER.parent) -> str:
    """Return the commit that is checked out, or "unknown" without git or a repository."""
    return _git("rev-parse", "HEAD", root=root) or UNKNOWN


def has_uncommitted_changes(root: Path = PACKAGE_FOLDER.parent) -> bool:
    """Return whether code or configs differ from the commit, or there is none to compare with."""
    if source_revision(root) == UNKNOWN:
        return True
    return bool(_git("status", "--porcelain", "--", "pipeline", "configs", root=root))


def _git(*arguments: str, root: Path) -> str:
    git = shutil.which("git")
    # Only the project's own repository counts, not one that it happens to lie in.
    if git is None or not (root / ".git").exists():
        return ""
    done = subprocess.run(  # noqa: S603, the arguments are those above
        [git, "-C", str(root), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on; imports none."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found

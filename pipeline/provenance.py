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
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


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
    """Return a SHA-256 of what some modules and those they import say, by module.

    It is the hash of a module's syntax tree without docstrings: formatting, comments and docstrings
    may change and it stays; a number, a name, a default, an annotation or any other string may not.

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
        tree = ast.parse(_source_path(name).read_bytes())
        waiting += [each for each in _imports(tree) if each.startswith(prefixes)]
        _drop_docstrings(tree)
        found[name] = fingerprint(_plain(tree))
    return dict(sorted(found.items()))


def _drop_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]


def _plain(part: Any) -> Any:
    """Return a part of a syntax tree as JSON values, without its place in the file."""
    # `ast.dump` and `ast.unparse` write other texts in other versions of Python: empty fields come
    # and go, quotes and brackets move. The names and values of the fields that are filled stay.
    if isinstance(part, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(part) if value not in (None, []))
        return [type(part).__name__, {name: _plain(value) for name, value in fields}]
    if isinstance(part, list):
        return [_plain(each) for each in part]
    return repr(part)


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


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
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

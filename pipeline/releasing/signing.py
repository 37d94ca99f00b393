"""Signatures by the keys that people have already: `ssh-keygen -Y sign` and `-Y verify`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from pipeline.errors import InputError

NAMESPACE = "calibrated-imaging"
"""What a signature is for: one made for anything else, such as a git commit, does not count."""


def sign(file: Path, key: Path) -> Path:
    """Sign a file with a private SSH key; return the signature, which lies beside it as ``.sig``.

    An agent, or a terminal, is asked for the passphrase of a key that has one.

    Raises
    ------
    InputError
        If there is no such key or no ``ssh-keygen``, or it does not sign.
    """
    require_key(key)
    done = _ssh_keygen("-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key), str(file))
    if done.returncode:
        message = f"{key}: cannot sign: {_last_line(done)}"
        raise InputError(message)
    return file.with_name(f"{file.name}.sig")


def require_key(key: Path) -> None:
    """Raise `InputError` where there is no key to sign with."""
    if not key.is_file():
        message = f"{key}: no such file: a private SSH key expected"
        raise InputError(message)


def require_signature(file: Path, allowed_signers: Path) -> str:
    """Return who signed a file: one of those whom a file of allowed signers lists.

    Parameters
    ----------
    file : Path
        Its signature lies beside it as ``.sig``.
    allowed_signers : Path
        As ``ssh-keygen(1)`` describes it under ALLOWED SIGNERS: who, and their public key.

    Raises
    ------
    InputError
        If there is no signature, or it is another's, of another file, or for something else.
    """
    signature = file.with_name(f"{file.name}.sig")
    if not allowed_signers.is_file():
        message = f"{allowed_signers}: no such file: a list of allowed signers expected"
        raise InputError(message)
    if not signature.is_file():
        message = f"{signature.parent} is not signed: {signature.name} expected"
        raise InputError(message)
    lists = ("-f", str(allowed_signers), "-s", str(signature))
    found = _ssh_keygen("-Y", "find-principals", *lists)
    signers = found.stdout.decode(errors="replace").splitlines()
    if found.returncode or not signers:
        message = f"{signature} is of nobody whom {allowed_signers} allows"
        raise InputError(message)
    proof = ("-Y", "verify", *lists, "-n", NAMESPACE, "-I", signers[0])
    if _ssh_keygen(*proof, content=file.read_bytes()).returncode:
        message = f"{signature} is no signature of {file.name} by {signers[0]}"
        raise InputError(message)
    return signers[0]


def _ssh_keygen(*arguments: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        message = "signatures need ssh-keygen, of OpenSSH 8.2 or later, which is not here"
        raise InputError(message)
    return subprocess.run(  # noqa: S603, the arguments are those above
        [program, *arguments], input=content, capture_output=True, check=False
    )


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"ssh-keygen ended with {done.returncode}"

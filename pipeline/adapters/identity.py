"""Keep who a patient is out of everything that leaves `acquire`: keys become keyed hashes."""

from __future__ import annotations

import hmac
import os
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path

from pipeline.errors import InputError
from pipeline.identifiers import plain_identifier

KEY_VARIABLE = "PIPELINE_IDENTITY_KEY"
KEY_FILE = Path("data/.identity_key")
MASK = "~"


@dataclass(frozen=True)
class Pseudonyms:
    """Give every identifier a name that only the holder of the key can tie to it.

    The name is the first 80 bits of HMAC-SHA256 (RFC 2104) over the kind and the value: equal
    values get equal names, in whatever form of Unicode they are spelt, and without the key no list
    of possible values can be tried. So do the spellings of one patient, see `plain_patient`.
    """

    key: bytes

    def __post_init__(self) -> None:
        """Refuse a key that could be guessed."""
        if len(self.key) < 16:
            message = f"an identity key needs at least 16 bytes, got {len(self.key)}"
            raise InputError(message)

    def __call__(self, kind: str, value: str) -> str:
        """Return 20 hexadecimal digits that stand for the value of a kind (patient, series ...)."""
        plain = plain_patient if kind == "patient" else partial(unicodedata.normalize, "NFC")
        return self._digest(kind, plain(value))[:20]

    def of_content(self, sha256: str) -> str:
        """Return 64 hexadecimal digits that stand for the hash of a file.

        The plain hash would tell whoever has a copy that it is of this data set.
        """
        return self._digest("content", sha256)

    def _digest(self, kind: str, value: str) -> str:
        # A file's name may hold bytes that are no text, which Python shows as surrogates.
        message = f"{kind}\0{value}".encode("utf-8", "surrogateescape")
        return hmac.digest(self.key, message, "sha256").hex()


def plain_patient(patient: str) -> str:
    """Return a patient's identifier in one spelling, in capitals as most headers have it.

    A table that went through a spreadsheet, and two scanners, spell one patient in two ways, who
    would then be trained on and tested. Two patients who differ in spelling alone become one, which
    costs no guarantee.

    >>> plain_patient("0042.0"), plain_patient(" p-07")
    ('42', 'P-07')
    """
    return plain_identifier(patient).upper()


def load_pseudonyms() -> Pseudonyms:
    """Return the pseudonyms of this project.

    The key is the environment's PIPELINE_IDENTITY_KEY, else the content of
    ``data/.identity_key``, which is made on first use, readable by its owner alone. Another key
    gives every patient another name: keep it where the data is prepared, and nowhere else.
    """
    if stated := os.environ.get(KEY_VARIABLE):
        return Pseudonyms(stated.encode())
    if not KEY_FILE.is_file():
        _make_key_file()
    return Pseudonyms(KEY_FILE.read_bytes().strip())


def _make_key_file() -> None:
    KEY_FILE.parent.mkdir(parents=True, exist_ok=True)
    unfinished = KEY_FILE.with_name(f"{KEY_FILE.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    try:
        # A link fails where the name exists, so of two first users one key wins for both.
        KEY_FILE.hardlink_to(unfinished)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()


def hide_names(name: str, hashed: Callable[[str, str], str], public: Set[str] = frozenset()) -> str:
    """Return a path whose parts are hashed, but for those that are one of the public words.

    Who exports images names folders and files after patients, whatever the headers say: no part
    can be told to name nobody. Public words are in Unicode's composed form (NFC).

    >>> hide_names("ill/Doe_Jane.png", lambda kind, part: "5f3a", {"ill"})
    'ill/~5f3a'
    """
    parts = [unicodedata.normalize("NFC", part) for part in name.split("/")]
    return "/".join(part if part in public else MASK + hashed("path", part) for part in parts)


def find_sources(folder: Path, sources: Iterable[str], pseudonyms: Pseudonyms) -> dict[str, Path]:
    """Return the file that each (masked) path stands for.

    Raises `InputError` if the folder holds no such file (any more), or the key is another than the
    one that masked it.
    """
    found = trace_sources(folder, sources, pseudonyms)
    for source, path in found.items():
        if not path.is_file():
            message = (
                f"{source}: no such file below the data set's folder, or another identity key than "
                "it was acquired with: bring it back, or run acquire again"
            )
            raise InputError(message)
    return found


def trace_sources(folder: Path, sources: Iterable[str], pseudonyms: Pseudonyms) -> dict[str, Path]:
    """Return the place that each (masked) path stands for, whatever is there."""
    listings: dict[Path, dict[str, Path]] = {}

    def below(here: Path, part: str) -> Path:
        if not part.startswith(MASK) and os.path.lexists(here / part):
            return here / part
        if here not in listings:
            children = here.iterdir() if here.is_dir() else ()
            # By plain names too: one may begin with the mask's sign, or be in another form.
            listings[here] = {
                name: child for child in children for name in _names_of(child.name, pseudonyms)
            }
        return listings[here].get(part, here / part)

    return {source: reduce(below, source.split("/"), folder) for source in sources}


def _names_of(name: str, pseudonyms: Pseudonyms) -> tuple[str, str]:
    return unicodedata.normalize("NFC", name), hide_names(name, pseudonyms)

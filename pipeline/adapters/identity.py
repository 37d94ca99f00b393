"""Keep who a patient is out of everything that leaves `acquire`: keys become keyed hashes."""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path, PurePosixPath

from pipeline.errors import InputError

KEY_VARIABLE = "PIPELINE_IDENTITY_KEY"
KEY_FILE = Path("data/.identity_key")
MASK = "~"
_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 3


@dataclass(frozen=True)
class Pseudonyms:
    """Give every identifier a name that only the holder of the key can tie to it.

    The name is the first 80 bits of HMAC-SHA256 (RFC 2104) over the kind and the value: equal
    values get equal names, and without the key no list of possible values can be tried.
    """

    key: bytes

    def __post_init__(self) -> None:
        """Refuse a key that could be guessed."""
        if len(self.key) < 16:
            message = f"an identity key needs at least 16 bytes, got {len(self.key)}"
            raise InputError(message)

    def __call__(self, kind: str, value: str) -> str:
        """Return 20 hexadecimal digits that stand for the value of a kind (patient, series ...)."""
        digest = hmac.digest(self.key, f"{kind}\0{value}".encode(), "sha256")
        return digest.hex()[:20]


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


@dataclass(frozen=True)
class Identifiers:
    """What one file says of who is in it; lives in memory while a folder is acquired.

    Attributes
    ----------
    texts : tuple of str
        Names, patient and accession numbers, dates of birth.
    uids : tuple of str
        UIDs, which count as a whole: their parts are everybody's.
    """

    texts: tuple[str, ...] = ()
    uids: tuple[str, ...] = ()

    def fragments(self) -> set[str]:
        """Return what gives the person away wherever it stands inside a name, in lower case."""
        whole = {text.lower() for text in (*self.texts, *self.uids)}
        return {text for text in whole | set(_words(self.texts)) if len(text) >= _SHORTEST}

    def labels(self) -> set[str]:
        """Return what gives the person away where it is a whole name or word, in lower case."""
        names = {word for word in _words(self.texts) if not word.isdigit()}
        return {text.lower() for text in (*self.texts, *self.uids) if text} | names


def masked_path(
    path: PurePosixPath, own: Identifiers, everyone: set[str], pseudonyms: Pseudonyms
) -> str:
    """Return a relative path in which every part that names somebody is a keyed hash.

    Parameters
    ----------
    path : PurePosixPath
        Relative to the data set's folder.
    own : Identifiers
        What this file says: a part that contains a fragment of it is masked.
    everyone : set of str
        The `labels` of all files of the folder: a part that has one as its stem or among its words
        is masked. It covers files that cannot be read themselves.
    """
    fragments = own.fragments()

    def names_somebody(part: str) -> bool:
        lowered = part.lower()
        candidates = {lowered, lowered.rsplit(".", 1)[0], *_words([part])}
        return any(each in lowered for each in fragments) or not everyone.isdisjoint(candidates)

    parts = (_masked(each, pseudonyms) if names_somebody(each) else each for each in path.parts)
    return "/".join(parts)


def find_sources(folder: Path, sources: Iterable[str], pseudonyms: Pseudonyms) -> dict[str, Path]:
    """Return the file that each (masked) path stands for.

    Raises
    ------
    InputError
        If the folder holds no such file (any more), or the key is another than the one that
        masked it.
    """
    listings: dict[Path, dict[str, Path]] = {}

    def below(here: Path, part: str) -> Path:
        if not part.startswith(MASK):
            return here / part
        if here not in listings:
            children = here.iterdir() if here.is_dir() else ()
            listings[here] = {_masked(child.name, pseudonyms): child for child in children}
        # A name of the folder's own may begin with the mask's sign.
        return listings[here].get(part, here / part)

    found = {source: reduce(below, source.split("/"), folder) for source in sources}
    for source, path in found.items():
        if not path.is_file():
            message = f"{source}: no such file below the data set's folder: run acquire again"
            raise InputError(message)
    return found


def _masked(part: str, pseudonyms: Pseudonyms) -> str:
    return MASK + pseudonyms("path", part)


def _words(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (word.lower() for word in _WORD.findall(text))

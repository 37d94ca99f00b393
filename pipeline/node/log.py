"""The log of decisions, ``decisions.jsonl``: each once, whenever the process is killed."""

from __future__ import annotations

import json
import os
import re
from itertools import chain, count
from pathlib import Path

from pipeline.node.queue import Queue
from pipeline.node.storage import append_durably, sync_folder

DECISIONS = "decisions.jsonl"

_SAFE = re.compile(r"[^0-9a-f]")
"""What no hash has, and no name of ours."""


def log_decisions(queue: Queue, path: Path) -> int:
    """Append the decisions that the log lacks, a line each; return how many.

    The queue knows how long the log was when it was last confirmed. What stands beyond that was
    appended by a process that was killed before it could confirm: it is what is to be appended now,
    or its beginning. A log that was moved away begins anew: all that it holds may be such a
    beginning. What else has no end of a line, as a power cut leaves it, is cut off.
    """
    confirmed, reports = queue.unlogged()
    if not reports:
        return 0
    pending = "".join(each.decision for each in reports).encode()
    append_durably(path, pending[_num_begun(path, confirmed, pending) :])
    queue.logged(path.stat().st_size, reports)
    return len(reports)


def begin_log(queue: Queue, path: Path, release: str) -> Path | None:
    """Put another release's log away; return where it is now, None where none was in the way.

    A monitor reads the log of one release. What that log still lacks is appended before.

    Parameters
    ----------
    queue : Queue
    path : Path
    release : str
        Who decides from now on, as decisions name it.
    """
    log_decisions(queue, path)
    earlier = _release_of(path)
    if earlier in ("", release):
        return None
    named = f"{path.stem}-{_SAFE.sub('', earlier)[:16]}"
    ends = chain([""], (f"-{number}" for number in count(2)))
    targets = (path.with_name(f"{named}{end}{path.suffix}") for end in ends)
    target = next(each for each in targets if not each.exists())
    path.rename(target)
    sync_folder(path.parent)
    return target


def _release_of(path: Path) -> str:
    """Return the release that the first line of a log names; nothing where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        try:
            return str(json.loads(file.readline())["release"])
        except (ValueError, TypeError, KeyError):
            return ""


def _num_begun(path: Path, confirmed: int, pending: bytes) -> int:
    """Return how much of what is to be appended stands there; cut off a torn line of else."""
    num_bytes = path.stat().st_size if path.is_file() else 0
    for start in (0, confirmed):
        begun = num_bytes - start
        # A long log is not read, since it cannot be the beginning of what is to come.
        if begun == 0 or (0 < begun <= len(pending) and pending.startswith(_after(path, start))):
            return begun
    start = confirmed if confirmed < num_bytes else 0
    os.truncate(path, start + _after(path, start).rfind(b"\n") + 1)
    return 0


def _after(path: Path, num_bytes: int) -> bytes:
    with path.open("rb") as file:
        file.seek(num_bytes)
        return file.read()

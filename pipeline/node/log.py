"""The log of decisions, ``decisions.jsonl``: each once, whenever the process is killed."""

from __future__ import annotations

import json
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
    or its beginning. A log that was moved away begins anew.
    """
    confirmed, reports = queue.unlogged()
    if not reports:
        return 0
    pending = "".join(each.decision for each in reports).encode()
    tail = _after(path, confirmed)
    if tail is not None and pending.startswith(tail):
        pending = pending[len(tail) :]
    append_durably(path, pending)
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


def _after(path: Path, num_bytes: int) -> bytes | None:
    """Return what a file holds beyond some bytes; None if it has fewer."""
    if not path.is_file() or path.stat().st_size < num_bytes:
        return None
    with path.open("rb") as file:
        file.seek(num_bytes)
        return file.read()

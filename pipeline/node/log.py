"""The log of decisions, ``decisions.jsonl``: each once, whenever the process is killed."""

from __future__ import annotations

from pathlib import Path

from pipeline.node.queue import Queue
from pipeline.node.storage import append_durably

DECISIONS = "decisions.jsonl"


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


def _after(path: Path, num_bytes: int) -> bytes | None:
    """Return what a file holds beyond some bytes; None if it has fewer."""
    if not path.is_file() or path.stat().st_size < num_bytes:
        return None
    with path.open("rb") as file:
        file.seek(num_bytes)
        return file.read()

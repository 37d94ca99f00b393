"""Is a release's guarantee still worth its paper? From a log of decisions, and labels if any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.artifacts import whole_folder, write_json
from pipeline.errors import InputError
from pipeline.folders import require_new
from pipeline.monitoring.decision_log import read_decisions
from pipeline.monitoring.label_file import read_labels
from pipeline.monitoring.page import page
from pipeline.monitoring.record import record
from pipeline.monitoring.verdict import Verdict, verdict
from pipeline.monitoring.watching import watch
from pipeline.releasing import Released

__all__ = ["Verdict", "monitor"]


def monitor(
    released: Released, logs: Sequence[Path], *, labels: Path | None, out: Path | None
) -> Verdict:
    """Return whether the guarantee holds as far as can be told.

    Everything is read anew: nothing is kept from one look to the next, so none can be lost.

    Parameters
    ----------
    released : Released
    logs : sequence of Path
        Decisions of this release, see `read_decisions`.
    labels : Path, optional
        See `read_labels`.
    out : Path, optional
        A new or empty folder, which gets ``index.html`` and ``monitor.json``.

    Raises
    ------
    InputError
        Naming the file and line that cannot be believed; nothing is written then.
    """
    if not logs:
        message = "at least one log of decisions expected, got none"
        raise InputError(message)
    if out is not None:
        require_new(out)
    release = released.release
    log = read_decisions(logs, release=released.sha256, classes=release.classes)
    told = None if labels is None else read_labels(labels, log, release.classes)
    seen = watch(release, log, told)
    found = verdict(seen)
    if out is not None:
        with whole_folder(out, new=True) as folder:
            (folder / "index.html").write_text(
                page(seen, found, sha256=released.sha256), encoding="utf-8"
            )
            write_json(record(seen, found, sha256=released.sha256), folder / "monitor.json")
    return found

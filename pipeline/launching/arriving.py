"""A trained seed that comes from another machine, checked and put in its place."""

from __future__ import annotations

from pipeline.artifacts import read_json, write_json
from pipeline.checkpoints import Checkpoint
from pipeline.errors import InputError
from pipeline.hashes import HASHES, require_intact
from pipeline.launching.agreement import Identity
from pipeline.launching.worker import Delivery
from pipeline.provenance import UNKNOWN, has_uncommitted_changes


def keep_delivery(delivery: Delivery, checkpoint: Checkpoint, identity: Identity) -> None:
    """Write a delivered seed's files, if they are as the worker wrote them.

    Where the code went to the worker without git, the record gets the commit that it went from:
    the code is the same.

    Raises
    ------
    InputError
        If a file is missing, strange or changed on its way.
    """
    with checkpoint.finishing() as folder:
        for name, content in delivery.files.items():
            if "/" in name or name.startswith("."):
                message = f"a delivered file must have a plain name, got {name!r}"
                raise InputError(message)
            (folder / name).write_bytes(content)
        require_intact(folder)
        # It is written anew, once the record is complete.
        (folder / HASHES).unlink()
        record = read_json(folder / "run.json")
        if record["revision"] == UNKNOWN:
            record |= {"revision": identity.revision, "dirty": has_uncommitted_changes()}
            write_json(record, folder / "run.json")

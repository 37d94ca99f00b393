"""DVC's database of the files that it hashed: within the project, for its owner's eyes alone.

It holds the path of every file below a data set's own folder, which may name patients. Left to
itself DVC keeps it where every user of the machine may read it, and after the project is gone.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import InputError

STATE = ".dvc-state"
"""What `.dvc/config` calls the folder, as `core.site_cache_dir`."""

OWNER_ALONE = 0o700


def close_state(root: Path) -> None:
    """Make the folder for its owner alone, whether or not DVC made it already, for everybody.

    Raises `InputError` if the folder is another user's.
    """
    folder = root / STATE
    try:
        folder.mkdir(mode=OWNER_ALONE, exist_ok=True)
        if folder.stat().st_mode & 0o777 != OWNER_ALONE:
            folder.chmod(OWNER_ALONE)
    except OSError as error:
        message = f"{folder}: a folder expected that is yours alone to read: {error.strerror}"
        raise InputError(message) from error

"""Files that may name a patient: their owner alone reads them."""

from __future__ import annotations

import os
from pathlib import Path

OWNER_ALONE = 0o600


def write_private(content: bytes, path: Path) -> None:
    """Write a new file that its owner alone reads."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)

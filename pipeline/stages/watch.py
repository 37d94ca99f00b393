"""Watch: say whether anything in a data set's own folder changed, without saying what is in it."""

from __future__ import annotations

from pathlib import Path

from pipeline.adapters.folder_listing import folder_state
from pipeline.adapters.identity import load_pseudonyms
from pipeline.config import read_dataset
from pipeline.errors import InputError, located
from pipeline.json_files import write_json


def run(key: str, *, root: Path) -> None:
    """Write data/watched/KEY.json, which differs when the folder does.

    DVC depends on it in the place of the folder, of which it would follow no link, stop at a broken
    one, and remember every name.

    Raises
    ------
    InputError
        If the data set has no config or no folder of its own, or the folder is absent.
    """
    dataset = read_dataset(root / "configs", key)
    with located(root / "configs" / "datasets" / f"{key}.yaml"):
        folder = dataset.arguments.get("folder")
        if not isinstance(folder, str):
            message = "key 'arguments.folder': a folder to watch expected, got none"
            raise InputError(message)
        state = load_pseudonyms().of_content(folder_state(Path(folder)))
    write_json({"state": state}, root / "data" / "watched" / f"{key}.json")

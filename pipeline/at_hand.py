"""Which studies could run here: those whose data, and GPU if they need one, are at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.acquiring import MIRROR_VARIABLE, file_digest, mirrors
from pipeline.adapters import EMBEDDED
from pipeline.config import (
    Dataset,
    SourceFile,
    Study,
    expand_plan,
    read_config,
    read_dataset,
)


def studies_at_hand(root: Path, *, fetch: bool = False) -> tuple[list[str], dict[str, str]]:
    """Return the studies that could run here, and why each of the others could not.

    The embedded study is first; a reason is the first thing that is missing, and how many more are.

    `root` has ``configs/studies`` and perhaps ``data/raw``; with `fetch` a file that has a public
    URL counts as at hand.

    Raises `InputError` if a study, or a file that it names, is not valid.
    """
    names = sorted(path.stem for path in (root / "configs/studies").glob("*.yaml"))
    reasons = {name: list(_missing_of_study(root, name, fetch=fetch)) for name in names}
    possible = [name for name in names if not reasons[name]]
    return sorted(possible, key=lambda name: name != "quick"), {
        name: missing[0] + (f", and {len(missing) - 1} more" if len(missing) > 1 else "")
        for name, missing in reasons.items()
        if missing
    }


def _missing_of_study(root: Path, study: str, *, fetch: bool) -> Iterator[str]:
    if read_config(root / f"configs/studies/{study}.yaml", Study).needs_gpu and not _has_gpu():
        yield f"it needs a GPU; `plan {study}` plans it all the same"
    for name in expand_plan([study], root / "configs").datasets:
        if (root / "data/raw" / name).is_dir():
            continue
        dataset = read_dataset(root / "configs", name)
        yield from (f"{name}: {each}" for each in _missing(root, dataset, fetch=fetch))


def _missing(root: Path, dataset: Dataset, *, fetch: bool) -> Iterator[str]:
    if dataset.adapter in EMBEDDED:
        return
    folder = dataset.arguments.get("folder")
    if folder and not (root / folder).is_dir():
        yield f"the folder {folder} does not exist"
    for file in dataset.files:
        if not (_is_in_a_mirror(file) or (fetch and file.url)):
            public = f" (public: {file.url})" if file.url else ""
            yield f"{file.name} is in no folder of {MIRROR_VARIABLE}{public}"


def _has_gpu() -> bool:
    # Imported where a study needs to know: it takes more than a second.
    import torch

    return torch.cuda.is_available()


def _is_in_a_mirror(file: SourceFile) -> bool:
    algorithm, expected = file.checksum
    held = (directory / file.name for directory in mirrors())
    return any(path.is_file() and file_digest(path, algorithm) == expected for path in held)

"""Pictures in one folder a class, zipped or not, with an optional table of what is known of them.

Paths are ``CLASS/...`` or, where a data set keeps the official splits, ``SPLIT/CLASS/...``. A table
takes the place of the class folders: its rows name files and give labels, patients, sites and more.

What is listed under `files` is public and kept as it is. A team's own folder (`folder`) and table
stay where they are: what is acquired is an index in which file names and patients are hashed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from pipeline.acquiring import acquire_files
from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.file_tree import open_tree, write_tree
from pipeline.adapters.folder_cases import rows_without_files
from pipeline.adapters.folder_listing import FAULTS, canonical_path
from pipeline.adapters.identity import Pseudonyms, hide_names, load_pseudonyms
from pipeline.adapters.label_table import (
    Labelled,
    LabelTableArguments,
    label_rows,
    read_labels,
    read_rows,
    write_labels,
)
from pipeline.adapters.pictures import Picture, PictureDecoder, read_pictures
from pipeline.config import Dataset
from pipeline.config.reading import Strict
from pipeline.splits import SPLITS

LABELS = "labels.parquet"


class Arguments(Strict):
    """What a data set of this format may state.

    `folder` is a team's own; without it the zip that the config lists is read. `inside` is the
    folder within either under which the classes (or splits) lie. `labels` is a table keyed by file,
    its path relative to `inside`; with `files` the table is one of them.
    """

    folder: str | None = None
    inside: str = ""
    labels: LabelTableArguments | None = None


def acquire(raw: Path, dataset: Dataset) -> None:
    """Acquire the listed files, or an index of the team's own folder; and the table of labels."""
    arguments = dataset.arguments_as(Arguments)
    table = arguments.labels
    inside = _inside(arguments)
    if arguments.folder is None:
        acquire_files(raw, dataset)
        shown: Callable[[str, str], str] = _as_it_is
        if table is not None:
            table = table.model_copy(update={"table": str(raw / table.table)})
    else:
        pseudonyms = load_pseudonyms()
        public = {*map(_composed, dataset.classes), *SPLITS, *inside.parts}
        shown = partial(_hidden, pseudonyms, frozenset(public))
        leave_out = None if table is None else Path(table.table)
        folder = Path(arguments.folder)
        write_tree(raw, folder, pseudonyms=pseudonyms, public=public, leave_out=leave_out)
    if table is not None:
        keyed = partial(_keyed, inside, shown)
        write_labels(label_rows(read_rows(table), table, dataset.classes, keyed), raw / LABELS)


def read(raw: Path, dataset: Dataset) -> Iterator[Case | Quarantined]:
    """Yield the pictures below `inside` in the order of their paths, and what is left out and why.

    Raises `InputError` if there is no archive or index, or a file went missing since it was
    acquired.
    """
    arguments = dataset.arguments_as(Arguments)
    folder = None if arguments.folder is None else Path(arguments.folder)
    pseudonyms = None if folder is None else load_pseudonyms()
    table = arguments.labels
    labels = None if table is None else read_labels(raw / LABELS)
    classes = [*map(_composed, dataset.classes)]
    layout = Layout(_inside(arguments), classes, dataset.splits.official, labels)
    with open_tree(raw, folder, pseudonyms) as tree:
        for name, fault in tree.faults().items():
            yield Quarantined(name, fault, FAULTS[fault])
        placed: dict[str, Labelled] = {}
        names = tree.names()
        for name in names:
            each = layout(name)
            if each.fault:
                yield Quarantined(name, each.fault, each.advice)
            else:
                placed[name] = each
        if table is not None and labels is not None and not table.allow_rows_without_files:
            yield from rows_without_files(labels.values(), set(names), "file")
        decoder = PictureDecoder(dataset.channels, tuple(dataset.image_size))
        shown = str if pseudonyms is None else pseudonyms.of_content
        for picture in read_pictures(tree, placed, decoder):
            if isinstance(picture, Quarantined):
                yield picture
            else:
                yield _case(picture, placed[picture.name], shown(picture.sha256))


@dataclass(frozen=True)
class Layout:
    """Tell what a picture is of: from the table where there is one, else from its folders.

    `inside` and `classes` are spelt as the tree's paths are, in Unicode's composed form.
    """

    inside: PurePosixPath
    classes: list[str]
    has_splits: bool
    labels: dict[str, Labelled] | None

    def __call__(self, name: str) -> Labelled:
        """Return what is known of a path; `fault` says why it cannot be used."""
        if self.labels is not None:
            advice = "give the file a row in the table of labels"
            return self.labels.get(name, Labelled(name, fault="no label", advice=advice))
        path = PurePosixPath(name)
        is_below = path.is_relative_to(self.inside)
        folders = path.relative_to(self.inside).parts[:-1] if is_below else ()
        split = folders[0] if self.has_splits and folders else None
        folders = folders[1:] if self.has_splits else folders
        if not folders or folders[0] not in self.classes:
            advice = f"put it into a folder named after a class: {', '.join(self.classes[:10])}"
            return Labelled(name, fault="in no class's folder", advice=advice)
        return Labelled(name, label=self.classes.index(folders[0]), split=split)


def _case(picture: Picture, labelled: Labelled, sha256: str) -> Case:
    return Case(
        case=picture.name,
        image=picture.image,
        label=labelled.label,
        patient=labelled.patient or picture.name,
        patient_is="patient" if labelled.patient else "image",
        source=picture.name,
        source_sha256=sha256,
        split=labelled.split,
        site=labelled.site,
        sex=labelled.sex,
        age=labelled.age,
        truth=labelled.truth,
    )


def _inside(arguments: Arguments) -> PurePosixPath:
    return PurePosixPath(canonical_path(arguments.inside)) if arguments.inside else PurePosixPath()


def _composed(word: str) -> str:
    return unicodedata.normalize("NFC", word)


def _as_it_is(_kind: str, value: str) -> str:
    return value


def _hidden(pseudonyms: Pseudonyms, public: frozenset[str], kind: str, value: str) -> str:
    """Hash a value whole, or a path part by part, so that its classes stay readable."""
    if kind == "file":
        return hide_names(value, pseudonyms, public)
    return pseudonyms(kind, value)


def _keyed(inside: PurePosixPath, shown: Callable[[str, str], str], kind: str, value: str) -> str:
    """Turn what the table says into what the tree says: its files are relative to `inside`."""
    return shown(kind, (inside / value).as_posix() if kind == "file" else value)

"""Tiny-ImageNet in its official layout, as its zip or unpacked in a folder.

Layout: ``wnids.txt`` lists the classes, ``train/WNID/images/*.JPEG``, and ``val/images/*.JPEG``
with their classes in ``val/val_annotations.txt``. The official test images have no labels and are
left out. The official val is what others test on: a data set's `divide` makes it our test, and
takes the cases that calibrators and thresholds need from train.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.acquiring import acquire_files
from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.file_tree import FileTree, open_tree, write_tree
from pipeline.adapters.folder_listing import FAULTS
from pipeline.adapters.pictures import Picture, PictureDecoder, read_pictures
from pipeline.adapters.refused import Refused
from pipeline.config import Dataset
from pipeline.config.reading import Strict
from pipeline.errors import InputError, located

TRAIN = re.compile(r"(?P<top>(?:[^/]+/)?)train/(?P<wnid>n\d+)/images/[^/]+\.JPEG")
VAL = re.compile(r"(?P<top>(?:[^/]+/)?)val/images/(?P<file>[^/]+\.JPEG)")


class Arguments(Strict):
    """`folder` is an unpacked copy; without it the zip that the config lists is read."""

    folder: str | None = None


def acquire(raw: Path, dataset: Dataset) -> None:
    """Acquire the zip, or an index of the unpacked folder."""
    arguments = dataset.arguments_as(Arguments)
    if arguments.folder is None:
        acquire_files(raw, dataset)
    else:
        write_tree(raw, Path(arguments.folder))


def read(raw: Path, dataset: Dataset) -> Iterator[Case | Quarantined]:
    """Yield the images of train and val, with these as their official splits.

    Raises `InputError` if the tree lacks its lists of classes, or they are not the data set's.
    """
    arguments = dataset.arguments_as(Arguments)
    folder = None if arguments.folder is None else Path(arguments.folder)
    with open_tree(raw, folder) as tree:
        for name, fault in tree.faults().items():
            yield Quarantined(name, fault, FAULTS[fault])
        with located(raw):
            wnids = _read_wnids(tree, dataset.classes)
        decoder = PictureDecoder(dataset.channels, tuple(dataset.image_size))
        for picture in read_pictures(tree, wnids, decoder):
            if isinstance(picture, Quarantined):
                yield picture
            else:
                yield _case(picture, wnids[picture.name], dataset)


def _read_wnids(tree: FileTree, classes: list[str]) -> dict[str, str]:
    """Return the class of every train and val picture by its path, empty where it has none."""
    names = tree.names()
    top = _top(names)
    _require_classes(_read_text(tree, f"{top}wnids.txt"), classes)
    lines = _read_text(tree, f"{top}val/val_annotations.txt").splitlines()
    annotated = dict(line.split("\t")[:2] for line in lines if "\t" in line)
    wnids = {}
    for name in names:
        if train := TRAIN.fullmatch(name):
            wnids[name] = train["wnid"]
        elif val := VAL.fullmatch(name):
            wnids[name] = annotated.get(val["file"], "")
    return wnids


def _top(names: list[str]) -> str:
    """Return the folder that everything lies in, with its slash."""
    tops = [name.removesuffix("wnids.txt") for name in names if Path(name).name == "wnids.txt"]
    if len(tops) != 1:
        message = f"one wnids.txt expected, got {len(tops)}"
        raise InputError(message)
    return tops[0]


def _require_classes(listed: str, classes: list[str]) -> None:
    strangers = sorted(set(listed.split()) ^ set(classes))
    if strangers:
        message = (
            f"wnids.txt and the data set's classes differ in {len(strangers)}: {strangers[:3]}"
        )
        raise InputError(message)


def _read_text(tree: FileTree, name: str) -> str:
    if name not in tree.names():
        message = f"{name} is missing"
        raise InputError(message)
    try:
        return tree.read(name).decode("utf-8")
    except (Refused, UnicodeDecodeError) as error:
        message = f"{name}: {error}"
        raise InputError(message) from error


def _case(picture: Picture, wnid: str, dataset: Dataset) -> Case | Quarantined:
    if wnid not in dataset.classes:
        return Quarantined(picture.name, "no label", "give it a line in val_annotations.txt")
    case = Path(picture.name).stem
    return Case(
        case=case,
        image=picture.image,
        label=dataset.classes.index(wnid),
        patient=case,
        source=picture.name,
        source_sha256=picture.sha256,
        split="train" if case.startswith("n") else "val",
    )

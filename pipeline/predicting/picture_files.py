"""New pictures: each is a patient and a study of its own, since none says whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pipeline.adapters import Case, Quarantined
from pipeline.adapters.file_facts import FileFacts
from pipeline.adapters.file_tree import read_bounded
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.pictures import Decoder, decode_pictures
from pipeline.predicting.inputs import InputFile
from pipeline.predicting.reading import Reading, Sources, unread
from pipeline.releasing import Release

SUFFIXES = (
    "", ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff",
    # Pictures all the same: that no reader here reads them is a reason to refer.
    ".bmp", ".gif", ".webp", ".heic", ".jp2",
)  # fmt: skip


def read_pictures(files: Sources, release: Release, pseudonyms: Pseudonyms) -> Reading:
    """Return files as `pipeline.adapters.image_folder` reads them, wherever they lie."""
    facts = {source: unread(source, file, pseudonyms) for source, file in files.items()}
    without_image = {
        source: "no picture"
        for source, file in files.items()
        if not (file.fault or file.suffix in SUFFIXES)
    }
    sound = {
        source: file
        for source, file in files.items()
        if source not in without_image and not file.fault
    }
    faulty = (
        Quarantined(source, file.fault, file.advice) for source, file in files.items() if file.fault
    )
    decoder = Decoder(release.channels, tuple(release.image_size))
    cases = faulty, _decoded(sound, facts, decoder)
    return Reading(facts, (each for part in cases for each in part), without_image)


def _decoded(
    files: Sources, facts: dict[str, FileFacts], decoder: Decoder
) -> Iterator[Case | Quarantined]:
    contents = ((source, partial(read_bounded, file.path)) for source, file in files.items())
    num_bytes = sum(map(_size_of, files.values()))
    for picture in decode_pictures(contents, decoder, num_bytes=num_bytes):
        if isinstance(picture, Quarantined):
            yield picture
            continue
        key = facts[picture.name].file
        yield Case(
            case=key,
            image=picture.image,
            label=-1,
            patient=key,
            source=picture.name,
            source_sha256=picture.sha256,
        )


def _size_of(file: InputFile) -> int:
    try:
        return file.path.stat().st_size
    except OSError:
        return 0

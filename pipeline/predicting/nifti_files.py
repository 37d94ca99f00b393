"""New NIfTI files: each volume is a patient and a study of its own, since none says whose it is."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.adapters.folder_cases import screened, separated
from pipeline.adapters.folder_index import FileFacts
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.label_table import Labelled
from pipeline.adapters.nifti import (
    NiftiDecoder,
    NiftiReadingArguments,
    NiftiScanner,
    decode_labelled,
)
from pipeline.config.reading import check_config
from pipeline.predicting.deciding import SINGLE_SLICE
from pipeline.predicting.reading import ROOT, Reading, Sources, scanned, unread
from pipeline.releasing import Release


def read_nifti(files: Sources, release: Release, pseudonyms: Pseudonyms) -> Reading:
    """Return files as `pipeline.adapters.nifti` reads them; it knows them by their names."""
    stated = release.preprocessing.arguments
    arguments = check_config(stated, NiftiReadingArguments, place="preprocessing.arguments")
    scanner = NiftiScanner(ROOT, pseudonyms, arguments.max_pixels)
    without_image = {
        source: "no NIfTI file"
        for source, file in files.items()
        if not (file.fault or scanner.wants(file.path.name))
    }
    volumes = {source: file for source, file in files.items() if source not in without_image}
    facts = scanned(volumes, scanner)
    other = _single_slices(facts) if release.spatial_dims == 3 else {}
    # One by one: two files of the same bytes are two, since their names alone say whose they are.
    sound, faulty = separated(
        found
        for each in facts.values()
        if each.source not in other
        for found in screened([each], max_pixels=arguments.max_pixels)
    )
    labelled = [(each, Labelled(each.file, patient=each.file)) for each in sound]
    paths = {source: file.path for source, file in volumes.items()}
    decoder = NiftiDecoder(arguments, release.image_size, release.channels)
    cases = (*faulty,), decode_labelled(labelled, paths, decoder)
    facts |= {source: unread(source, files[source], pseudonyms) for source in without_image}
    return Reading(facts, (each for part in cases for each in part), without_image, other)


def _single_slices(facts: Mapping[str, FileFacts]) -> dict[str, str]:
    """Return what would be volumes of one slice: images given to who reads volumes."""
    return {
        source: SINGLE_SLICE
        for source, each in facts.items()
        if not each.fault and 1 in (each.num_rows, each.num_columns, each.num_frames)
    }

"""How fast DICOM is read, and in how much memory: beside a bare pydicom loop and MONAI.

Run as ``python -m benchmarks dicom``, or ``python -m benchmarks.dicom [slices] [volumes]``. Speed
is that of one process on one core, with the files in the system's cache. Memory is the peak of a
process of its own that runs the stages acquire and prepare.
"""

from __future__ import annotations

import csv
import multiprocessing
import resource
import sys
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import yaml
from pydicom import Dataset as Header
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    generate_uid,
)

from benchmarks.timing import at_least, at_most, fixed_threads, print_table, time_side_by_side
from pipeline.adapters import Case, dicom
from pipeline.adapters.dicom.opening import quiet
from pipeline.adapters.dicom.pixels import decoded_planes
from pipeline.config import Dataset
from pipeline.stages import acquire, prepare

SIDE = 512
ROUNDS = 5
VOLUME_SIDE = 32
SHARE_OF_VOLUMES = 10
"""Memory is also measured with this part of the volumes."""

SLICES_A_SECOND = 400
TIME_OF_BARE_LOOP = 1.2
TIMES_MONAI = 8
MEMORY_GROWTH = 0.1
"""Of the size of the volumes that were added; it is the table of cases that may grow."""

MEGABYTE = 2**20


def run(num_slices: int = 500, num_volumes: int = 10_000) -> None:
    """Print the tables of speed and memory."""
    print(f"{fixed_threads()} threads, {num_slices} slices, {num_volumes} volumes")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # First, because a process starts with the peak of the one that started it.
        compare_memory(folder, num_volumes)
        write_series(folder / "series", num_slices)
        compare_speed(folder)


def compare_speed(folder: Path) -> None:
    """Time a series read slice by slice, by this reader and by others."""
    paths = sorted((folder / "series").iterdir())
    dataset = slices_config(folder, paths)
    raw = folder / "raw"
    raw.mkdir()
    dicom.acquire(raw, dataset)
    bare, ours, whole, monai = "bare pydicom loop", "this reader", "to uint8 cases", "MONAI"
    timing = time_side_by_side(
        {
            bare: lambda: [read_bare(path) for path in paths],
            ours: lambda: [read_ours(path) for path in paths],
            whole: lambda: read_cases(raw, dataset, len(paths)),
            monai: partial(read_with_monai, paths[0].parent),
        },
        rounds=ROUNDS,
    )
    to_bare = {name: timing.ratio(name, bare) for name in timing.rounds}
    rates = {name: len(paths) / timing.seconds(name) for name in timing.rounds}
    times_monai = timing.ratio(monai, ours)
    verdicts = {
        bare: "",
        ours: f"{at_least(rates[ours], SLICES_A_SECOND)}, "
        f"time {at_most(to_bare[ours], TIME_OF_BARE_LOOP)}",
        whole: "with labels, screening, window and rounding",
        monai: f"{times_monai:.1f} x slower than this reader {at_least(times_monai, TIMES_MONAI)}",
    }
    rows = [[name, f"{rates[name]:.0f}", f"{to_bare[name]:.2f}", verdicts[name]] for name in rates]
    title = f"{SIDE} x {SIDE}, 16 bits, uncompressed, rescaled to float32; one core"
    print_table(title, ["", "slices/s", "time of bare", ""], rows)


def compare_memory(folder: Path, num_volumes: int) -> None:
    """Show that the peak of a tenth of the volumes is that of all, but for their table."""
    few, many = max(num_volumes // SHARE_OF_VOLUMES, 3), num_volumes
    peaks = {number: peak_bytes(folder / f"{number}", number) for number in (few, many)}
    volume_bytes = VOLUME_SIDE**3 * np.dtype(np.float32).itemsize
    growth = (peaks[many] - peaks[few]) / ((many - few) * volume_bytes)
    rows = [
        [str(number), f"{number * volume_bytes / MEGABYTE:.0f}", f"{peak / MEGABYTE:.0f}"]
        for number, peak in peaks.items()
    ]
    title = f"acquire and prepare volumes of {VOLUME_SIDE}^3 voxels, decoded as float32"
    print_table(title, ["volumes", "their size, MB", "peak memory, MB"], rows)
    print(f"of every byte added, {growth:.3f} stays in memory: {at_most(growth, MEMORY_GROWTH)}")


def read_bare(path: Path) -> np.ndarray:
    """Return a slice in hounsfield, as a loop over pydicom alone would."""
    header = pydicom.dcmread(path)
    values = header.pixel_array.astype(np.float32)
    return values * np.float32(header.RescaleSlope) + np.float32(header.RescaleIntercept)


def read_ours(path: Path) -> np.ndarray:
    """Return a slice in hounsfield, checked before it is believed."""
    with quiet():
        (plane,) = decoded_planes(path, [0], max_pixels=2**28, presented=True)
    return plane.values


def read_cases(raw: Path, dataset: Dataset, num_slices: int) -> None:
    """Read all that `prepare` would, and keep none of it."""
    num_read = sum(isinstance(each, Case) for each in dicom.read(raw, dataset))
    if num_read != num_slices:
        message = f"{num_slices} cases expected, got {num_read}"
        raise RuntimeError(message)


def read_with_monai(series: Path) -> object:
    """Return a series as MONAI's own reader gives it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from monai.transforms import LoadImage

        return LoadImage(reader="PydicomReader")(series)


def slices_config(folder: Path, paths: list[Path]) -> Dataset:
    """Return the config of a series whose slices are cases, as wide as they are."""
    table = folder / "slices.csv"
    write_table(table, [path.name for path in paths])
    return Dataset.model_validate(config(folder / "series", table, [SIDE, SIDE], case="image"))


def config(folder: Path, table: Path, size: list[int], **arguments: Any) -> dict[str, Any]:
    """Return what a data set's file says of a folder whose labels are keyed by file."""
    labels = {"table": str(table), "key": "file", "key_column": "key"}
    return {
        "title": "Benchmark",
        "adapter": "dicom",
        "arguments": {"folder": str(folder), "labels": labels, "workers": 1} | arguments,
        "classes": ["a", "b"],
        "image_size": size,
        "channels": 1,
        "splits": {
            "divide": {
                "all": {"train": 0.4, "val": 0.1, "calibration": 0.2, "threshold": 0.1, "test": 0.2}
            }
        },
        "licence": "none",
        "citation": "none",
    }


def peak_bytes(root: Path, num_volumes: int) -> int:
    """Return the most memory that a process of its own held while it prepared so many volumes."""
    write_volumes(root / "files", num_volumes)
    table = root / "volumes.csv"
    write_table(table, [path.name for path in sorted((root / "files").iterdir())])
    stated = config(root / "files", table, [VOLUME_SIDE] * 3, case="series", window="tag")
    path = root / "configs" / "datasets" / "volumes.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(stated), encoding="utf-8")
    # An executor's processes may start others, as acquire does for so many files; a pool's may not.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(prepare_volumes, root, num_volumes).result()


def prepare_volumes(root: Path, num_volumes: int) -> int:
    """Run both stages and return this process's peak in bytes."""
    acquire.run("volumes", root=root)
    prepare.run("volumes", root=root)
    images = np.load(root / "data" / "prepared" / "volumes" / "images.npy", mmap_mode="r")
    if len(images) != num_volumes:
        message = f"{num_volumes} volumes expected, got {len(images)}"
        raise RuntimeError(message)
    # Linux counts kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def write_table(path: Path, keys: list[str]) -> None:
    """Write a table of labels in which the two classes take turns."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = [[key, "ab"[number % 2]] for number, key in enumerate(keys)]
        csv.writer(file).writerows([["key", "label"], *rows])


def write_series(folder: Path, num_slices: int) -> None:
    """Write a series of noise about the values of water."""
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).normal(1024, 20, (SIDE, SIDE)).astype(np.int16)
    series = generate_uid(entropy_srcs=["series"])
    for number in range(num_slices):
        # No two files are the same, or the second would be a duplicate.
        header = grey_header(pixels + np.int16(number), f"slice {number}")
        header.SeriesInstanceUID = header.StudyInstanceUID = series
        header.PatientID, header.InstanceNumber = "one", number + 1
        header.ImagePositionPatient = [0, 0, number]
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        header.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)


def write_volumes(folder: Path, number: int) -> None:
    """Write one multi-frame file a volume, of one patient each."""
    folder.mkdir(parents=True)
    shape = (VOLUME_SIDE, VOLUME_SIDE, VOLUME_SIDE)
    for volume in range(number):
        random = np.random.default_rng(volume)
        header = grey_header(random.integers(900, 1200, shape, np.int16), f"volume {volume}")
        header.SOPClassUID = MultiFrameGrayscaleWordSecondaryCaptureImageStorage
        header.SeriesInstanceUID = header.StudyInstanceUID = header.SOPInstanceUID
        header.PatientID = f"{volume}"
        header.save_as(folder / f"{volume:05d}.dcm", enforce_file_format=True)


def grey_header(pixels: np.ndarray, name: str) -> Header:
    """Return a CT image around (rows, columns) or (frames, rows, columns) pixels."""
    header = Header()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, generate_uid(entropy_srcs=[name])
    header.PixelSpacing = [0.75, 0.75]
    header.RescaleSlope, header.RescaleIntercept = 1, -1024
    header.WindowCenter, header.WindowWidth = 40, 400
    header.PhotometricInterpretation, header.SamplesPerPixel = "MONOCHROME2", 1
    if pixels.ndim == 3:
        header.NumberOfFrames = len(pixels)
    header.Rows, header.Columns = pixels.shape[-2:]
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
    header.PixelRepresentation = 1
    header.PixelData = pixels.tobytes()
    header["PixelData"].VR = "OW"
    return header


if __name__ == "__main__":
    run(*map(int, sys.argv[1:]))

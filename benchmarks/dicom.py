"""How fast DICOM is read, and in how much memory: beside a bare pydicom loop and MONAI.

Run as ``python -m benchmarks.dicom [slices]``. All figures of a run come from the same files, one
after the other, on one core; the best of three is shown.
"""

from __future__ import annotations

import csv
import multiprocessing
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom import Dataset as Header
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from pipeline.adapters import dicom
from pipeline.adapters.dicom.opening import quiet
from pipeline.adapters.dicom.pixels import decoded_planes
from pipeline.config import Dataset

SIDE = 512
REPEATS = 3
SERIES_IN_SMALL_FOLDER, SERIES_IN_LARGE_FOLDER = 4, 16
SLICES_IN_FOLDER_SERIES = 40


def run(num_slices: int = 500) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(SERIES_IN_LARGE_FOLDER):
            write_series(folder / "large" / str(number), SLICES_IN_FOLDER_SERIES)
            if number < SERIES_IN_SMALL_FOLDER:
                write_series(folder / "small" / str(number), SLICES_IN_FOLDER_SERIES)
        # First, because a process starts with the peak of the one that started it.
        compare_memory(folder)
        write_series(folder / "series", num_slices)
        compare_speed(sorted((folder / "series").iterdir()))


def compare_speed(paths: list[Path]) -> None:
    rates = {
        "bare pydicom loop": rate(lambda: [bare(path) for path in paths], len(paths)),
        "this reader": rate(lambda: [ours(path) for path in paths], len(paths)),
        "MONAI LoadImage": rate(lambda: with_monai(paths[0].parent), len(paths)),
    }
    own = rates["this reader"]
    print(f"{len(paths)} slices of {SIDE} x {SIDE}, 16 bits, rescaled to float32, one core")
    for name, slices_a_second in rates.items():
        print(f"{name:>20} {slices_a_second:8.0f} slices/s {own / slices_a_second:8.2f} x")


def compare_memory(folder: Path) -> None:
    print(f"peak memory of reading series of {SLICES_IN_FOLDER_SERIES} slices as volumes")
    for name in ("small", "large"):
        num_series = len(list((folder / name).iterdir()))
        print(f"{num_series:>13} series {peak_megabytes(folder, name):8.0f} MB")


def rate(read: Callable[[], object], num_slices: int) -> float:
    """Return slices a second, of the fastest of several readings."""
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - started)
    return num_slices / min(seconds)


def bare(path: Path) -> np.ndarray:
    header = pydicom.dcmread(path)
    values = header.pixel_array.astype(np.float32)
    return values * np.float32(header.RescaleSlope) + np.float32(header.RescaleIntercept)


def ours(path: Path) -> np.ndarray:
    with quiet():
        (plane,) = decoded_planes(path, [0], max_pixels=2**28, presented=True)
    return plane.values


def with_monai(series: Path) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from monai.transforms import LoadImage

        return LoadImage(reader="PydicomReader")(series)


def peak_megabytes(folder: Path, name: str) -> float:
    """Return the most memory that a process of its own held while it read a folder."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(read_volumes, (folder, name))


def read_volumes(folder: Path, name: str) -> float:
    raw = folder / f"raw-{name}"
    raw.mkdir()
    series = sorted((folder / name).iterdir())
    table = folder / f"{name}.csv"
    with table.open("w", newline="") as file:
        rows = [[series_uid(each), "a"] for each in series]
        csv.writer(file).writerows([["key", "label"], *rows])
    labels = {"table": str(table), "key": "series", "key_column": "key"}
    arguments = {"folder": str(folder / name), "labels": labels, "workers": 1}
    dataset = Dataset(
        title="benchmark",
        adapter="dicom",
        arguments=arguments,
        classes=["a", "b"],
        image_size=[64, 64, 32],
        channels=1,
        splits={"divide": {"all": {"train": 1}}},
        licence="none",
        citation="none",
    )
    dicom.acquire(raw, dataset)
    num_read = sum(1 for _ in dicom.read(raw, dataset))
    if num_read != len(series):
        message = f"{len(series)} volumes expected, got {num_read}"
        raise RuntimeError(message)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def series_uid(folder: Path) -> str:
    return generate_uid(entropy_srcs=[f"series {folder}"])


def write_series(folder: Path, num_slices: int) -> None:
    """Write a series of noise about the values of water."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    pixels = (random.normal(1024, 20, (SIDE, SIDE))).astype(np.int16)
    for number in range(num_slices):
        header = Header()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.SOPClassUID = CTImageStorage
        header.SOPInstanceUID = generate_uid(entropy_srcs=[f"{folder}/{number}"])
        header.SeriesInstanceUID = header.StudyInstanceUID = series_uid(folder)
        header.PatientID, header.InstanceNumber = folder.name, number + 1
        header.ImagePositionPatient = [0, 0, number]
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        header.PixelSpacing = [0.75, 0.75]
        header.RescaleSlope, header.RescaleIntercept = 1, -1024
        header.WindowCenter, header.WindowWidth = 40, 400
        header.PhotometricInterpretation, header.SamplesPerPixel = "MONOCHROME2", 1
        header.Rows = header.Columns = SIDE
        header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
        header.PixelRepresentation = 1
        # No two files are the same, or the second would be a duplicate.
        header.PixelData = (pixels + np.int16(number)).tobytes()
        header["PixelData"].VR = "OW"
        header.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)


if __name__ == "__main__":
    run(*map(int, sys.argv[1:]))

"""DICOM files, folders and tables for tests."""

import csv
from pathlib import Path

import gdcm
import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLosslessSV1, generate_uid

from pipeline.adapters import dicom
from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.identity import hide_names, load_pseudonyms
from tests.sources import make_dataset


def uid(*of):
    """The same UID for the same words."""
    return generate_uid(entropy_srcs=["/".join(map(str, of))])


def patient_id(name):
    """The same number for the same word, of which it shows nothing."""
    return f"ID-{uid('patient', name)[-12:]}"


def image_dataset(pixels, *, name="one", syntax=ExplicitVRLittleEndian, **elements):
    """A data set around (rows, columns) or (rows, columns, 3) pixels; elements given win."""
    pixels = np.asarray(pixels)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    bits = pixels.dtype.itemsize * 8
    stated = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": uid("image", name),
        "SeriesInstanceUID": uid("series", name),
        "StudyInstanceUID": uid("study", name),
        "PatientID": patient_id(name),
        "PatientName": "Test^Somebody",
        "Modality": "CT",
        "PhotometricInterpretation": "RGB" if pixels.ndim == 3 else "MONOCHROME2",
        "SamplesPerPixel": 3 if pixels.ndim == 3 else 1,
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PixelData": pixels.tobytes(),
    }
    if pixels.ndim == 3:
        stated["PlanarConfiguration"] = 0
    for keyword, value in (stated | elements).items():
        if value is not None:
            setattr(dataset, keyword, value)
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    return dataset


def jpeg_stream(pixels, *, bits=None, lossless=True):
    """A JPEG of (rows, columns) or (rows, columns, 3) pixels, of 8, 12 or 16 bits a sample."""
    pixels = np.ascontiguousarray(pixels)
    samples = 3 if pixels.ndim == 3 else 1
    bits = bits or pixels.dtype.itemsize * 8
    codec, space = gdcm.JPEGCodec(), gdcm.PhotometricInterpretation
    codec.SetNumberOfDimensions(2)
    codec.SetDimensions((pixels.shape[1], pixels.shape[0], 1))
    codec.SetPhotometricInterpretation(space(space.RGB if samples == 3 else space.MONOCHROME2))
    codec.SetPixelFormat(gdcm.PixelFormat(samples, bits, bits, bits - 1, 0))
    codec.SetLossless(lossless)
    plain, compressed = (gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010)) for _ in range(2))
    plain.SetByteStringValue(pixels.tobytes())
    assert codec.Code(plain, compressed)
    fragment = compressed.GetSequenceOfFragments().GetFragment(0)
    return fragment.GetByteValue().GetBuffer().encode("utf-8", "surrogateescape")


def jpeg_dataset(pixels, stream, *, syntax=JPEGLosslessSV1, **elements):
    """A data set whose header is of such pixels, and whose one frame is a stream."""
    elements = {"PixelData": encapsulate([stream])} | elements
    return image_dataset(pixels, syntax=syntax, **elements)


def write_image(path, pixels, **arguments):
    """Write `image_dataset` to a file and return its data set."""
    dataset = image_dataset(pixels, **arguments)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return dataset


def write_table(path, rows, columns=("key", "label")):
    """Write a CSV table of labels."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def folder_dataset(folder, table, *, key="file", labels=None, dataset=None, **arguments):
    """The config of a folder of DICOM files and its table."""
    stated = {"table": str(table), "key": key, "key_column": "key"} | (labels or {})
    return make_dataset(
        adapter="dicom",
        arguments={"folder": str(folder), "labels": stated} | arguments,
        **(dataset or {}),
    )


def read_folder(raw, dataset):
    """Acquire and read a folder; return its cases and what was left out."""
    raw.mkdir(exist_ok=True)
    dicom.acquire(raw, dataset)
    found = list(dicom.read(raw, dataset))
    cases = [each for each in found if isinstance(each, Case)]
    return cases, [each for each in found if isinstance(each, Quarantined)]


def revealed(source, folder="in"):
    """What a hidden path stands for, below a folder of the project that the test works in."""
    hidden, *rest = source.split(" (and ")
    names = [path.relative_to(folder).as_posix() for path in Path(folder).rglob("*")]
    known = {hide_names(name, load_pseudonyms()): name for name in names}
    return " (and ".join([known.get(hidden, hidden), *rest])

"""Small data sets for tests: their configs, their files and their tables."""

import io
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.acquiring import MIRROR_VARIABLE
from pipeline.config import Dataset

DIVIDED = {"all": {"train": 0.4, "val": 0.1, "calibration": 0.2, "threshold": 0.1, "test": 0.2}}


def make_dataset(**changes):
    """A data set of two classes and 4 x 4 grey pixels, changed where a test says so."""
    stated = {
        "title": "Small",
        "adapter": "medmnist",
        "classes": ["healthy", "ill"],
        "image_size": [4, 4],
        "channels": 1,
        "splits": {"divide": DIVIDED},
        "licence": "CC0",
        "citation": "made for a test",
    }
    return Dataset.model_validate(stated | changes)


def make_cases(labels, **columns):
    """A table as it is collected: every case its own patient, its own pixels, no official split."""
    labels = np.asarray(labels, np.int32)
    keys = [f"case-{number}" for number in range(len(labels))]
    table = {
        "case": keys,
        "patient": keys,
        "group": keys,
        "site": "north",
        "sex": "F",
        "age": np.nan,
        "label": labels,
        "source": "file.npz",
        "source_sha256": "0" * 64,
        "pixel_sha256": [f"{number:064x}" for number in range(len(labels))],
        "spacing": None,
        "truth": None,
        "official": None,
        "patient_is": "patient",
    }
    return pd.DataFrame(table | columns)


def write_medmnist(path, sizes=(12, 6, 6), shape=(4, 4), **extra):
    """A file of the MedMNIST layout with random pixels and alternating labels."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, size in zip(("train", "val", "test"), sizes, strict=True):
        arrays[f"{split}_images"] = rng.integers(0, 256, (size, *shape), np.uint8)
        arrays[f"{split}_labels"] = (np.arange(size) % 2).astype(np.uint8)[:, None]
    np.savez_compressed(path, **(arrays | extra))
    return arrays | extra


def mirrored(name):
    """A real file of the mirror; the test is skipped where it is not at hand."""
    for directory in os.environ.get(MIRROR_VARIABLE, "").split(os.pathsep):
        if directory and (Path(directory) / name).is_file():
            return Path(directory) / name
    return pytest.skip(f"{name} is in no directory of {MIRROR_VARIABLE}")


class _Python2Pickler(pickle._Pickler):
    """Write text and arrays as Python 2's cPickle did for the CIFAR archives (protocol 2)."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_text(self, content):
        self.write(pickle.BINSTRING + struct.pack("<i", len(content)) + bytes(content))
        self.memoize(content)

    dispatch[bytes] = save_text
    dispatch[str] = lambda self, text: self.save_text(text.encode())


def python_2_pickle(content):
    """The bytes that Python 2 would have written, NumPy's names as they were then."""
    buffer = io.BytesIO()
    _Python2Pickler(buffer, protocol=2).dump(content)
    return buffer.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def write_tar(path, members):
    """A .tar.gz of named bytes, below a folder as the CIFAR archives are."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def write_zip(path, members):
    """A zip of named bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def encode(pixels, kind="PNG", **options):
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(buffer, format=kind, **options)
    return buffer.getvalue()

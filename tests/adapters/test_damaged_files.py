"""Whatever one damaged file does is told of that file, and the next is read."""

import gzip
import io
import os
import zipfile
from itertools import cycle

import nibabel as nib
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from pipeline.adapters import dicom, image_folder, nifti
from pipeline.adapters.identity import hide_names, load_pseudonyms
from pipeline.errors import InputError
from pipeline.preparing import ImageSpool, collect
from tests.dicom_files import (
    folder_dataset,
    image_dataset,
    jpeg_stream,
    write_table,
)
from tests.mutants import mutants
from tests.sources import encode, make_dataset, write_zip

GREY = np.random.default_rng(0).integers(0, 256, (12, 16), np.uint8)
DEEP = GREY.astype(np.uint16) * 16
COLOURS = np.random.default_rng(1).integers(0, 256, (12, 16, 3), np.uint8)
VOLUME = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
PLACED = {
    "ImagePositionPatient": [0, 0, 1],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [1, 1],
    "RescaleSlope": 1,
    "RescaleIntercept": -1024,
    "WindowCenter": 40,
    "WindowWidth": 400,
    "PixelPaddingValue": 0,
}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """Work in a folder of its own, with a key that is always the same."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIPELINE_IDENTITY_KEY", "a key of at least sixteen bytes")
    (tmp_path / "raw").mkdir()
    return tmp_path


def damaged(sound, number):
    """So many damaged files by name, from some that are sound, each with its suffix."""
    changed = {}
    for seed, (suffix, content) in zip(range(number), cycle(sound)):
        changed[f"{seed:04}.{suffix}"] = next(mutants(content, number=1, seed=seed))
    return changed


def write_files(folder, files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def told_of(project, adapter, dataset):
    """Return the sources of the cases of what was acquired, and those of what is left out."""
    with ImageSpool(project / "spool", (*dataset.image_size, dataset.channels)) as spool:
        collected = collect(adapter.read(project / "raw", dataset), dataset, spool)
    cases = set() if collected.cases.empty else set(collected.cases["source"])
    return cases, {each.source for each in collected.quarantined}


def told_of_folder(project, adapter, dataset):
    """Return the same of a folder that is acquired first."""
    adapter.acquire(project / "raw", dataset)
    return told_of(project, adapter, dataset)


def require_each_told(project, folder, adapter, dataset):
    """Assert that every file below a folder is a case or left out, the sound one a case."""
    cases, left_out = told_of_folder(project, adapter, dataset)
    public = {"ill"} if adapter is image_folder else set()
    hidden = {
        path.name.split(".")[0]: hide_names(
            path.relative_to(folder).as_posix(), load_pseudonyms(), public
        )
        for path in folder.rglob("*.*")
    }
    assert cases | left_out == {*hidden.values()}
    assert hidden["sound"] in cases
    assert left_out


def dicom_file(pixels, compression=None, **elements):
    dataset = image_dataset(pixels, **elements)
    if compression is not None:
        dataset.compress(compression)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


STREAM = {"syntax": JPEGLosslessSV1, "PixelData": encapsulate([jpeg_stream(DEEP)])}
DICOM = [
    {"pixels": DEEP} | PLACED,
    {"pixels": DEEP, "NumberOfFrames": 3, "PixelData": 3 * DEEP.tobytes()},
    {"pixels": COLOURS},
    {"pixels": DEEP, "syntax": ImplicitVRLittleEndian},
    {"pixels": DEEP, "syntax": DeflatedExplicitVRLittleEndian},
    {"pixels": DEEP, "compression": RLELossless},
    {"pixels": DEEP, "compression": JPEGLSLossless},
    {"pixels": DEEP} | STREAM,
]
"""Files as they differ in what reads them."""


@pytest.mark.parametrize(
    ("size", "number"),
    [
        ((4, 4), 240),
        pytest.param((4, 4), 1000, marks=pytest.mark.slow),
        pytest.param((4, 4, 2), 500, marks=pytest.mark.slow),
    ],
)
def test_damaged_dicom_files_are_left_out_one_by_one(project, size, number):
    # Each is of a series of its own, and so may be a volume.
    sound = [
        ("dcm", dicom_file(name=seed, **each)) for seed, each in zip(range(number), cycle(DICOM))
    ]
    files = damaged(sound, number) | {"sound.dcm": dicom_file(name="sound", **DICOM[0])}
    folder = write_files(project / "in", files)
    table = write_table(project / "labels.csv", [(name, "ill") for name in files])
    dataset = folder_dataset(
        folder,
        table,
        case="series" if len(size) == 3 else "image",
        max_pixels=2**20,
        workers=1,
        dataset={"image_size": list(size)},
    )
    require_each_told(project, folder, dicom, dataset)


NIFTI = [
    nib.Nifti1Image(VOLUME, np.eye(4)).to_bytes(),
    nib.Nifti2Image(VOLUME, np.diag([2.0, 3, 4, 1])).to_bytes(),
    nib.Nifti1Image(np.stack([VOLUME] * 2, -1).astype(np.float32), np.eye(4)).to_bytes(),
]


@pytest.mark.parametrize("suffix", ["nii", "nii.gz"])
@pytest.mark.parametrize(
    ("size", "number"),
    [
        ((4, 4), 200),
        pytest.param((4, 4), 1000, marks=pytest.mark.slow),
        pytest.param((4, 4, 4), 500, marks=pytest.mark.slow),
    ],
)
def test_damaged_nifti_files_are_left_out_one_by_one(project, suffix, size, number):
    files = damaged([("nii", each) for each in NIFTI], number)
    files["sound.nii"] = nib.Nifti1Image(VOLUME + 1, np.eye(4)).to_bytes()
    if suffix == "nii.gz":
        # Damage within what is compressed, and without.
        files = {f"{name}.gz": gzip.compress(each, mtime=0) for name, each in files.items()}
        packed = damaged([("nii.gz", gzip.compress(each, mtime=0)) for each in NIFTI], number // 3)
        files |= {f"outer-{name}": each for name, each in packed.items()}
    folder = write_files(project / "in", files)
    rows = [(name, "ill", "P1") for name in files]
    table = write_table(project / "labels.csv", rows, ("key", "label", "who"))
    stated = {"table": str(table), "key": "file", "key_column": "key", "patient_column": "who"}
    arguments = {"folder": str(folder), "labels": stated, "max_pixels": 2**20, "workers": 1}
    dataset = make_dataset(
        adapter="nifti", image_size=list(size), arguments=arguments | {"volume": 0}
    )
    require_each_told(project, folder, nifti, dataset)


PICTURES = {
    "PNG": [("png", encode(COLOURS)), ("png", encode(GREY))],
    "JPEG": [("jpg", encode(COLOURS, "JPEG")), ("jpg", encode(GREY, "JPEG", progressive=True))],
    "TIFF": [
        ("tif", encode(COLOURS, "TIFF")),
        ("tif", encode(GREY, "TIFF", compression="tiff_lzw")),
        ("tif", encode(COLOURS, "TIFF", compression="tiff_adobe_deflate")),
        ("tif", encode(COLOURS, "TIFF", compression="jpeg")),
    ],
}

SOUND = {"sound.png": encode(GREY + 1)}


@pytest.mark.parametrize("kind", list(PICTURES))
@pytest.mark.parametrize("number", [400, pytest.param(2000, marks=pytest.mark.slow)])
def test_damaged_pictures_are_left_out_one_by_one(project, kind, number):
    folder = project / "in"
    write_files(folder / "ill", damaged(PICTURES[kind], number) | SOUND)
    dataset = make_dataset(adapter="image_folder", arguments={"folder": str(folder)})
    require_each_told(project, folder, image_folder, dataset)


def test_damaged_members_of_a_zip_are_left_out_one_by_one(project):
    sound = [each for kind in PICTURES.values() for each in kind]
    files = damaged(sound, 400) | SOUND
    files = {f"ill/{name}": content for name, content in files.items()}
    write_zip(project / "raw/f.zip", files)
    cases, left_out = told_of(project, image_folder, make_dataset(adapter="image_folder"))
    assert cases | left_out == files.keys()
    assert "ill/sound.png" in cases


@pytest.mark.parametrize("number", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_damaged_zip_is_read_as_far_as_it_can_be_or_is_refused_in_one_line(
    project, number, monkeypatch
):
    # What it claims of its members' bytes would start processes that it is not worth.
    monkeypatch.setattr("pipeline.adapters.pictures.available_cores", lambda: 1)
    path = project / "raw/f.zip"
    write_zip(path, {f"ill/{at}.png": encode(GREY + at) for at in range(4)})
    dataset = make_dataset(adapter="image_folder")
    refused, read = [], 0
    for content in mutants(path.read_bytes(), number=number):
        path.write_bytes(content)
        try:
            cases, left_out = told_of(project, image_folder, dataset)
            read += len(cases) + len(left_out)
        except InputError as error:
            refused.append(str(error))
    assert read
    assert all(each.startswith(f"{path}: ") for each in refused)


def test_an_encrypted_member_of_a_zip_is_left_out(project):
    path = project / "raw/f.zip"
    write_zip(path, {"ill/a.png": encode(GREY)} | {f"ill/{name}": SOUND[name] for name in SOUND})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the first member's general purpose bits, and again in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    found = list(image_folder.read(project / "raw", make_dataset(adapter="image_folder")))
    assert [getattr(each, "reason", "a case") for each in found] == [
        "encrypted in the archive",
        "a case",
    ]


def test_a_member_that_unfolds_too_far_is_left_out_unread(project):
    with zipfile.ZipFile(project / "raw/f.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ill/a.png", bytes(2**24 + 1))
    (left_out,) = image_folder.read(project / "raw", make_dataset(adapter="image_folder"))
    assert left_out.reason == "compressed too far to hold an image"


def test_a_zip_whose_names_are_no_text_is_refused_in_one_line(project):
    path = project / "raw/f.zip"
    write_zip(path, {"ill/\u00e4.png": encode(GREY)})
    path.write_bytes(path.read_bytes().replace("\u00e4".encode(), b"\xe4\xe4"))
    with pytest.raises(InputError, match=r"f\.zip: damaged or no \.zip archive"):
        list(image_folder.read(project / "raw", make_dataset(adapter="image_folder")))


def test_a_file_with_a_name_in_latin_1_is_read_and_the_next_too(project):
    folder = write_files(project / "in", {"sound.dcm": dicom_file(**DICOM[0], name="sound")})
    other = dicom_file(DEEP + 1, name="other", PatientID="P2")
    (folder / os.fsdecode(b"M\xfcller.dcm")).write_bytes(other)
    patient = image_dataset(DEEP, name="sound").PatientID
    table = write_table(project / "labels.csv", [(patient, "ill"), ("P2", "ill")])
    cases, left_out = told_of_folder(project, dicom, folder_dataset(folder, table, key="patient"))
    assert (len(cases), left_out) == (2, set())
    (folder / "ill").mkdir()
    (folder / "sound.dcm").unlink()
    (folder / os.fsdecode(b"M\xfcller.dcm")).rename(folder / "ill" / os.fsdecode(b"\xfc.png"))
    arguments = {"folder": str(folder)}
    dataset = make_dataset(adapter="image_folder", arguments=arguments)
    cases, left_out = told_of_folder(project, image_folder, dataset)
    assert (len(cases), len(left_out)) == (0, 1)


def test_a_file_of_two_transfer_syntaxes_is_left_out_and_the_next_is_read(project):
    content = dicom_file(DEEP, name="two")
    stated = b"1.2.840.10008.1.2.1\0"
    assert content.count(stated) == 1
    files = {
        "two.dcm": content.replace(stated, b"1.2.840.1\\1.2.840.1\0"),
        "sound.dcm": dicom_file(**DICOM[0], name="sound"),
    }
    folder = write_files(project / "in", files)
    table = write_table(project / "labels.csv", [(name, "ill") for name in files])
    cases, left_out = told_of_folder(project, dicom, folder_dataset(folder, table))
    assert (len(cases), len(left_out)) == (1, 1)

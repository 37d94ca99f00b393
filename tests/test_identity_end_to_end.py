"""Whoever is named in a hospital's files and table stays there: nothing that is written says it."""

import csv
import hashlib
import logging
import os
import stat

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom._dicom_dict import DicomDictionary

from pipeline.errors import InputError
from pipeline.stages import acquire, prepare
from tests.dicom_files import image_dataset, write_image
from tests.sources import make_dataset

NUM_PATIENTS = 20
PLANTED = "PLANTED"
BIRTH, STUDY = "19431117", "20200102"
LONGEST = {
    "AE": 16, "CS": 16, "LO": 64, "LT": 64, "PN": 64, "SH": 16, "ST": 64, "UC": 64, "UR": 64,
    "UT": 64,
}  # fmt: skip
"""Types of elements that hold text, and how long it may be."""


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """Work in a project of its own, where the identity key is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_IDENTITY_KEY", raising=False)
    return tmp_path


def pixels(number):
    return np.random.default_rng(number).integers(0, 4096, (8, 8), np.uint16)


def planted(number):
    """A data set in which every text element of the dictionary names somebody."""
    name = {"PatientID": f"{PLANTED}-{number}", "StudyDate": STUDY, "PatientBirthDate": BIRTH}
    dataset = image_dataset(pixels(number), name=f"n{number}", WindowCenter=2048, WindowWidth=4096)
    # Groups 0 and 2 say how to read a file, 28 what a pixel is, and one element what a letter is.
    technical = {0x0000, 0x0002, 0x0028}
    for tag, (kind, *_, keyword) in DicomDictionary.items():
        if kind in LONGEST and tag >> 16 not in technical and keyword != "SpecificCharacterSet":
            setattr(dataset, keyword, f"{PLANTED}_{tag:08X}"[: LONGEST[kind]])
    for keyword, value in name.items():
        setattr(dataset, keyword, value)
    block = dataset.private_block(0x0009, f"{PLANTED} MAKER", create=True)
    block.add_new(1, "LO", f"{PLANTED} PRIVATE")
    return dataset


def write_rows(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def row(number, key):
    """What a table says of a patient, more of it than the config asks for."""
    return {
        "key": key, "label": ["healthy", "ill"][number % 2], "who": f"{PLANTED}-{number}",
        "name": f"{PLANTED} Jane", "born": BIRTH, "comment": f"{PLANTED} called",
    }  # fmt: skip


def dicom_folder(root):
    """Twenty patients' slices, and with them everything that may be wrong."""
    folder = root / "in"
    rows = []
    for number in range(NUM_PATIENTS):
        path = folder / f"{PLANTED}_{number}" / f"{PLANTED}.dcm"
        path.parent.mkdir(parents=True)
        planted(number).save_as(path, enforce_file_format=True)
        rows.append(row(number, path.relative_to(folder).as_posix()))
    good = folder / f"{PLANTED}_0" / f"{PLANTED}.dcm"
    cut = planted(98)
    cut.save_as(folder / f"{PLANTED}_cut.dcm", enforce_file_format=True)
    content = (folder / f"{PLANTED}_cut.dcm").read_bytes()
    (folder / f"{PLANTED}_cut.dcm").write_bytes(content[:-9])
    (folder / f"{PLANTED}_copy.dcm").write_bytes(good.read_bytes())
    (folder / f"{PLANTED} Jane.txt").write_text(f"{PLANTED} called")
    write_image(folder / f"{PLANTED} no label.dcm", pixels(99), name="no label")
    (folder / f"{PLANTED} header.dcm").write_bytes(good.read_bytes()[:200])
    rows += [row(1, f"{PLANTED}_cut.dcm"), row(1, f"{PLANTED}_copy.dcm"), row(1, f"{PLANTED} gone")]
    rows += [row(2, f"{PLANTED}_0/{PLANTED}.dcm") | {"label": "ill"}]  # contradicts the first
    rows[3]["label"] = f"{PLANTED} carcinoma"
    write_rows(root / "labels.csv", rows)
    return {}


def nifti_folder(root):
    """Twenty patients' volumes whose headers' free texts and extensions name them."""
    rows = []
    for number in range(NUM_PATIENTS):
        image = nib.Nifti1Image(np.repeat(pixels(number)[..., None], 3, axis=2), np.eye(4))
        for field in ("descrip", "aux_file", "db_name", "intent_name"):
            image.header[field] = f"{PLANTED} {field}"[:16].encode()
        extension = nib.nifti1.Nifti1Extension("comment", f"{PLANTED} in an extension".encode())
        image.header.extensions.append(extension)
        path = root / "in" / f"{PLANTED}_{number}" / f"{PLANTED}.nii"
        path.parent.mkdir(parents=True)
        nib.save(image, path)
        rows.append(row(number, path.relative_to(root / "in").as_posix()))
    (root / "in" / f"{PLANTED}.nii").write_text(f"{PLANTED} " * 100)
    cut = root / "in" / f"{PLANTED}_1" / f"{PLANTED}.nii"
    cut.write_bytes(cut.read_bytes()[:-20])
    write_rows(root / "labels.csv", [*rows, row(1, f"{PLANTED} gone.nii")])
    return {"window": {"percentile": [0, 100]}}


def picture_folder(root):
    """Twenty patients' pictures, with text in their metadata."""
    rows = []
    for number in range(NUM_PATIENTS):
        told = PngInfo()
        told.add_text("Comment", f"{PLANTED} Jane")
        path = root / "in" / f"{PLANTED}_{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray((pixels(number) // 16).astype(np.uint8)).save(path, pnginfo=told)
        rows.append(row(number, path.name))
    (root / "in" / f"{PLANTED}.png").write_text(PLANTED)
    write_rows(root / "labels.csv", [*rows, row(1, f"{PLANTED} gone.png")])
    return {}


FOLDERS = {
    "dicom": (dicom_folder, {
        "no file for this row": 1, "no label": 1, "no DICOM file": 1, "no image in the file": 1,
        "duplicate file": 1, "label outside the classes": 1, "conflicting labels": 1,
        "pixel data cannot be decoded": 1,
    }),
    "nifti": (nifti_folder, {
        "no file for this row": 1, "no NIfTI file": 1, "voxels cannot be read": 1,
    }),
    "image_folder": (picture_folder, {"no file for this row": 1, "no label": 1}),
}  # fmt: skip


def configure(root, adapter, arguments, **changes):
    """Write the config of the folder `in` and its table."""
    labels = {
        "table": "labels.csv", "key": "file", "key_column": "key", "patient_column": "who",
    }  # fmt: skip
    dataset = make_dataset(
        adapter=adapter,
        arguments={"folder": "in", "labels": labels} | arguments,
        image_size=[8, 8],
        show_images=True,
        **({"max_quarantined_share": 0.5} | changes),
    )
    path = root / "configs/datasets/own.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(dataset.model_dump(exclude_none=True)))


def told(root, caplog, capfd):
    """Everything that two stages wrote, printed or logged, by where it was told."""
    out, err = capfd.readouterr()
    found = {"log": caplog.text, "stdout": out, "stderr": err}
    written = [path for path in (root / "data").rglob("*") if path.is_file()]
    found |= {str(path): path.read_bytes().decode("latin-1") for path in written}
    # What is compressed says nothing to a search until it is read.
    tables = [path for path in written if path.suffix == ".parquet"]
    return found | {f"{path} as a table": pd.read_parquet(path).to_csv() for path in tables}


@pytest.mark.parametrize("adapter", FOLDERS)
def test_nobody_is_named_in_anything_that_is_written_printed_or_logged(
    root, adapter, caplog, capfd
):
    caplog.set_level(logging.DEBUG)
    write, expected = FOLDERS[adapter]
    configure(root, adapter, write(root))
    acquire.run("own", root=root)
    prepare.run("own", root=root)
    everything = told(root, caplog, capfd)
    listing = next(text for place, text in everything.items() if place.endswith("/quarantine.csv"))
    reasons = [each["reason"] for each in csv.DictReader(listing.splitlines())]
    assert {reason: reasons.count(reason) for reason in reasons} == expected
    names = {place.rsplit("/", 1)[-1] for place in everything}
    assert {"cases.parquet", "card.json", "card.html", "images.npy", "quarantine.csv"} <= names
    for place, text in everything.items():
        for identifier in (PLANTED, PLANTED.lower(), "Jane", BIRTH, STUDY):
            assert identifier not in text, f"{identifier} in {place}"


@pytest.mark.parametrize("adapter", FOLDERS)
def test_a_copy_of_a_file_does_not_tell_that_it_is_in_the_data(root, adapter, caplog, capfd):
    write, _ = FOLDERS[adapter]
    configure(root, adapter, write(root))
    acquire.run("own", root=root)
    prepare.run("own", root=root)
    files = [path.read_bytes() for path in (root / "in").rglob("*") if path.is_file()]
    digests = {hashlib.new(kind, file).hexdigest() for kind in ("sha256", "md5") for file in files}
    assert len(digests) >= 2 * NUM_PATIENTS
    for place, text in told(root, caplog, capfd).items():
        assert not any(digest in text for digest in digests), place


@pytest.mark.parametrize(("umask", "of_files", "of_folders"), [
    (0o077, 0o600, 0o700), (0o027, 0o640, 0o750), (0o022, 0o644, 0o755),
])  # fmt: skip
def test_what_is_written_is_as_open_as_the_umask_says(root, umask, of_files, of_folders):
    configure(root, "image_folder", picture_folder(root), max_quarantined_share=0.01)
    before = os.umask(umask)
    try:
        acquire.run("own", root=root)
        with pytest.raises(InputError, match="more than max_quarantined_share"):
            prepare.run("own", root=root)
        configure(root, "image_folder", {})
        prepare.run("own", root=root)
    finally:
        os.umask(before)
    found = {
        path.relative_to(root).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (root / "data").rglob("*")
    }
    assert found.pop("data/.identity_key") == 0o600
    expected = {name: of_folders if (root / name).is_dir() else of_files for name in found}
    assert {"data/raw/own/files.csv", "data/prepared/own/images.npy"} <= found.keys()
    assert found == expected


@pytest.mark.parametrize("adapter", FOLDERS)
@pytest.mark.parametrize("changes", [{"on_error": "fail"}, {"max_quarantined_share": 0.01}])
def test_nobody_is_named_in_why_a_data_set_is_refused(root, adapter, changes, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    write, _ = FOLDERS[adapter]
    configure(root, adapter, write(root), **changes)
    acquire.run("own", root=root)
    with pytest.raises(InputError) as refusal:
        prepare.run("own", root=root)
    assert not (root / "data/prepared/own").exists()
    assert (root / "data/quarantine/own.csv").is_file() == ("on_error" not in changes)
    for place, text in (told(root, caplog, capfd) | {"error": str(refusal.value)}).items():
        for identifier in (PLANTED, "Jane", BIRTH, STUDY):
            assert identifier not in text, f"{identifier} in {place}"

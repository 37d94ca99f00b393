"""Whatever one damaged file does, its study ends as a referral and the next one is answered."""

import gzip
import io
import zipfile

import nibabel as nib
import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless

from pipeline.predicting.inputs import find_files
from tests.dicom_files import image_dataset
from tests.made_releases import make_release
from tests.mutants import mutants
from tests.predicting.releases import make_predictor
from tests.sources import encode

GREY = np.random.default_rng(0).integers(0, 256, (12, 16), np.uint8)
NUMBER = 60
"""Of damaged files; ten times as many where time does not matter."""


def saved(dataset):
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def dicom_file(name):
    """One of three kinds, of a patient and a study of its own."""
    kind = sum(map(ord, name)) % 3
    pixels = GREY + np.uint8(hash_of(name))
    syntax = DeflatedExplicitVRLittleEndian if kind == 2 else ExplicitVRLittleEndian
    dataset = image_dataset(pixels, name=name, syntax=syntax, WindowCenter=100, WindowWidth=200)
    if kind == 1:
        dataset.compress(RLELossless, generate_instance_uid=False)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return f"{name}.dcm", buffer.getvalue()


def nifti_file(name):
    volume = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6) + np.int16(hash_of(name))
    content = nib.Nifti1Image(volume, np.eye(4)).to_bytes()
    if hash_of(name) % 2:
        return f"{name}.nii.gz", gzip.compress(content, mtime=0)
    return f"{name}.nii", content


def picture_file(name):
    suffix, kind = [("png", "PNG"), ("jpg", "JPEG"), ("tif", "TIFF")][hash_of(name) % 3]
    return f"{name}.{suffix}", encode(GREY + np.uint8(hash_of(name)), kind)


def hash_of(name):
    return sum(map(ord, name)) % 256


RELEASES = {
    "dicom": (dicom_file, {}),
    "nifti": (nifti_file, {"image_size": [4, 4, 4]}),
    "picture": (picture_file, {}),
}


def write_damaged(folder, make_file, number):
    """Write files of one study each, all of them damaged but the last one."""
    folder.mkdir()
    for seed in range(number):
        name, content = make_file(f"{seed:04}")
        (folder / name).write_bytes(next(mutants(content, number=1, seed=seed)))
    name, content = make_file("sound")
    (folder / name).write_bytes(content)


def require_accounted(folder, release):
    scratch = folder.parent / "scratch"
    scratch.mkdir()
    predicted = make_predictor(folder, release).predict(find_files([folder], scratch))
    assert len(predicted.fates) == len(list(folder.iterdir()))
    studies = {(each.decision.patient, each.decision.study) for each in predicted.decided}
    assert {each.study for each in predicted.fates} - {None} == studies
    assert {each.fate for each in predicted.fates if each.study is None} <= {"copy of another"}
    for each in predicted.fates:
        if each.fate not in ("read", "copy of another"):
            (decision,) = (
                one.decision
                for one in predicted.decided
                if (one.decision.patient, one.decision.study) == each.study
            )
            assert decision.outcome == "referred"
    return predicted


def check(reader, tmp_path, number):
    make_file, changes = RELEASES[reader]
    release = make_release(preprocessing__reader=reader, **changes)
    write_damaged(tmp_path / "in", make_file, number)
    predicted = require_accounted(tmp_path / "in", release)
    reasons = [each.reason for each in predicted.decisions]
    assert reasons.count("unreadable") > number / 8
    (sound,) = (each for each in predicted.fates if each.file.path.stem.startswith("sound"))
    (decision,) = (
        each for each in predicted.decisions if (each.patient, each.study) == sound.study
    )
    assert decision.outcome == "answered"


@pytest.mark.parametrize("reader", RELEASES)
def test_each_damaged_file_is_accounted_for(reader, tmp_path):
    check(reader, tmp_path, NUMBER)


@pytest.mark.slow
@pytest.mark.parametrize("reader", RELEASES)
def test_each_of_many_damaged_files_is_accounted_for(reader, tmp_path):
    check(reader, tmp_path, 10 * NUMBER)


def test_damaged_archives_are_accounted_for(tmp_path):
    (tmp_path / "in").mkdir()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(*dicom_file(f"{number}"))
    for number, content in enumerate(mutants(buffer.getvalue(), number=40)):
        (tmp_path / f"in/{number}.zip").write_bytes(content)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    files = find_files([tmp_path / "in"], scratch)
    archives = {file.name.split("/")[1] for file in files}
    assert archives == {f"{number}.zip" for number in range(40)}
    predicted = make_predictor(tmp_path).predict(files)
    assert len(predicted.fates) == len(files)

"""One code path: what a new file becomes is what the study's own adapter made of it, bit by bit."""

import nibabel as nib
import numpy as np
import pytest

from pipeline.adapters import Case, Quarantined, image_folder, nifti, phantom
from pipeline.adapters.phantom.study import StudyArguments
from pipeline.config import read_dataset
from pipeline.predicting.inputs import find_files
from pipeline.predicting.predictor import READERS
from pipeline.predicting.reading import masked
from tests.dicom_files import write_image, write_table
from tests.made_releases import make_release
from tests.predicting.releases import PSEUDONYMS
from tests.projects import ROOT
from tests.sources import encode, make_dataset, mirrored

KEY = "a key of at least sixteen bytes"


@pytest.fixture(autouse=True)
def identity_key(monkeypatch):
    monkeypatch.setenv("PIPELINE_IDENTITY_KEY", KEY)


def release_for(dataset, reader, arguments, dtype="uint8"):
    preprocessing = {"reader": reader, "arguments": arguments, "dtype": dtype}
    return make_release(
        image_size=dataset.image_size,
        channels=dataset.channels,
        **{f"preprocessing__{key}": value for key, value in preprocessing.items()},
    )


def read_new(folder, release):
    """Read a folder as new cases; return images by real name, and what is left out."""
    files = masked(find_files([folder], folder.parent), PSEUDONYMS)
    reading = READERS[release.preprocessing.reader](files, release, PSEUDONYMS)
    found = list(reading.cases)
    images = {
        files[each.source].path.relative_to(folder).as_posix(): each.image
        for each in found
        if isinstance(each, Case)
    }
    return images, [each for each in found if isinstance(each, Quarantined)], reading


def require_same_bits(found, expected):
    assert set(found) == set(expected)
    for name, image in expected.items():
        assert found[name].dtype == image.dtype
        np.testing.assert_array_equal(found[name], image)


def test_dicom_files_become_the_pixels_that_prepare_made(tmp_path):
    stated = read_dataset(ROOT / "configs", "phantom")
    arguments = {"num_patients": 25, "rle_share": 0.3, "monochrome1_share": 0.4}
    dataset = stated.model_copy(update={"arguments": arguments})
    phantom.acquire(tmp_path, dataset)
    expected = {each.source: each.image for each in phantom.read(tmp_path, dataset)}
    reading = phantom.reading_arguments(StudyArguments.model_validate(arguments)).model_dump(
        mode="json"
    )
    release = release_for(dataset, "dicom", reading)
    found, left_out, _ = read_new(tmp_path / "images", release)
    assert left_out == []
    require_same_bits(found, expected)


def test_series_become_the_volumes_that_prepare_made(tmp_path):
    from tests.dicom_files import folder_dataset, read_folder

    slices = np.random.default_rng(0).integers(0, 2000, (6, 12, 10), np.int16)
    for number, pixels in enumerate(slices):
        write_image(
            tmp_path / f"in/{number}.dcm", pixels, name=f"slice {number}",
            SeriesInstanceUID="1.2.3", StudyInstanceUID="1.2.4", PatientID="one",
            ImagePositionPatient=[0, 0, 2 * number], ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            PixelSpacing=[1, 1],
        )  # fmt: skip
    reading = {"case": "series", "window": {"percentile": [1, 99]}, "spacing_mm": [1, 1, 1]}
    rows = [(f"{number}.dcm", "ill") for number in range(6)]
    table = write_table(tmp_path / "labels.csv", rows)
    dataset = folder_dataset(tmp_path / "in", table, dataset={"image_size": [8, 8, 8]}, **reading)
    (case,), _ = read_folder(tmp_path / "raw", dataset)
    found, left_out, reading = read_new(tmp_path / "in", release_for(dataset, "dicom", reading))
    assert left_out == []
    require_same_bits(found, {"0.dcm": case.image})
    assert len(set(reading.studies().values())) == 1


NIFTI = {"window": {"percentile": [1.0, 99.0]}, "spacing_mm": [2, 2, 2]}


def nifti_dataset(folder, table):
    labels = {"table": str(table), "key": "file", "key_column": "key", "patient_column": "who"}
    return make_dataset(
        adapter="nifti",
        image_size=[12, 14, 12],
        arguments={"folder": str(folder), "labels": labels} | NIFTI,
    )


def require_same_volumes(folder, tmp_path, names):
    rows = [(name, "ill", f"patient {name}") for name in names]
    dataset = nifti_dataset(
        folder, write_table(tmp_path / "labels.csv", rows, ("key", "label", "who"))
    )
    (tmp_path / "raw").mkdir()
    nifti.acquire(tmp_path / "raw", dataset)
    kept = [each for each in nifti.read(tmp_path / "raw", dataset) if isinstance(each, Case)]
    release = release_for(dataset, "nifti", NIFTI)
    found, left_out, reading = read_new(folder, release)
    assert len(left_out) + len(reading.of_another_kind) == len(names) - len(kept)
    # By their pixels: the study's names are masked under another key.
    ordered = sorted(image.tobytes() for image in found.values())
    assert ordered == sorted(each.image.tobytes() for each in kept)
    assert {image.dtype for image in found.values()} == {kept[0].image.dtype}
    return found


def test_nifti_files_become_the_volumes_that_prepare_made(tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    names = ["a.nii", "b.nii.gz"]
    for name in names:
        volume = random.integers(0, 500, (20, 24, 18), np.int16)
        affine = np.diag([-1.5, 1.2, 2.0, 1.0])
        nib.save(nib.Nifti1Image(volume, affine), tmp_path / "in" / name)
    assert set(require_same_volumes(tmp_path / "in", tmp_path, names)) == set(names)


@pytest.mark.slow
def test_real_nifti_files_become_the_volumes_that_prepare_made(tmp_path):
    folder = mirrored("nifti/big.nii.gz").parent
    names = [path.name for path in folder.iterdir()]
    assert len(require_same_volumes(folder, tmp_path, names)) >= 5


def test_pictures_become_the_pixels_that_prepare_made(tmp_path):
    random = np.random.default_rng(0)
    dataset = make_dataset(
        adapter="image_folder",
        image_size=[16, 12],
        channels=3,
        arguments={"folder": str(tmp_path / "in")},
    )
    for name, kind, shape in [
        ("ill/a.png", "PNG", (40, 30)),
        ("ill/b.jpg", "JPEG", (33, 21, 3)),
        ("healthy/c.tif", "TIFF", (16, 12, 3)),
        ("healthy/d.png", "PNG", (10, 8, 4)),
    ]:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        content = encode(random.integers(0, 256, shape, np.uint8), kind)
        (tmp_path / "in" / name).write_bytes(content)
    (tmp_path / "raw").mkdir()
    image_folder.acquire(tmp_path / "raw", dataset)
    kept = list(image_folder.read(tmp_path / "raw", dataset))
    found, left_out, _ = read_new(tmp_path / "in", release_for(dataset, "picture", {}))
    assert left_out == []
    expected = sorted(each.image.tobytes() for each in kept)
    assert sorted(image.tobytes() for image in found.values()) == expected
    assert len(expected) == 4

import numpy as np
import pytest
from scipy.io import savemat

from pipeline.adapters.svhn import read
from pipeline.errors import InputError
from tests.sources import make_dataset

DIGITS = [str(digit) for digit in range(10)]


def digits(**changes):
    splits = {"official": True, "divide": {"train": {"train": 0.5, "val": 0.5}}}
    stated = {"classes": DIGITS, "image_size": [32, 32], "channels": 3, "splits": splits}
    return make_dataset(**(stated | changes))


def write_split(folder, split, labels, compressed=True, **changes):
    images = np.random.default_rng(0).integers(0, 256, (32, 32, 3, len(labels)), np.uint8)
    arrays = {"X": images, "y": np.array(labels, np.uint8)[:, None]} | changes
    savemat(folder / f"{split}_32x32.mat", arrays, do_compression=compressed)
    return images


def test_the_label_ten_is_the_digit_zero(tmp_path):
    images = write_split(tmp_path, "test", [1, 10, 9])
    write_split(tmp_path, "train", [2])
    cases = list(read(tmp_path, digits()))
    assert [(case.split, case.label) for case in cases] == [
        ("train", 2),
        ("test", 1),
        ("test", 0),
        ("test", 9),
    ]
    np.testing.assert_array_equal(cases[2].image, images[:, :, :, 1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": np.array([[0], [1]])}, r"'y' must lie in 1\.\.10, got 0\.\.1"),
        ({"y": np.array([[11], [1]])}, r"'y' must lie in 1\.\.10, got 1\.\.11"),
        ({"y": np.array([[1]])}, r"'X' of \(32, 32, 3, n\) and n 'y' expected"),
        ({"X": np.zeros((2, 32, 32, 3))}, r"'X' of \(32, 32, 3, n\) and n 'y' expected"),
        ({"X": np.zeros((32, 32, 3, 2))}, "'X' must hold uint8, got float64"),
    ],
)
def test_other_arrays_are_refused_by_name(tmp_path, changes, message):
    write_split(tmp_path, "test", [1, 2], **changes)
    with pytest.raises(InputError, match=rf"test_32x32\.mat: {message}"):
        list(read(tmp_path, digits()))


def test_an_array_that_claims_too_much_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.adapters.svhn.MAX_BYTES", 6143)
    write_split(tmp_path, "test", [1, 2])
    with pytest.raises(InputError, match="'X' claims 6144 bytes, at most 6143 allowed"):
        list(read(tmp_path, digits()))


def test_missing_arrays_damage_and_missing_files_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"none of train_32x32\.mat, extra_32x32\.mat"):
        list(read(tmp_path, digits()))
    path = tmp_path / "test_32x32.mat"
    savemat(path, {"z": np.zeros(2)})
    with pytest.raises(InputError, match=r"arrays 'X' and 'y' expected, got \['z'\]"):
        list(read(tmp_path, digits()))
    write_split(tmp_path, "test", [1, 2])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"test_32x32\.mat: damaged, or no MATLAB file"):
        list(read(tmp_path, digits()))
    path.write_bytes(b"no file of that kind" * 20)
    with pytest.raises(InputError, match=r"test_32x32\.mat: damaged, or no MATLAB file"):
        list(read(tmp_path, digits()))


def test_it_holds_ten_classes():
    with pytest.raises(InputError, match="10 classes expected, the digits 0 to 9, got 2"):
        next(read(None, digits(classes=["0", "1"])))

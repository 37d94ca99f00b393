import gzip

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pipeline.adapters import digits
from pipeline.config import read_dataset
from pipeline.errors import InputError
from tests.projects import ROOT


@pytest.fixture
def dataset():
    return read_dataset(ROOT / "configs", "digits")


def test_every_digit_equals_the_librarys_own_reading(tmp_path, dataset):
    digits.acquire(tmp_path, dataset)
    cases = list(digits.read(tmp_path, dataset))
    expected = load_digits()
    np.testing.assert_array_equal([case.label for case in cases], expected.target)
    images = np.stack([case.image[:, :, 0] for case in cases])
    # round(v * 255 / 16): v * 15.9375 is never half-way between two bytes except at v = 8 (127.5).
    np.testing.assert_array_equal(images, np.floor(expected.images * 255 / 16 + 0.5))
    assert images.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 255)
    assert len({case.patient for case in cases}) == 1797


@pytest.mark.parametrize("row", ["17" + ",0" * 64, "-1" + ",0" * 64, "1,2,3"])
def test_values_beyond_four_bits_or_missing_are_refused(tmp_path, dataset, row):
    with gzip.open(tmp_path / digits.FILE, "wt") as file:
        file.write(f"{row}\n{row}\n")
    with pytest.raises(InputError, match=r"digits\.csv\.gz: rows of 64 values in 0\.\.16"):
        list(digits.read(tmp_path, dataset))

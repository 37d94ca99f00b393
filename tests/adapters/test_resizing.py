import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.adapters.resizing import resize

sizes = st.integers(1, 9)


@settings(deadline=None)  # the first call imports torch
@given(
    value=st.integers(0, 255),
    old=st.lists(sizes, min_size=2, max_size=3),
    new=st.lists(sizes, min_size=3, max_size=3),
)
def test_a_uniform_image_stays_uniform(value, old, new):
    size = tuple(new[: len(old)])
    image = np.full((*old, 3), value, np.uint8)
    np.testing.assert_array_equal(resize(image, size), np.full((*size, 3), value, np.uint8))


def test_halving_a_volume_takes_the_mean_of_eight_voxels():
    volume = np.arange(64, dtype=np.float32).reshape(4, 4, 4, 1)
    expected = volume.reshape(2, 2, 2, 2, 2, 2).mean(axis=(1, 3, 5))[..., None]
    np.testing.assert_allclose(resize(volume, (2, 2, 2)), expected)


def test_shrinking_an_image_does_not_alias_a_fine_pattern():
    stripes = np.tile(np.array([0, 255], np.uint8), (32, 16))[..., None]
    shrunk = resize(stripes, (8, 8))
    # The inner pixels see whole periods: their mean is 127.5, and no stripe survives.
    assert np.ptp(shrunk[1:-1, 1:-1].astype(int)) <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_type_and_channels_are_kept(dtype):
    resized = resize(np.ones((5, 7, 3), dtype), (3, 4))
    assert resized.shape == (3, 4, 3)
    assert resized.dtype == dtype


def test_an_image_of_the_right_size_is_not_touched():
    image = np.ones((5, 7, 1), np.uint8)
    assert resize(image, (5, 7)) is image

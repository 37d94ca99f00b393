import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.resizing import resize

sizes = st.integers(1, 9)


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


@pytest.mark.parametrize("shape", [(65_535, 1), (1, 65_535)])
def test_nothing_larger_than_old_and_new_lies_between(shape, monkeypatch):
    """Stretched before it is shrunk, one pixel times 2^26 would be 6 GB at 24 pixels a side."""
    from torch.nn import functional

    made, interpolate = [], functional.interpolate

    def watched(batch, **arguments):
        made.append(interpolate(batch, **arguments))
        return made[-1]

    monkeypatch.setattr(functional, "interpolate", watched)
    resized = resize(np.full((*shape, 1), 9, np.uint8), (24, 24))
    np.testing.assert_array_equal(resized, np.full((24, 24, 1), 9, np.uint8))
    assert [tuple(each.shape[2:]) for each in made] == [
        tuple(min(side, 24) for side in shape),
        (24, 24),
    ]


@pytest.mark.parametrize("shape", [(64, 8), (8, 64), (64, 64), (8, 8)])
def test_shrinking_first_changes_nothing_but_the_last_bits(shape):
    import torch

    image = np.random.default_rng(0).random((*shape, 2), np.float32)
    batch = torch.from_numpy(np.moveaxis(image, -1, 0))[None]
    at_once = torch.nn.functional.interpolate(batch, (20, 20), mode="bilinear", antialias=True)
    expected = np.moveaxis(at_once[0].numpy(), 0, -1)
    np.testing.assert_allclose(resize(image, (20, 20)), expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_type_and_channels_are_kept(dtype):
    resized = resize(np.ones((5, 7, 3), dtype), (3, 4))
    assert resized.shape == (3, 4, 3)
    assert resized.dtype == dtype


def test_an_image_of_the_right_size_is_not_touched():
    image = np.ones((5, 7, 1), np.uint8)
    assert resize(image, (5, 7)) is image

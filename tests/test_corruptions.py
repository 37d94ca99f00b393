import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corruptions import CORRUPTIONS, SEVERITIES, corrupt, strength_for
from pipeline.errors import InputError


def texture(shape, seed=0):
    """Smooth structure with a fine one on it, away from black and white."""
    rows = np.linspace(0, 3 * np.pi, shape[0])
    waves = np.sin(rows).reshape(-1, *[1] * (len(shape) - 1))
    noise = np.random.default_rng(seed).normal(scale=10, size=shape)
    return (128 + 60 * waves + noise).clip(30, 225).astype(np.uint8)


@pytest.mark.parametrize("kind", CORRUPTIONS)
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 24, 3), (8, 8, 8, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_shape_type_and_range_are_kept(kind, shape, dtype):
    image = texture(shape).astype(dtype)
    damaged = corrupt(image, kind, 3, np.random.default_rng(0))
    assert damaged.shape == shape
    assert damaged.dtype == dtype
    if dtype != np.uint8:
        assert image.min() <= damaged.min() <= damaged.max() <= image.max()


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_the_damage_grows_with_the_severity(kind):
    image = texture((32, 32, 3))
    damage = [
        np.abs(
            corrupt(image, kind, severity, np.random.default_rng(0)).astype(float) - image
        ).mean()
        for severity in SEVERITIES
    ]
    assert damage == sorted(damage)
    assert damage[0] > 0


@given(seed=st.integers(0, 2**32 - 1))
def test_the_noise_has_the_stated_standard_deviation(seed):
    grey = np.full((64, 64, 3), 128, np.uint8)
    noisy = corrupt(grey, "gaussian_noise", 2, np.random.default_rng(seed))
    # 12,288 values: the sample standard deviation lies within 4 / sqrt(2 * 12288) = 2.6 % of 0.08.
    assert noisy.std() / 255 == pytest.approx(0.08, rel=0.03)


def test_the_contrast_that_is_left_is_the_stated_share():
    image = np.array([[[50.0], [150.0]]], np.float32).astype(np.uint8)
    # size 2: the constants for 32 pixels, severity 2 leaves half: 100 -+ 50 becomes 100 -+ 25.
    damaged = corrupt(image, "contrast", 2, np.random.default_rng(0))
    assert damaged.ravel().tolist() == [75, 125]


def test_the_blur_is_a_gaussian_of_the_stated_width():
    point = np.zeros((31, 31, 1), np.float32)
    point[15, 15] = 1
    blurred = corrupt(point, "gaussian_blur", 5, np.random.default_rng(0))[..., 0]
    offsets = np.arange(31) - 15
    assert blurred.sum() == pytest.approx(1, abs=1e-4)
    assert (blurred.sum(axis=0) * offsets**2).sum() == pytest.approx(1.0**2, rel=0.01)


def test_a_uniform_image_survives_everything_but_noise():
    grey = np.full((16, 16, 3), 128, np.uint8)
    for kind in set(CORRUPTIONS) - {"gaussian_noise"}:
        np.testing.assert_array_equal(corrupt(grey, kind, 5, np.random.default_rng(0)), grey)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(8, 0.1), (45, 0.1), (46, 0.18), (64, 0.18), (119, 0.18), (120, 0.38), (512, 0.38)],
)
def test_an_image_takes_the_constants_of_the_nearest_size(size, expected):
    # Borders at sqrt(32 * 64) = 45.3 and sqrt(64 * 224) = 119.7.
    assert strength_for("gaussian_noise", 5, size) == expected


def test_an_unknown_kind_and_severity_are_refused():
    image = np.zeros((4, 4, 1), np.uint8)
    with pytest.raises(InputError, match="one of gaussian_noise, .*, got 'fog'"):
        corrupt(image, "fog", 1, np.random.default_rng(0))
    with pytest.raises(InputError, match=r"severity must lie in 1\.\.5, got 6"):
        corrupt(image, "jpeg", 6, np.random.default_rng(0))

import numpy as np
import pytest

from pipeline.adapters.spatial import resampled_volume, with_channels

GREY = np.arange(6, dtype=np.uint8).reshape(2, 3)
# To the left, to the back, upward: how a scanner's columns, rows and slices usually run.
LPS = np.diag([-1.0, -1.0, 2.0, 1.0])


def ramp(axis, shape=(8, 6, 4)):
    """A volume whose values are the index along one axis."""
    return np.broadcast_to(
        np.arange(shape[axis], dtype=np.float32).reshape(
            [-1 if a == axis else 1 for a in range(3)]
        ),
        shape,
    ).copy()


def test_grey_becomes_equal_channels():
    np.testing.assert_array_equal(with_channels(GREY, 3), np.stack([GREY] * 3, axis=-1))
    np.testing.assert_array_equal(with_channels(GREY, 1), GREY[..., None])


def test_colour_becomes_its_luma():
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    luma = np.array([[0.299, 0.587, 0.114]]) * 255
    np.testing.assert_allclose(with_channels(colours, 1)[..., 0], luma, atol=1)
    assert with_channels(colours, 3) is colours


@pytest.mark.parametrize(("axis", "flipped"), [(0, True), (1, True), (2, False)])
def test_axes_are_turned_to_right_front_and_up(axis, flipped):
    volume = ramp(axis)
    turned, spacing = resampled_volume(volume, LPS, volume.shape, None)
    np.testing.assert_array_equal(turned, np.flip(volume, axis) if flipped else volume)
    assert spacing == (1, 1, 2)


def test_axes_in_another_order_are_exchanged():
    affine = np.array([[0, 0, 3.0, 0], [1.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 0, 1]])
    turned, spacing = resampled_volume(ramp(0), affine, (4, 8, 6), None)
    np.testing.assert_array_equal(turned, ramp(0).transpose(2, 0, 1))
    assert spacing == (3, 1, 2)


def test_stretching_states_the_new_spacing():
    stretched, spacing = resampled_volume(ramp(2), LPS, (4, 6, 8), None)
    assert stretched.shape == (4, 6, 8)
    assert spacing == (2, 1, 1)


def test_a_spacing_keeps_what_is_a_millimetre_apart_a_millimetre_apart():
    volume = ramp(2, (8, 8, 12))
    resampled, spacing = resampled_volume(volume, LPS, (8, 8, 16), (1, 1, 1))
    assert spacing == (1, 1, 1)
    # The index rises by one in 2 mm, hence by a half in each voxel of 1 mm.
    steps = np.diff(resampled[4, 4])
    np.testing.assert_allclose(steps[2:-2], 0.5, atol=1e-5)


@pytest.mark.parametrize("spacing_mm", [None, (1, 1, 1), (2, 3, 4), (0.5, 0.5, 0.5)])
def test_a_constant_volume_stays_constant_to_its_edges(spacing_mm):
    volume = np.full((12, 12, 8), 7.0, np.float32)
    resampled, _ = resampled_volume(volume, LPS, (4, 4, 4), spacing_mm)
    np.testing.assert_allclose(resampled, 7, atol=1e-4)


def test_larger_voxels_do_not_alias():
    # Every other slice bright: at twice the spacing only the mean is left to see.
    volume = np.zeros((8, 8, 32), np.float32)
    volume[..., ::2] = 100
    resampled, _ = resampled_volume(volume, LPS, (8, 8, 8), (1, 1, 8))
    np.testing.assert_allclose(resampled[:, :, 1:-1], 50, atol=5)


def test_what_is_too_small_is_padded_with_the_lowest_value():
    volume = ramp(0, (4, 4, 4)) + 5
    padded, _ = resampled_volume(volume, np.eye(4), (8, 4, 4), (1, 1, 1))
    np.testing.assert_allclose(padded[:, 0, 0], [5, 5, 5, 6, 7, 8, 5, 5], atol=1e-4)


def test_the_volume_given_stays_as_it_was():
    volume = ramp(0)
    resampled_volume(volume, np.eye(4), (4, 4, 4), (2, 2, 2))
    np.testing.assert_array_equal(volume, ramp(0))

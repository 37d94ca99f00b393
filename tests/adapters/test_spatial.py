import numpy as np
import pytest

from pipeline.adapters import spatial
from pipeline.adapters.refused import Refused
from pipeline.adapters.spatial import with_channels

GREY = np.arange(6, dtype=np.uint8).reshape(2, 3)
# To the left, to the back, upward: how a scanner's columns, rows and slices usually run.
LPS = np.diag([-1.0, -1.0, 2.0, 1.0])


def resampled_volume(*arguments, max_voxels=10**6):
    return spatial.resampled_volume(*arguments, max_voxels=max_voxels)


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


@pytest.mark.parametrize(
    ("max_voxels", "sound"), [(8 * 8 * 4 * 8, True), (8 * 8 * 4 * 8 - 1, False)]
)
def test_the_limit_is_on_what_resampling_makes(max_voxels, sound):
    # 8 x 4 x 4 voxels of 1 x 1 x 2 mm at half a millimetre: 16 x 8 x 16.
    volume, spacing = ramp(0, (8, 4, 4)), (0.5, 0.5, 0.5)
    if sound:
        resampled_volume(volume, LPS, (4, 4, 4), spacing, max_voxels=max_voxels)
    else:
        with pytest.raises(Refused, match="too large") as refused:
            resampled_volume(volume, LPS, (4, 4, 4), spacing, max_voxels=max_voxels)
        assert "2048 voxels at the spacing asked for" in refused.value.advice


def test_the_limit_follows_the_axes_wherever_they_run():
    # The second axis runs upward in steps of 2 mm, where the spacing is 4 mm.
    affine = np.array([[0, 0, 3.0, 0], [1.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 0, 1]])
    made = 8 * 1 * (6 * 2 / 4) * (4 * 3 / 1)
    resampled_volume(ramp(0), affine, (4, 4, 4), (1, 1, 4), max_voxels=made)
    with pytest.raises(Refused, match="too large"):
        resampled_volume(ramp(0), affine, (4, 4, 4), (1, 1, 4), max_voxels=made - 1)


def test_trillions_of_voxels_are_refused_before_any_is_made():
    with pytest.raises(Refused, match="too large"):
        resampled_volume(ramp(0), np.diag([1000.0, 1000, 1000, 1]), (4, 4, 4), (0.01, 0.01, 0.01))


@pytest.mark.parametrize(("edge_mm", "sound"), [(0.13, True), (0.12, False), (1e-9, False)])
def test_a_volume_within_one_voxel_is_in_another_unit(edge_mm, sound):
    volume, affine = ramp(0, (8, 8, 8)), np.diag([edge_mm, edge_mm, edge_mm, 1])
    if sound:
        resampled_volume(volume, affine, (4, 4, 4), (1, 1, 1))
    else:
        with pytest.raises(Refused, match="too small for the spacing"):
            resampled_volume(volume, affine, (4, 4, 4), (1, 1, 1))


def test_an_axis_thinner_than_a_voxel_is_blurred_along_its_length_at_most():
    affine = np.diag([1.0, 1, 1e-9, 1])
    resampled, _ = resampled_volume(ramp(0), affine, (8, 6, 1), (1, 1, 1))
    np.testing.assert_allclose(resampled[:, 0, 0], np.arange(8), atol=1e-3)

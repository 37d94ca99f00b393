from math import cos, radians, sin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.dicom.series import affine_of, ordered_slices
from pipeline.adapters.file_facts import FileFacts
from pipeline.adapters.refused import Refused

AXIAL = (1, 0, 0, 0, 1, 0)


def slice_at(*position, orientation=AXIAL, number=None, spacing=(0.5, 0.8), name="a", frames=1):
    return FileFacts(
        source=f"{name}.dcm", sha256="", num_bytes=0, file=name, num_rows=4, num_columns=4,
        num_frames=frames, num_samples=1, positions=position, orientation=orientation,
        pixel_spacing=spacing, instance_number=number,
    )  # fmt: skip


def places(slices):
    return [each.place for each in slices]


@given(order=st.permutations(range(6)), degrees=st.integers(-80, 80))
def test_slices_come_in_the_order_of_their_places_along_the_normal(order, degrees):
    tilt = radians(degrees)
    orientation = (1, 0, 0, 0, cos(tilt), sin(tilt))
    normal = np.array([0, -sin(tilt), cos(tilt)])
    files = [slice_at(*(normal * 3 * step), orientation=orientation) for step in order]
    np.testing.assert_allclose(places(ordered_slices(files)), np.arange(6) * 3, atol=1e-9)


def test_frames_of_an_enhanced_file_are_ordered_too():
    slices = ordered_slices([slice_at(0, 0, 9, 0, 0, 3, 0, 0, 6, frames=3)])
    assert [each.frame for each in slices] == [1, 2, 0]


def test_without_positions_the_instance_numbers_decide():
    files = [slice_at(number=number, orientation=()) for number in (3, 1, 2)]
    assert [each.facts.instance_number for each in ordered_slices(files)] == [1, 2, 3]


@pytest.mark.parametrize("numbers", [(1, 1), (1, None)])
def test_without_positions_and_numbers_there_is_no_order(numbers):
    files = [slice_at(number=number, orientation=()) for number in numbers]
    with pytest.raises(Refused, match="slices without an order"):
        ordered_slices(files)


def test_the_affine_leads_from_voxels_to_places():
    files = [slice_at(10, 20, 30 + 2.5 * step) for step in range(3)]
    affine = affine_of(ordered_slices(files))
    # Column 1 is 0.8 mm to the patient's left, row 1 is 0.5 mm to the back; RAS+ counts right and
    # front as positive.
    np.testing.assert_allclose(affine @ [0, 0, 0, 1], [-10, -20, 30, 1])
    np.testing.assert_allclose(affine @ [1, 0, 0, 1], [-10 - 0.8, -20, 30, 1])
    np.testing.assert_allclose(affine @ [0, 1, 0, 1], [-10, -20 - 0.5, 30, 1])
    np.testing.assert_allclose(affine @ [0, 0, 2, 1], [-10, -20, 30 + 5, 1])


def test_slices_shifted_within_their_plane_keep_their_shear():
    files = [slice_at(0, step, 3 * step) for step in range(3)]
    affine = affine_of(ordered_slices(files))
    np.testing.assert_allclose(affine @ [0, 0, 2, 1], [0, -2, 6, 1])


def test_a_single_slice_is_as_thick_as_its_pixels_are_high():
    affine = affine_of(ordered_slices([slice_at(0, 0, 0)]))
    np.testing.assert_allclose(affine, np.diag([-0.8, -0.5, 0.5, 1]))


def test_slices_without_positions_are_taken_as_axial():
    files = [slice_at(number=number, orientation=()) for number in (1, 2)]
    np.testing.assert_allclose(affine_of(ordered_slices(files)), np.diag([-0.8, -0.5, 0.5, 1]))


@pytest.mark.parametrize(
    ("heights", "reason"),
    [
        ((0, 3, 3, 6), "several slices at one place"),
        ((0, 3, 9, 12), "slices missing or unevenly spaced"),
        ((0, 3, 6, 10), "slices missing or unevenly spaced"),
    ],
)
def test_a_volume_with_slices_missing_or_doubled_is_refused(heights, reason):
    files = [slice_at(0, 0, height) for height in heights]
    with pytest.raises(Refused, match=reason):
        affine_of(ordered_slices(files))


def test_slices_may_be_a_little_uneven():
    files = [slice_at(0, 0, height) for height in (0, 3, 6.5, 9.5)]
    assert affine_of(ordered_slices(files))[2, 2] == pytest.approx(9.5 / 3)

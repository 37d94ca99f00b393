from math import cos, radians, sin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.dicom.series import (
    affine_of,
    knows_spacing,
    ordered_slices,
    require_stack,
)
from pipeline.adapters.folder_index import FileFacts
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


def test_a_single_slice_keeps_its_axes():
    affine = affine_of(ordered_slices([slice_at(0, 0, 0)]))
    np.testing.assert_allclose(affine, np.diag([-0.8, -0.5, 0.5, 1]))


def test_slices_without_positions_are_taken_as_axial():
    files = [slice_at(number=number, orientation=()) for number in (1, 2)]
    np.testing.assert_allclose(affine_of(ordered_slices(files)), np.diag([-0.8, -0.5, 0.5, 1]))


def test_an_orientation_counts_without_positions():
    coronal = (1, 0, 0, 0, 0, -1)
    files = [slice_at(number=number, orientation=coronal) for number in (1, 2)]
    # Rows run to the feet; the slices lie on each other along (1,0,0) x (0,0,-1), to the back in
    # the patient's coordinates (y grows to the back), hence -1 towards the front.
    expected = np.array([[-0.8, 0, 0, 0], [0, 0, -0.5, 0], [0, -0.5, 0, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(affine_of(ordered_slices(files)), expected)


@pytest.mark.parametrize(
    ("files", "known"),
    [
        ([slice_at(0, 0, 0), slice_at(0, 0, 3)], True),
        ([slice_at(0, 0, 0)], False),  # how thick it is nobody says
        ([slice_at(0, 0, 0, spacing=()), slice_at(0, 0, 3, spacing=())], False),
        ([slice_at(number=1), slice_at(number=2)], False),
    ],
)
def test_a_spacing_is_known_where_headers_say_it_along_every_axis(files, known):
    slices = ordered_slices(files)
    require_stack(slices)
    assert knows_spacing(slices) is known


@pytest.mark.parametrize(
    ("heights", "reason"),
    [
        ((0, 3, 3, 6), "several slices at one place"),
        ((0, 3, 9, 12), "slices missing or unevenly spaced"),
        ((0, 3, 6, 10), "slices missing or unevenly spaced"),
    ],
)
def test_a_stack_with_slices_missing_or_doubled_is_refused(heights, reason):
    files = [slice_at(0, 0, height) for height in heights]
    with pytest.raises(Refused, match=reason):
        require_stack(ordered_slices(files))


def test_slices_may_be_a_little_uneven():
    slices = ordered_slices([slice_at(0, 0, height) for height in (0, 3, 6.5, 9.5)])
    require_stack(slices)
    assert affine_of(slices)[2, 2] == pytest.approx(9.5 / 3)


@pytest.mark.parametrize(("shift", "sound"), [(0.7, True), (0.9, False), (40, False)])
def test_a_slice_may_lie_a_pixel_beside_the_others(shift, sound):
    # Columns are 0.8 mm wide.
    slices = ordered_slices([slice_at(shift * (step == 1), 0, 3 * step) for step in range(3)])
    if sound:
        require_stack(slices)
    else:
        with pytest.raises(Refused, match="slices shifted against each other"):
            require_stack(slices)


def test_a_tilted_stack_is_straight():
    require_stack(ordered_slices([slice_at(0, 2 * step, 3 * step) for step in range(5)]))


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([slice_at(0, 0, 0, number=1), slice_at(number=2)], "positions of some slices only"),
        (
            [
                slice_at(0, 0, 0, orientation=(), number=1),
                slice_at(0, 0, 3, orientation=(), number=2),
            ],
            "positions without an orientation",
        ),
        (
            [slice_at(0, 0, 0, 0, 0, 3, frames=2, orientation=(*AXIAL, 1, 0, 0, 0, 0, -1))],
            "orientation differs between frames",
        ),
        (
            [slice_at(0, 0, 0, 0, 0, 3, frames=2, spacing=(1, 1, 2, 2))],
            "pixel spacing differs between frames",
        ),
    ],
)
def test_headers_that_contradict_themselves_make_no_stack(files, reason):
    with pytest.raises(Refused, match=reason):
        require_stack(ordered_slices(files))


def test_orientations_that_differ_by_rounding_keep_their_order_far_from_the_origin():
    # At 400 mm, directions 1e-3 apart would move a slice by 0.4 mm along its own normal.
    files = []
    for number in range(10):
        tilt = (-1) ** number * 5e-4
        orientation = (1, 0, 0, 0, cos(tilt), sin(tilt))
        files.append(slice_at(0, 400, 0.3 * number, orientation=orientation, name=str(number)))
    slices = ordered_slices(files)
    assert [each.facts.file for each in slices] == [str(number) for number in range(10)]
    require_stack(slices)

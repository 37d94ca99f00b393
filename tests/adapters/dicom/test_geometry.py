import numpy as np
import pytest
from pydicom import Dataset, Sequence

from pipeline.adapters.dicom.geometry import (
    Geometry,
    same_orientation,
    same_spacing,
    stated_geometry,
)
from pipeline.adapters.refused import Refused

AXIAL, CORONAL = (1, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, -1)


def macro(name, **elements):
    item, group = Dataset(), Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    setattr(group, name, Sequence([item]))
    return group


def frame(position=(0, 0, 0), orientation=AXIAL, spacing=None):
    """The functional groups of one frame; what is None is not stated."""
    group = Dataset()
    for name, keyword, value in (
        ("PlanePositionSequence", "ImagePositionPatient", position),
        ("PlaneOrientationSequence", "ImageOrientationPatient", orientation),
        ("PixelMeasuresSequence", "PixelSpacing", spacing),
    ):
        if value is not None:
            group.update(macro(name, **{keyword: list(value)}))
    return group


def enhanced(*frames, shared=None):
    header = Dataset()
    header.PerFrameFunctionalGroupsSequence = Sequence(frames)
    if shared is not None:
        header.SharedFunctionalGroupsSequence = Sequence([shared])
    return header


def test_an_enhanced_file_states_a_position_for_every_frame():
    shared = frame(None, None, (0.5, 0.5))
    header = enhanced(frame((0, 0, 5)), frame((0, 0, 2)), shared=shared)
    assert stated_geometry(header, 2) == Geometry((0, 0, 5, 0, 0, 2), AXIAL, (0.5, 0.5))


def test_frames_without_a_place_of_their_own_have_none():
    header = Dataset()
    header.ImagePositionPatient, header.ImageOrientationPatient = [0, 0, 5], list(AXIAL)
    assert stated_geometry(header, 2) == Geometry((), AXIAL, ())
    assert stated_geometry(header, 1) == Geometry((0, 0, 5), AXIAL, ())


def test_frames_that_differ_by_rounding_share_one_geometry():
    turned = (1, 0, 0, 0, 1, 1e-6)
    header = enhanced(frame(spacing=(0.7, 0.7)), frame((0, 0, 2), turned, (0.70001, 0.7)))
    assert stated_geometry(header, 2) == Geometry((0, 0, 0, 0, 0, 2), AXIAL, (0.7, 0.7))


def test_frames_that_disagree_are_told_one_by_one():
    header = enhanced(frame(spacing=(1, 1)), frame((0, 0, 2), CORONAL, (2, 2)))
    assert stated_geometry(header, 2) == Geometry(
        (0, 0, 0, 0, 0, 2), (*AXIAL, *CORONAL), (1, 1, 2, 2)
    )


@pytest.mark.parametrize(
    ("missing", "what"),
    [
        ({"position": None}, "position"),
        ({"orientation": None}, "orientation"),
        ({"spacing": None}, "pixel spacing"),
    ],
)
def test_a_geometry_of_some_frames_only_is_refused(missing, what):
    header = enhanced(frame(spacing=(1, 1)), frame(**({"spacing": (1, 1)} | missing)))
    with pytest.raises(Refused, match=f"{what} of some frames only"):
        stated_geometry(header, 2)


@pytest.mark.parametrize("num_frames", [1, 3])
def test_groups_for_another_number_of_frames_are_refused(num_frames):
    with pytest.raises(Refused, match="unusable PerFrameFunctionalGroupsSequence"):
        stated_geometry(enhanced(frame(), frame()), num_frames)


def test_what_cannot_be_used_in_one_frame_is_refused():
    with pytest.raises(Refused, match="unusable ImageOrientationPatient"):
        stated_geometry(enhanced(frame(), frame(orientation=(1, 0, 0, 0.5, 1, 0))), 2)


@pytest.mark.parametrize("digits", [2, 3, 6])
def test_directions_rounded_to_two_digits_are_directions(digits):
    for degrees in range(0, 90, 7):
        turn = np.radians(degrees)
        orientation = np.round(
            [np.cos(turn), np.sin(turn), 0, -np.sin(turn), np.cos(turn), 0], digits
        )
        assert stated_geometry(enhanced(frame(orientation=orientation)), 1).orientation


def test_the_same_is_the_same_up_to_rounding():
    # SAME_DIRECTION is 2e-3 for either direction, SAME_SPACING a thousandth.
    assert same_orientation(AXIAL, (1, 1.9e-3, 0, 0, 1, 0))
    assert not same_orientation(AXIAL, (1, 2.1e-3, 0, 0, 1, 0))
    assert not same_orientation(AXIAL, ())
    assert same_orientation((), ())
    assert same_spacing((0.5, 0.5), (0.5004, 0.5))
    assert not same_spacing((0.5, 0.5), (0.5006, 0.5))
    assert not same_spacing((0.5, 0.5), ())

import pytest
from pydicom import Dataset, Sequence
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from pipeline.adapters.dicom.elements import (
    items,
    macro,
    number,
    numbers,
    text,
    texts,
    whole,
)
from pipeline.adapters.dicom.opening import quiet
from pipeline.adapters.refused import Refused


def raw(keyword, vr, value):
    """A data set with one element as it lies in a file, unparsed."""
    dataset = Dataset()
    tag = Tag(keyword)
    dataset[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    return dataset


UNREADABLE = [b"old", b"1\\x", b"nan\\1", b"1e999\\1", b"1\\2\\3", b"0,5\\0,5", b"1", b"1\\"]


@pytest.mark.parametrize("value", UNREADABLE)
def test_what_is_not_two_finite_numbers_is_refused(value):
    dataset = raw("PixelSpacing", "DS", value)
    with quiet(), pytest.raises(Refused, match="unusable PixelSpacing") as refused:
        numbers(dataset, "PixelSpacing", 2)
    # Either the library could not parse it, or what it found is not what is needed.
    assert refused.value.advice.startswith(("expected 2 finite", "expected a value that can be"))


@pytest.mark.parametrize("value", [b"", b" ", b"\\"])
def test_what_is_empty_is_absent(value):
    with quiet():
        assert numbers(raw("PixelSpacing", "DS", value), "PixelSpacing", 2) == ()
        assert number(raw("RescaleSlope", "DS", value.strip(b"\\")), "RescaleSlope") is None
    assert whole(Dataset(), "NumberOfFrames") is None


def test_numbers_are_read_in_their_order():
    assert numbers(raw("PixelSpacing", "DS", b"0.5\\2"), "PixelSpacing", 2) == (0.5, 2.0)
    assert numbers(raw("WindowCenter", "DS", b"40\\300"), "WindowCenter") == (40, 300)


def test_a_whole_number_has_no_fraction():
    assert whole(raw("NumberOfFrames", "IS", b"12"), "NumberOfFrames") == 12
    for value in (b"12.5", b"1A"):
        with quiet(), pytest.raises(Refused, match="unusable NumberOfFrames"):
            whole(raw("NumberOfFrames", "DS", value), "NumberOfFrames")


@pytest.mark.parametrize("value", [b"1\\2", b"-1024,0", b"inf", b"one"])
def test_one_number_is_not_several_nor_something_else(value):
    with quiet(), pytest.raises(Refused, match="unusable RescaleIntercept"):
        number(raw("RescaleIntercept", "DS", value), "RescaleIntercept")


def test_what_is_no_sequence_is_refused():
    dataset = raw("PlanePositionSequence", "LO", b"no sequence")
    with quiet(), pytest.raises(Refused, match="unusable PlanePositionSequence"):
        items(dataset, "PlanePositionSequence")
    assert items(Dataset(), "PlanePositionSequence") == []


def test_absent_text_is_empty():
    assert text(Dataset(), "PatientID") == ""
    assert texts(raw("OtherPatientIDs", "LO", b"A\\\\B "), "OtherPatientIDs") == ["A", "B"]


def groups(**sequences):
    dataset, group, item = Dataset(), Dataset(), Dataset()
    item.SliceThickness = 3
    group.PixelMeasuresSequence = Sequence([item])
    for name in sequences:
        setattr(dataset, name, Sequence([group] * sequences[name]))
    dataset.SliceThickness = 7
    return dataset


def test_a_frames_own_group_goes_before_the_shared_one_before_the_top():
    own = groups(PerFrameFunctionalGroupsSequence=2)
    shared = groups(SharedFunctionalGroupsSequence=1)
    assert macro(own, 1, "PixelMeasuresSequence").SliceThickness == 3
    assert macro(shared, 5, "PixelMeasuresSequence").SliceThickness == 3
    assert macro(own, 2, "PixelMeasuresSequence") is own
    assert macro(own, 0, "FrameVOILUTSequence") is own


def test_the_group_of_one_frame_is_found_without_going_through_those_of_all(monkeypatch):
    """Sixty thousand frames took hours."""
    own = groups(PerFrameFunctionalGroupsSequence=3)

    def never(_):
        pytest.fail("every frame's group was gone through")

    monkeypatch.setattr(Sequence, "__iter__", never)
    assert macro(own, 2, "PixelMeasuresSequence").SliceThickness == 3

import pytest
from pydicom import Dataset, Sequence
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from pipeline.adapters.dicom.elements import macro, number, numbers, text, texts, whole
from pipeline.adapters.dicom.opening import quiet


def raw(keyword, vr, value):
    """A data set with one element as it lies in a file, unparsed."""
    dataset = Dataset()
    tag = Tag(keyword)
    dataset[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    return dataset


@pytest.mark.parametrize("value", [b"old", b"1\\x", b"nan\\1", b"1e999\\1", b"1\\2\\3", b""])
def test_what_is_not_two_finite_numbers_is_absent(value):
    with quiet():
        assert numbers(raw("PixelSpacing", "DS", value), "PixelSpacing", 2) == ()


def test_numbers_are_read_in_their_order():
    assert numbers(raw("PixelSpacing", "DS", b"0.5\\2"), "PixelSpacing", 2) == (0.5, 2.0)


@pytest.mark.parametrize(("value", "expected"), [(b"12", 12), (b"12.5", None), (b"1A", None)])
def test_a_whole_number_has_no_fraction(value, expected):
    with quiet():
        assert whole(raw("InstanceNumber", "DS", value), "InstanceNumber") == expected


def test_the_first_of_several_numbers_counts():
    assert number(raw("WindowCenter", "DS", b"40\\300"), "WindowCenter") == 40


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

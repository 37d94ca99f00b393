import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from pipeline.adapters.dicom.claims import (
    MAX_FRAMES,
    claimed_size,
    claimed_values,
    require_bytes_for_claims,
)
from pipeline.adapters.refused import Refused


def header(syntax=None, **elements):
    dataset = Dataset()
    stated = {"Rows": 8, "Columns": 10, "BitsAllocated": 16} | elements
    for keyword, value in stated.items():
        if value is not None:
            setattr(dataset, keyword, value)
    if syntax is not None:
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def test_what_is_left_out_counts_once():
    assert claimed_values(header()) == 8 * 10
    assert claimed_values(header(NumberOfFrames=7, SamplesPerPixel=3)) == 8 * 10 * 7 * 3
    size = {"num_rows": 8, "num_columns": 10, "num_samples": 1, "num_frames": 1}
    assert claimed_size(header()) == size


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"Rows": None}, "no image in the file"),
        ({"Columns": 0}, "no image in the file"),
        ({"SamplesPerPixel": 0}, "unusable SamplesPerPixel"),
        ({"SamplesPerPixel": 4}, "unusable SamplesPerPixel"),
        ({"NumberOfFrames": 0}, "unusable NumberOfFrames"),
        ({"NumberOfFrames": -3}, "unusable NumberOfFrames"),
        ({"NumberOfFrames": MAX_FRAMES + 1}, "too large"),
        ({"Rows": [8, 8]}, "unusable Rows"),
    ],
)
def test_a_size_that_cannot_be_used_is_refused(elements, reason):
    with pytest.raises(Refused, match=reason):
        claimed_size(header(**elements))


@pytest.mark.parametrize(
    ("syntax", "elements", "needed"),
    [
        (None, {}, 8 * 10 * 2),
        (ExplicitVRLittleEndian, {}, 8 * 10 * 2),
        (ExplicitVRLittleEndian, {"BitsAllocated": 1}, 8 * 10 // 8),
        (ExplicitVRLittleEndian, {"NumberOfFrames": 100}, 8 * 10 * 2 * 100),
        # Two colours for every two pixels: four samples stored of six.
        (
            ExplicitVRLittleEndian,
            {"BitsAllocated": 8, "SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_FULL_422"},
            8 * 10 * 2,
        ),
        # No 1,032 bytes are deflated to less than one.
        (DeflatedExplicitVRLittleEndian, {"NumberOfFrames": 1032}, 8 * 10 * 2),
        # A compressed frame may be small, but it has a tag and a length.
        (RLELossless, {"NumberOfFrames": 1000}, 8 * 1000),
        (JPEG2000Lossless, {"NumberOfFrames": 1000}, 8 * 1000),
    ],
)
def test_a_file_has_bytes_for_what_it_claims(syntax, elements, needed):
    claiming = header(syntax, **elements)
    require_bytes_for_claims(claiming, needed, max_pixels=10**6)
    with pytest.raises(Refused, match="fewer pixels than its header claims") as refused:
        require_bytes_for_claims(claiming, needed - 1, max_pixels=10**6)
    assert refused.value.advice.startswith(f"expected {needed} bytes or more, got {needed - 1}")


def test_the_limit_goes_before_the_bytes():
    with pytest.raises(Refused, match="too large"):
        require_bytes_for_claims(header(), 0, max_pixels=79)


@pytest.mark.parametrize(
    ("syntax", "blank"),
    [
        (JPEG2000Lossless, True),
        (RLELossless, True),
        (DeflatedExplicitVRLittleEndian, True),
        (ExplicitVRLittleEndian, False),
    ],
)
def test_an_empty_image_in_few_bytes_is_not_unfolded(syntax, blank):
    claiming = header(syntax, Rows=4096, Columns=4096)
    num_bytes = 4096 * 4096 * 2 // 500
    if blank:
        require_bytes_for_claims(claiming, num_bytes + 1, max_pixels=2**28)
    match = "compressed too far to hold an image" if blank else "fewer pixels than its header"
    with pytest.raises(Refused, match=match):
        require_bytes_for_claims(claiming, num_bytes, max_pixels=2**28)

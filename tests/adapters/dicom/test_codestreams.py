import numpy as np
import pytest
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from pipeline.adapters.dicom.codestreams import codestream_size
from tests.dicom_files import image_dataset
from tests.sources import mirrored

PIXELS = np.random.default_rng(0).integers(0, 4096, (48, 40), dtype=np.uint16)


@pytest.mark.parametrize(
    ("syntax", "expected"),
    [(JPEGLSLossless, (48, 40)), (JPEG2000Lossless, (48, 40)), (RLELossless, None)],
)
def test_finds_the_size_that_an_encoder_wrote(syntax, expected):
    dataset = image_dataset(PIXELS)
    dataset.compress(syntax, generate_instance_uid=False)
    assert codestream_size(get_frame(dataset.PixelData, 0, number_of_frames=1)) == expected


@pytest.mark.parametrize("process", ["1TransferSyntax_1.2.840.10008.1.2.4.50"])
def test_finds_the_size_of_a_real_jpeg(process):
    content = mirrored(f"dicom/syntaxes/CTImage.dcm_JPEGProcess{process}.dcm").read_bytes()
    assert codestream_size(content[content.index(b"\xff\xd8\xff") :]) == (512, 512)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\xff\xd8",
        bytes.fromhex("ffd8 ffe0 ffff 00"),
        bytes.fromhex("ffd8 ffe0 0000 ffc0 0011 08"),
        # A height of 0 says that it is counted at the end.
        bytes.fromhex("ffd8 ffc0 0011 08 0000 0020 03"),
        b"no image at all",
    ],
)
def test_a_stream_that_states_no_size_has_none(stream):
    assert codestream_size(stream) is None


def test_skips_what_comes_before_the_frame():
    stream = bytes.fromhex("ffd8 ffff ffe0 0004 abcd ffc3 000b 10 0200 0100 01")
    assert codestream_size(stream) == (512, 256)


def test_the_offset_of_a_jpeg_2000_image_is_no_part_of_it():
    size = bytes.fromhex("ff4f ff51 0029 0000 00000030 00000020 00000008 00000004")
    assert codestream_size(size) == (0x20 - 4, 0x30 - 8)

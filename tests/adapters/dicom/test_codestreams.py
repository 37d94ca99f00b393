import numpy as np
import pytest
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from pipeline.adapters.dicom.codestreams import codestream_size, require_sound_claims
from pipeline.adapters.refused import Refused
from tests.dicom_files import image_dataset, jpeg_dataset, jpeg_stream
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


def test_sound_claims_are_let_through():
    for syntax in (JPEGLSLossless, JPEG2000Lossless, RLELossless):
        dataset = image_dataset(PIXELS)
        dataset.compress(syntax, generate_instance_uid=False)
        require_sound_claims(dataset, 0)
    require_sound_claims(jpeg_dataset(PIXELS, jpeg_stream(PIXELS)), 0)


@pytest.mark.parametrize("size", [(48, 41), (49, 40), (4800, 4000)])
def test_a_frame_of_another_size_is_refused(size):
    dataset = jpeg_dataset(PIXELS, jpeg_stream(np.zeros(size, np.uint16)))
    with pytest.raises(Refused, match="pixel data disagrees with its header"):
        require_sound_claims(dataset, 0)


@pytest.mark.parametrize("process", [0xC5, 0xC9, 0xCB])
def test_a_kind_of_jpeg_without_a_decoder_is_not_called_damaged(process):
    """Arithmetic-coded and hierarchical JPEG are sound files that nothing here reads."""
    stream = jpeg_stream(PIXELS).replace(b"\xff\xc3", bytes([0xFF, process]))
    with pytest.raises(Refused, match="compression without a decoder") as refused:
        require_sound_claims(jpeg_dataset(PIXELS, stream), 0)
    assert "no decoder here reads" in refused.value.advice
    assert "damaged" not in refused.value.advice


@pytest.mark.parametrize("cut", [1, 2, 100])
def test_a_stream_without_an_end_is_no_image(cut):
    """A decoder of JPEG-LS takes seconds to give up on one."""
    jpeg_ls = image_dataset(PIXELS)
    jpeg_ls.compress(JPEGLSLossless, generate_instance_uid=False)
    for stream in (
        jpeg_stream(PIXELS),
        get_frame(jpeg_ls.PixelData, 0, number_of_frames=1).rstrip(b"\0"),
    ):
        dataset = jpeg_dataset(PIXELS, stream, PixelData=encapsulate([stream[:-cut]]))
        with pytest.raises(ValueError, match="expected a JPEG that ends"):
            require_sound_claims(dataset, 0)

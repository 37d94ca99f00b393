import numpy as np
import pytest

from pipeline.adapters.dicom.jpeg_markers import JpegFrame, bare_jpeg, jpeg_frame
from tests.dicom_files import jpeg_stream

NOISE = np.random.default_rng(0).integers(0, 4096, (48, 40), dtype=np.uint16)
SCAN = "ffda 0002 1234 ff00 56"


def bare(header, scan=SCAN, end="ffd9"):
    return bare_jpeg(bytes.fromhex(f"ffd8 {header} {scan} {end}"))


@pytest.mark.parametrize(
    ("bits", "lossless", "process"),
    [(12, True, 0xC3), (16, True, 0xC3), (12, False, 0xC1)],
)
def test_finds_what_an_encoder_wrote(bits, lossless, process):
    stream = jpeg_stream(NOISE, bits=bits, lossless=lossless)
    assert jpeg_frame(stream) == JpegFrame(process, bits, 48, 40, 1)


def test_markers_without_a_length_are_passed_over():
    # A fill byte, a restart and the temporary marker before the frame of 1 row and 2 columns.
    stream = bytes.fromhex("ffd8 ff ffd0 ff01 ffc0 000b 08 0001 0002 01 000000")
    assert jpeg_frame(stream) == JpegFrame(0xC0, 8, 1, 2, 1)


@pytest.mark.parametrize("kept", ["ffdb 0004 abcd", "ffc4 0003 ab", "ffdd 0004 0001", ""])
def test_what_applications_note_is_left_out_and_the_rest_kept(kept):
    found = bare(f"ffe0 0004 4a46 {kept} fffe 0003 43 ffee 0002")
    assert found == bytes.fromhex(f"ffd8 {kept} {SCAN} ffd9 ffd9")


@pytest.mark.parametrize("padding", ["", "00", "0000", "ff", "616263"])
def test_what_follows_the_end_is_left_out(padding):
    assert bare("", end=f"ffd9 {padding}") == bytes.fromhex(f"ffd8 {SCAN} ffd9 ffd9")


@pytest.mark.parametrize(
    ("header", "scan", "end"),
    [
        ("", SCAN, ""),
        ("", SCAN, "ff"),
        ("", "", "ffd9"),
        ("", "ffda 0008 12", "ffd9"),
        ("ffe0 0400", SCAN, "ffd9"),
        # An end among what an application notes is not the image's.
        ("ffe0 0004 ffd9", SCAN, ""),
        ("00", SCAN, "ffd9"),
    ],
)
def test_a_stream_that_was_cut_off_is_none(header, scan, end):
    assert bare(header, scan, end) is None


@pytest.mark.parametrize("stream", [b"", b"\xff", b"\xff\xd8", b"no image", b"\xff\xd9" * 4])
def test_what_is_no_jpeg_is_none(stream):
    assert jpeg_frame(stream) is None
    assert bare_jpeg(stream) is None


@pytest.mark.parametrize(
    ("process", "precision", "num_rows", "num_components", "expected"),
    [
        (0xC0, 8, 4, 1, True),
        (0xC1, 12, 4, 3, True),
        (0xC2, 12, 4, 1, True),
        (0xC3, 2, 4, 1, True),
        (0xC3, 16, 4, 3, True),
        (0xF7, 5, 4, 4, True),
        # Neither 8 nor 12 bits, more than 16, hierarchical, arithmetic-coded, four colours,
        # a height that is counted at the end.
        (0xC1, 10, 4, 1, False),
        (0xC3, 17, 4, 1, False),
        (0xC5, 8, 4, 1, False),
        (0xC9, 8, 4, 1, False),
        (0xC0, 8, 4, 4, False),
        (0xC0, 8, 0, 1, False),
    ],
)
def test_knows_which_kinds_have_a_decoder(process, precision, num_rows, num_components, expected):
    assert JpegFrame(process, precision, num_rows, 4, num_components).has_decoder is expected

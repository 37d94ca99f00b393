import struct

import numpy as np
import pytest

from pipeline.adapters.picture import decode_picture
from pipeline.adapters.refused import Refused
from tests.dicom_files import jpeg_stream
from tests.picture_files import chunk, png, tiff
from tests.sources import encode

GREYS = np.random.default_rng(0).integers(0, 256, (6, 8), np.uint8)
COLOURS = np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8)


def deep(channels):
    return np.random.default_rng(2).integers(0, 2**16, (6, 8, channels), np.uint16)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(png(deep(1), 0), id="grey PNG"),
        pytest.param(png(deep(3), 2), id="PNG in colour"),
        pytest.param(png(deep(2), 4), id="grey PNG with transparency"),
        pytest.param(png(deep(4), 6), id="PNG in colour with transparency"),
        pytest.param(tiff(deep(1), photometric=1), id="grey TIFF"),
        pytest.param(tiff(deep(3), photometric=2), id="TIFF in colour"),
        pytest.param(tiff(deep(4), photometric=5), id="TIFF for print"),
        pytest.param(jpeg_stream(deep(1)[..., 0] >> 4, bits=12, lossless=False), id="grey JPEG"),
        pytest.param(jpeg_stream(deep(3) >> 4, bits=12, lossless=False), id="JPEG in colour"),
        pytest.param(jpeg_stream(deep(1)[..., 0]), id="lossless JPEG"),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_no_picture_of_more_than_eight_bits_is_cut_to_its_high_bytes(content, channels):
    with pytest.raises(Refused, match="more than 8 bits a value"):
        decode_picture(content, channels=channels)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(png(COLOURS, 2), id="PNG"),
        pytest.param(tiff(COLOURS, photometric=2), id="TIFF"),
        pytest.param(tiff(COLOURS, photometric=2, sample_format=1), id="TIFF that says unsigned"),
    ],
)
def test_pictures_of_eight_bits_are_read_in_full(content):
    np.testing.assert_array_equal(decode_picture(content, channels=3), COLOURS)


def test_a_second_header_hides_no_depth():
    content = png(deep(3), 2)
    plain = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 6, 8, 2, 0, 0, 0))
    with pytest.raises(Refused, match="more than 8 bits a value"):
        decode_picture(content[:8] + plain + content[8:], channels=3)


@pytest.mark.parametrize(("kind", "dtype"), [(2, np.int8), (3, np.float32)])
def test_values_below_zero_are_not_taken_for_bright_ones(kind, dtype):
    content = tiff(np.full((6, 8, 1), -1, dtype), photometric=1, sample_format=kind)
    with pytest.raises(Refused, match="values are signed|more than 8 bits"):
        decode_picture(content, channels=1)


def test_a_jpeg_that_only_its_decoder_is_missing_for_is_not_called_damaged():
    with pytest.raises(Refused, match="compression without a decoder"):
        decode_picture(jpeg_stream(GREYS), channels=1)


def test_rows_that_a_file_lacks_are_not_black():
    content = tiff(GREYS[..., None], photometric=1, rows_a_strip=2)  # one strip of the three
    with pytest.raises(Refused, match="truncated or damaged picture"):
        decode_picture(content, channels=1)


def test_colours_that_are_no_rgb_are_said_to_be_so():
    with pytest.raises(Refused, match="colours that are not read"):
        decode_picture(tiff(COLOURS, photometric=8), channels=3)


def test_a_jpeg_of_very_many_scans_is_not_decoded():
    """Each scan of a few bytes is gone through with the whole image."""
    content = encode(GREYS, "JPEG", progressive=True)
    scan = content[content.rfind(b"\xff\xda") : -2]
    few, many = (content[:-2] + number * scan + content[-2:] for number in (10, 100))
    assert decode_picture(few, channels=1).shape == (6, 8, 1)
    with pytest.raises(Refused, match="JPEG of too many scans"):
        decode_picture(many, channels=1)


def test_what_only_looks_like_a_scan_of_a_jpeg_counts_for_none():
    """A note before the image and a film behind it may hold any bytes."""
    content = encode(GREYS, "JPEG")
    looks = 500 * b"\xff\xda\0\0"
    note = b"\xff\xfe" + (len(looks) + 2).to_bytes(2, "big") + looks
    decoded = decode_picture(content[:2] + note + content[2:] + looks, channels=1)
    np.testing.assert_array_equal(decoded, decode_picture(content, channels=1))


def test_a_png_of_very_many_chunks_is_not_looked_through():
    note = chunk(b"teSt")
    few, many = (png(GREYS[..., None], 0, more=number * note) for number in (10, 1000))
    np.testing.assert_array_equal(decode_picture(few, channels=1)[..., 0], GREYS)
    with pytest.raises(Refused, match="PNG of too many chunks"):
        decode_picture(many, channels=1)

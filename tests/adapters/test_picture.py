import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pipeline.adapters.picture import decode_picture
from pipeline.adapters.refused import Refused
from tests.dicom_files import jpeg_stream
from tests.picture_files import chunk, png, tiff
from tests.sources import encode

COLOURS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
GREYS = COLOURS[:, :, 0]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_lossless_pixels_come_back_exactly(kind):
    np.testing.assert_array_equal(decode_picture(encode(COLOURS, kind), channels=3), COLOURS)
    decoded = decode_picture(encode(GREYS, kind), channels=1)
    np.testing.assert_array_equal(decoded, GREYS[..., None])


def test_a_smooth_jpeg_comes_back_closely():
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))
    decoded = decode_picture(encode(ramp, "JPEG", quality=95), channels=1)[..., 0]
    assert np.abs(decoded.astype(int) - ramp).max() <= 4


def test_channels_become_those_asked_for():
    three = decode_picture(encode(GREYS), channels=3)
    np.testing.assert_array_equal(three, np.repeat(GREYS[..., None], 3, axis=2))
    grey = decode_picture(encode(COLOURS), channels=1)[..., 0]
    luma = COLOURS @ [0.299, 0.587, 0.114]  # ITU-R BT.601
    assert np.abs(grey - luma).max() <= 1


def test_palette_and_transparency_are_resolved():
    palette = Image.fromarray(COLOURS).quantize(256)
    decoded = decode_picture(encode_image(palette), channels=3)
    np.testing.assert_array_equal(decoded, np.asarray(palette.convert("RGB")))
    transparent = np.dstack([COLOURS, np.zeros_like(GREYS)])
    np.testing.assert_array_equal(decode_picture(encode(transparent), channels=3), COLOURS)


def encode_image(image):
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def test_a_picture_taken_sideways_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to see it upright
    content = encode(GREYS, "PNG", exif=exif)
    np.testing.assert_array_equal(decode_picture(content, channels=1)[..., 0], np.rot90(GREYS, -1))


def png_that_claims(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    data = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height"),
    [(2**13 + 1, 2**13), (2**20, 2**20), (1, 2**26), (2**26, 1), (2**16, 1), (1, 2**16)],
)
def test_a_header_that_claims_too_much_is_refused_unread(width, height):
    with pytest.raises(Refused, match="picture claims too many pixels"):
        decode_picture(png_that_claims(width, height), channels=1)


@pytest.mark.parametrize("side", [5000, 8192])
def test_a_blank_picture_in_few_bytes_is_not_unfolded(side):
    content = encode(np.zeros((side, side), np.uint8))
    assert len(content) < 70_000
    with pytest.raises(Refused, match="compressed too far to hold an image"):
        decode_picture(content, channels=1)


def test_a_blank_picture_that_costs_nothing_is_read():
    assert decode_picture(encode(np.zeros((512, 512), np.uint8)), channels=1).max() == 0


def several_pictures():
    buffer = io.BytesIO()
    first, second = Image.fromarray(GREYS), Image.fromarray(GREYS)
    first.save(buffer, format="TIFF", save_all=True, append_images=[second])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a picture"),
        (b"no picture", "not a picture"),
        (encode(GREYS, "BMP"), "not a picture"),
        (encode(GREYS.astype(np.uint16)), "more than 8 bits a value"),
        (encode(GREYS.astype(np.float32), "TIFF"), "more than 8 bits a value"),
        (encode(COLOURS, "PNG")[:-40], "truncated or damaged picture"),
        (encode(COLOURS, "JPEG")[:-40], "truncated or damaged picture"),
        (encode(COLOURS, "TIFF", compression="tiff_lzw")[:60], "not a picture|truncated"),
        (several_pictures(), "several pictures in one file"),
    ],
)
def test_what_is_no_whole_picture_is_refused(content, reason):
    with pytest.raises(Refused, match=reason):
        decode_picture(content, channels=3)


@pytest.mark.parametrize("kind", [2, 7, 10, 12, 16], ids=lambda kind: f"type {kind}")
def test_a_tiff_whose_directory_is_damaged_is_refused_or_read(kind):
    """Text, bytes, fractions, floats and very long numbers where a tag holds none (TIFF 6.0)."""
    sound = tiff(GREYS[..., None], photometric=1)
    num_tags = int.from_bytes(sound[8:10], "little")
    refused = 0
    for start in range(10, 10 + 12 * num_tags, 12):
        for count in (1, 2, 3):
            damaged = bytearray(sound)
            damaged[start + 2 : start + 8] = struct.pack("<HI", kind, count)
            try:
                assert decode_picture(bytes(damaged), channels=1).shape == (*GREYS.shape, 1)
            except Refused:
                refused += 1
    assert refused


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

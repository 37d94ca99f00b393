from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import JPEGBaseline8Bit

from pipeline.adapters.dicom.decoders import decoded_arrays
from pipeline.adapters.dicom.jpeg import decode_frame
from pipeline.adapters.dicom.jpeg_markers import jpeg_frame
from pipeline.adapters.dicom.opening import quiet
from tests.dicom_files import jpeg_dataset, jpeg_stream

RANDOM = np.random.default_rng(0)
NOISE = RANDOM.integers(0, 4096, (48, 40), dtype=np.uint16)
COLOURS = RANDOM.integers(0, 256, (48, 40, 3), dtype=np.uint8)
SMOOTH = np.add.outer(np.arange(48), 2 * np.arange(40)).astype(np.uint8)
LOSSLESS = jpeg_stream(NOISE, bits=12)


def decoded(pixels, stream, **elements):
    """The one frame of a data set, through pydicom."""
    with quiet():
        return next(decoded_arrays(jpeg_dataset(pixels, stream, **elements), [0]))


def pillow_jpeg(pixels, **options):
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


class NoRunner:
    """What a plug-in tells pydicom, to nobody."""

    def set_option(self, name, value):
        pass


@pytest.mark.parametrize(
    ("pixels", "bits"), [(SMOOTH, 8), (COLOURS, 8), (NOISE, 12), (NOISE * 16, 16)]
)
def test_lossless_gives_back_what_was_written(pixels, bits):
    np.testing.assert_array_equal(decoded(pixels, jpeg_stream(pixels, bits=bits)), pixels)


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (7, 1), (1, 5)])
def test_an_odd_number_of_bytes_is_no_fault(shape):
    pixels = np.full(shape, 77, np.uint8)
    found = decoded(pixels, pillow_jpeg(pixels), syntax=JPEGBaseline8Bit)
    # A flat image keeps its mean to a level.
    np.testing.assert_allclose(found, pixels.astype(int), atol=1)


@pytest.mark.parametrize("progressive", [False, True])
def test_lossy_agrees_with_another_decoder(progressive):
    stream = pillow_jpeg(SMOOTH, quality=80, progressive=progressive)
    found = decoded(SMOOTH, stream, syntax=JPEGBaseline8Bit)
    # Two inverse cosine transforms may round one level apart.
    expected = np.asarray(Image.open(BytesIO(stream)), int)
    np.testing.assert_allclose(found, expected, atol=1)


def test_twelve_bits_lossy_are_nearly_what_was_written():
    pixels = SMOOTH.astype(np.uint16) * 16
    found = decoded(pixels, jpeg_stream(pixels, bits=12, lossless=False), BitsStored=12, HighBit=11)
    # The default quality quantises in steps of tens of 4,096 levels.
    np.testing.assert_allclose(found, pixels.astype(int), atol=32)
    assert found.max() > 255


@pytest.mark.parametrize("stored_as", ["YBR_FULL", "YBR_FULL_422", "RGB"])
def test_colours_are_converted_once(stored_as):
    # Pillow's stream is a JFIF, which is Y, Cb and Cr whatever a header calls it.
    red = np.full((16, 16, 3), (255, 0, 0), np.uint8)
    stream = pillow_jpeg(red, quality=95)
    elements = {"syntax": JPEGBaseline8Bit, "PhotometricInterpretation": stored_as}
    # Three roundings to eight bits, each spread by a factor of up to 1.772.
    np.testing.assert_allclose(decoded(red, stream, **elements), red, atol=4)


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_come_pixel_by_pixel_whatever_the_header_says(planar):
    found = decoded(COLOURS, jpeg_stream(COLOURS), PlanarConfiguration=planar)
    np.testing.assert_array_equal(found, COLOURS)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_stored_values_are_not_inverted(photometric):
    found = decoded(NOISE, LOSSLESS, PhotometricInterpretation=photometric)
    np.testing.assert_array_equal(found, NOISE)


def test_signed_values_keep_their_sign():
    signed = NOISE.astype(np.int16) - 2048
    np.testing.assert_array_equal(decoded(signed, jpeg_stream(signed.view(np.uint16))), signed)


def test_the_stream_says_how_many_bits_a_sample_has():
    # The header is of 16 bits, the stream of 8.
    found = decoded(SMOOTH.astype(np.uint16), jpeg_stream(SMOOTH), BitsStored=8, HighBit=7)
    np.testing.assert_array_equal(found, SMOOTH)


@pytest.mark.parametrize("bits", range(2, 17))
def test_lossless_may_have_any_number_of_bits(bits):
    # One level of each image of 8, 12 or 16 bits is called something else: prediction starts in
    # the middle of the range (T.81, H.1.2.1), so the whole image is shifted by the difference.
    written = next(each for each in (8, 12, 16) if bits <= each)
    dtype = np.uint8 if written == 8 else np.uint16
    pixels = RANDOM.integers(0, 4, (48, 40)).astype(dtype)
    stream = bytearray(jpeg_stream(pixels, bits=written))
    stream[stream.index(b"\xff\xc3") + 4] = bits
    shift = 2 ** (bits - 1) - 2 ** (written - 1)
    found = decoded(pixels, bytes(stream))
    np.testing.assert_array_equal(found, (pixels + np.int64(shift)).astype(dtype))


@pytest.mark.parametrize(
    "note",
    [
        "ffe0 0010 4a46494600 1101 00 0001 0001 0000",  # JFIF of an unknown version, 17.1
        "ffee 000e 41646f6265 0064 0000 0000 09",  # Adobe, with an unknown transform
        "fffe 0003 43",
    ],
)
def test_what_an_application_notes_changes_nothing(note):
    """Handed to GDCM, an unknown version ends the process."""
    stream = LOSSLESS[:2] + bytes.fromhex(note) + LOSSLESS[2:]
    np.testing.assert_array_equal(decoded(NOISE, stream), NOISE)


def test_a_segment_that_begins_at_the_very_end_is_not_waited_for():
    """Handed to GDCM, a comment whose length is the last that there is never ends."""
    stream = pillow_jpeg(SMOOTH, progressive=True)
    end = stream.rindex(b"\xff\xd9")
    with pytest.raises(ValueError, match="expected 1920 bytes from a sound JPEG image"):
        decode_frame(stream[:end] + b"\xff\xfe\xff\xd9", NoRunner())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
@pytest.mark.parametrize(
    "stream",
    [
        LOSSLESS,
        pillow_jpeg(SMOOTH),
        pillow_jpeg(COLOURS),
        pillow_jpeg(COLOURS, progressive=True),
        jpeg_stream(NOISE, bits=12, lossless=False),
    ],
    ids=["lossless", "baseline", "colour", "progressive", "twelve bits"],
)
def test_a_frame_that_was_cut_off_is_no_image(stream, share, end):
    cut = stream[: int(share * len(stream))] + end
    with pytest.raises(ValueError, match="expected"):
        decode_frame(cut, NoRunner())


def damaged(stream, seed):
    """The stream with a few bytes of its header or its body replaced, or a piece taken out."""
    random = np.random.default_rng(seed)
    found = bytearray(stream)
    reach = len(found) if seed % 2 else min(len(found), 700)
    for at in random.integers(2, reach, size=random.integers(1, 8)):
        found[at] = random.integers(256)
    if seed % 5 == 0:
        at = random.integers(2, len(found))
        del found[at : at + random.integers(1, 100)]
    return bytes(found)


@pytest.mark.parametrize(
    "stream",
    [LOSSLESS, pillow_jpeg(COLOURS), pillow_jpeg(SMOOTH, progressive=True)],
    ids=["lossless", "baseline", "progressive"],
)
def test_damage_is_refused_or_decoded_and_never_heard(stream, capfd):
    refused = 0
    for seed in range(300):
        broken = damaged(stream, seed)
        frame = jpeg_frame(broken)
        if frame is not None and frame.num_rows * frame.num_columns > 2**20:
            continue  # refused before, as larger than the header says
        try:
            decode_frame(broken, NoRunner())
        except ValueError:
            refused += 1
    assert refused > 50
    assert capfd.readouterr() == ("", "")


def test_a_codec_that_complains_of_damage_is_believed():
    stream = bytearray(pillow_jpeg(COLOURS, quality=95))
    # Most of the scan is one code over and over: the image ends before its blocks do.
    start = stream.index(b"\xff\xda") + 200
    stream[start : start + 1000] = bytes(1000)
    with pytest.raises(ValueError, match="from a sound JPEG image"):
        decode_frame(bytes(stream), NoRunner())

import numpy as np
import pytest
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from pipeline.adapters.dicom import codestreams
from pipeline.adapters.dicom.codestreams import (
    codestream_size,
    frame_offsets,
    require_sound_claims,
)
from pipeline.adapters.dicom.decoders import decoded_arrays
from pipeline.adapters.dicom.opening import quiet
from pipeline.adapters.dicom.pixels import decoded_planes
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


def compressed_frames(*, frames=(0, 1, 2), fragments=1, **arguments):
    """A data set of frames, each all of its number, without a word of where they begin."""
    streams = []
    for number in frames:
        dataset = image_dataset(np.full((4, 4), number, np.uint16))
        dataset.compress(RLELossless, generate_instance_uid=False)
        streams.append(get_frame(dataset.PixelData, 0, number_of_frames=1))
    dataset.NumberOfFrames = len(frames)
    parts = {"fragments_per_frame": fragments, "has_bot": False} | arguments
    dataset.PixelData = encapsulate(streams, **parts)
    return dataset


def test_frames_that_a_file_does_not_tell_where_to_find_are_found_once():
    dataset = compressed_frames()
    offsets = frame_offsets(dataset)
    for frame in range(3):
        expected = get_frame(dataset.PixelData, frame, number_of_frames=3)
        assert get_frame(dataset.PixelData, frame, extended_offsets=offsets) == expected
    found = [int(values[0, 0]) for values in decoded_arrays(dataset, (2, 0, 1), offsets)]
    assert found == [2, 0, 1]


def test_frames_of_several_fragments_or_with_a_table_are_left_to_the_library():
    assert frame_offsets(compressed_frames(fragments=2)) is None
    assert frame_offsets(compressed_frames(has_bot=True)) is None


def test_the_frames_of_a_file_are_looked_for_once(monkeypatch, tmp_path):
    from pydicom import encaps

    parsed, parse = [], encaps.parse_fragments

    def counted(*arguments, **options):
        parsed.append(arguments)
        return parse(*arguments, **options)

    for place in (encaps, codestreams):
        monkeypatch.setattr(place, "parse_fragments", counted)
    dataset = compressed_frames(frames=range(20))
    dataset.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with quiet():
        planes = decoded_planes(tmp_path / "a.dcm", range(20), max_pixels=1000, presented=True)
        assert [int(plane.values[0, 0]) for plane in planes] == list(range(20))
    assert len(parsed) == 1


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


def test_a_jpeg_of_very_many_scans_is_refused_before_it_is_decoded():
    stream = jpeg_stream(PIXELS)
    scan = stream[stream.index(b"\xff\xda") : -2]
    few, many = (stream[:-2] + number * scan + stream[-2:] for number in (99, 100))
    require_sound_claims(jpeg_dataset(PIXELS, few), 0)
    with pytest.raises(Refused, match="JPEG of too many scans"):
        require_sound_claims(jpeg_dataset(PIXELS, many), 0)

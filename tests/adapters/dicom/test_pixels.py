from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, Sequence, dcmread
from pydicom.data import get_testdata_file
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_voi_lut
from pydicom.tag import Tag
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from pipeline.adapters.dicom.decoders import stated_syntax
from pipeline.adapters.dicom.opening import quiet
from pipeline.adapters.dicom.pixels import decoded_planes
from pipeline.adapters.refused import Refused
from pipeline.adapters.windowing import Window
from tests.dicom_files import image_dataset, jpeg_dataset, jpeg_stream, write_image
from tests.sources import mirrored

NOISE = np.random.default_rng(0).integers(0, 4096, (48, 40), dtype=np.uint16)
COLOURS = np.random.default_rng(1).integers(0, 256, (48, 40, 3), dtype=np.uint8)
MIRRORED_CT = "dicom/syntaxes/CTImage.dcm_"


def planes(path, frames=(0,), *, max_pixels=2**24, presented=True):
    with quiet():
        return list(decoded_planes(path, frames, max_pixels=max_pixels, presented=presented))


def save(dataset, path):
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16])
def test_reads_every_uncompressed_syntax(tmp_path, syntax, dtype):
    stored = (NOISE - 500).astype(dtype)
    bytes_ = stored.astype(np.dtype(dtype).newbyteorder(">" if "1.2.2" in syntax[-5:] else "<"))
    dataset = image_dataset(stored, syntax=syntax, PixelData=bytes_.tobytes())
    (plane,) = planes(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(plane.values, stored.astype(np.float32))


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("pixels", [NOISE, COLOURS], ids=["grey", "colour"])
def test_reads_every_compressed_syntax_that_can_be_written(tmp_path, syntax, pixels):
    dataset = image_dataset(pixels)
    dataset.compress(syntax, generate_instance_uid=False)
    (plane,) = planes(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(plane.values, pixels.astype(plane.values.dtype))


@pytest.mark.parametrize("pixels", [NOISE, COLOURS], ids=["grey", "colour"])
def test_reads_lossless_jpeg(tmp_path, pixels):
    dataset = jpeg_dataset(pixels, jpeg_stream(pixels))
    (plane,) = planes(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(plane.values, pixels.astype(plane.values.dtype))


def test_reads_every_frame_of_a_jpeg(tmp_path):
    streams = [jpeg_stream(NOISE + number) for number in range(3)]
    elements = {"NumberOfFrames": 3, "PixelData": encapsulate(streams)}
    dataset = jpeg_dataset(NOISE, streams[0], **elements)
    found = planes(save(dataset, tmp_path / "a.dcm"), (2, 0))
    np.testing.assert_array_equal(found[0].values, NOISE + 2.0)
    np.testing.assert_array_equal(found[1].values, NOISE)


@pytest.mark.parametrize(
    "name",
    [
        "BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2",
        "DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99",
        "JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90",
        "JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80",
        "JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70",
        "JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57",
        "LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2",
        "RLELosslessTransferSyntax_1.2.840.10008.1.2.5",
    ],
)
def test_a_real_slice_is_the_same_in_every_lossless_syntax(name):
    plain = mirrored(f"{MIRRORED_CT}LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm")
    (expected,), (plane,) = planes(plain), planes(mirrored(f"{MIRRORED_CT}{name}.dcm"))
    np.testing.assert_array_equal(plane.values, expected.values)
    assert plane.window == expected.window


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        # The lossy files store 8 or 12 bits over the same range, in steps of 32 and 2 hounsfield.
        ("JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91", 5.0),
        ("JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81", 5.0),
        ("JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50", 40.0),
        ("JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51", 5.0),
        ("JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53", 5.0),
        ("JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55", 5.0),
    ],
)
def test_a_real_slice_is_nearly_the_same_in_every_lossy_syntax(name, tolerance):
    plain = mirrored(f"{MIRRORED_CT}LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm")
    (expected,), (plane,) = planes(plain), planes(mirrored(f"{MIRRORED_CT}{name}.dcm"))
    assert np.abs(plane.values - expected.values).mean() < tolerance


def test_the_ways_to_send_one_cosine_transform_hold_the_same_image():
    """Sequential, by bands and by bits: the same coefficients, in another order."""
    sequential, bands, bits = (
        planes(mirrored(f"{MIRRORED_CT}JPEGProcess{process}.dcm"))[0].values
        for process in (
            "2_4TransferSyntax_1.2.840.10008.1.2.4.51",
            "6_8TransferSyntax_1.2.840.10008.1.2.4.53",
            "10_12TransferSyntax_1.2.840.10008.1.2.4.55",
        )
    )
    np.testing.assert_array_equal(sequential, bands)
    np.testing.assert_array_equal(sequential, bits)


def test_a_frame_in_fragments_of_twelve_bits_is_read():
    path = mirrored("dicom/syntaxes/CT0012.fragmented_no_bot_jpeg_baseline.51.dcm")
    first, second = planes(path, (0, 1))
    # Eight bits would hold no such values.
    assert min(first.values.max(), second.values.max()) > 256
    assert not np.array_equal(first.values, second.values)


def test_a_syntax_without_a_decoder_is_refused(tmp_path):
    dataset = jpeg_dataset(NOISE, jpeg_stream(NOISE), syntax=MPEG2MPML)
    with pytest.raises(Refused, match="transfer syntax without a decoder") as refused:
        planes(save(dataset, tmp_path / "a.dcm"))
    assert "no decoder here reads MPEG2 Main Profile" in refused.value.advice


def test_a_real_image_of_twelve_bits_with_an_odd_scan_is_read():
    """Its scan states an end that its process does not have; the image is the other file's."""
    odd, plain = (
        planes(Path(get_testdata_file(name)))[0] for name in ("JPEG-lossy.dcm", "JPGExtended.dcm")
    )
    np.testing.assert_array_equal(odd.values, plain.values)


def test_rescales_stored_values(tmp_path):
    write_image(tmp_path / "a.dcm", NOISE, RescaleSlope=2, RescaleIntercept=-1024)
    (plane,) = planes(tmp_path / "a.dcm")
    np.testing.assert_array_equal(plane.values, NOISE * 2.0 - 1024)


def test_a_modality_table_translates_stored_values(tmp_path):
    table = Dataset()
    table.LUTDescriptor = [4, 0, 16]
    table.LUTData = np.array([10, 20, 40, 80], np.uint16).tobytes()
    table["LUTData"].VR = "OW"
    stored = np.array([[0, 1], [2, 3]], np.uint16)
    write_image(tmp_path / "a.dcm", stored, ModalityLUTSequence=Sequence([table]))
    (plane,) = planes(tmp_path / "a.dcm")
    np.testing.assert_array_equal(plane.values, [[10, 20], [40, 80]])


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_agree_with_pydicoms_own(tmp_path, function):
    window = {"WindowCenter": 1500, "WindowWidth": 900, "VOILUTFunction": function}
    dataset = write_image(tmp_path / "a.dcm", NOISE, **window)
    (plane,) = planes(tmp_path / "a.dcm")
    # pydicom spreads a window over the range that the stored bits allow.
    expected = apply_voi_lut(NOISE, dataset) / (2**16 - 1) * 255
    assert plane.window is not None
    shown = plane.window(plane.values, "float32")
    lowest, highest = plane.window.lowest, plane.window.highest
    np.testing.assert_allclose((shown - lowest) / (highest - lowest) * 255, expected, atol=1e-3)


def test_a_display_table_goes_before_a_window(tmp_path):
    table = Dataset()
    table.LUTDescriptor = [4, 0, 8]
    table.LUTData = np.array([0, 200, 100, 255], np.uint16).tobytes()
    table["LUTData"].VR = "OW"
    elements = {"VOILUTSequence": Sequence([table]), "WindowCenter": 1, "WindowWidth": 2}
    write_image(tmp_path / "a.dcm", np.array([[0, 1], [2, 3]], np.uint16), **elements)
    (plane,) = planes(tmp_path / "a.dcm")
    np.testing.assert_array_equal(plane.values, [[0, 200], [100, 255]])
    assert plane.window == Window(0, 255)
    (unpresented,) = planes(tmp_path / "a.dcm", presented=False)
    np.testing.assert_array_equal(unpresented.values, [[0, 1], [2, 3]])


def test_the_first_of_several_windows_counts(tmp_path):
    write_image(tmp_path / "a.dcm", NOISE, WindowCenter=[50, 600], WindowWidth=[401, 1500])
    assert planes(tmp_path / "a.dcm")[0].window == Window(50 - 0.5 - 200, 50 - 0.5 + 200)


def test_without_a_window_there_is_none(tmp_path):
    write_image(tmp_path / "a.dcm", NOISE)
    assert planes(tmp_path / "a.dcm")[0].window is None


@pytest.mark.parametrize(
    ("elements", "keyword"),
    [
        ({"WindowCenter": 50, "WindowWidth": 0}, "WindowWidth"),
        ({"WindowCenter": 50, "WindowWidth": -5}, "WindowWidth"),
        # LINEAR spans the width less one (DICOM PS3.3 C.11.2.1.2.1): below one it is no window.
        ({"WindowCenter": 0.5, "WindowWidth": 0.5}, "WindowWidth"),
        ({"WindowCenter": 50}, "WindowWidth"),
        ({"WindowWidth": 50}, "WindowWidth"),
        ({"WindowCenter": [50, 60], "WindowWidth": 80}, "WindowWidth"),
        ({"WindowCenter": 1, "WindowWidth": 2, "VOILUTFunction": "LOG"}, "VOILUTFunction"),
        ({"WindowCenter": 1e300, "WindowWidth": 2}, "WindowCenter"),
    ],
)
def test_a_window_that_cannot_be_used_is_refused_where_it_is_asked_for(tmp_path, elements, keyword):
    write_image(tmp_path / "a.dcm", NOISE, **elements)
    with pytest.raises(Refused, match=f"unusable {keyword}"):
        planes(tmp_path / "a.dcm")
    assert planes(tmp_path / "a.dcm", presented=False)[0].window is None


def test_a_narrow_window_may_be_exact(tmp_path):
    window = {"WindowCenter": 0.5, "WindowWidth": 0.5, "VOILUTFunction": "LINEAR_EXACT"}
    write_image(tmp_path / "a.dcm", NOISE, **window)
    assert planes(tmp_path / "a.dcm")[0].window == Window(0.25, 0.75)


def with_raw(path, keyword, content):
    """Put bytes that nothing vouches for into an element of a file."""
    with quiet():
        dataset = dcmread(path)
        tag = Tag(keyword)
        dataset[tag] = RawDataElement(tag, "DS", len(content), content, 0, False, True)
        dataset.save_as(path)
    return path


@pytest.mark.parametrize("value", [b"-1024,0", b"-1024\\0", b"- 1024", b"none", b"1e999 "])
@pytest.mark.parametrize("keyword", ["RescaleIntercept", "RescaleSlope"])
def test_a_rescale_that_cannot_be_read_is_refused(tmp_path, keyword, value):
    """Left out, it would put every value 1,024 hounsfield too high."""
    write_image(tmp_path / "a.dcm", NOISE, RescaleSlope=1, RescaleIntercept=-1024)
    with pytest.raises(Refused, match=f"unusable {keyword}"):
        planes(with_raw(tmp_path / "a.dcm", keyword, value))


@pytest.mark.parametrize("slope", ["0", "1e-50"])
def test_a_slope_of_zero_is_refused(tmp_path, slope):
    write_image(tmp_path / "a.dcm", NOISE, RescaleSlope=slope, RescaleIntercept=-1024)
    with pytest.raises(Refused, match="unusable RescaleSlope") as refused:
        planes(tmp_path / "a.dcm")
    assert "other than zero" in refused.value.advice


def test_a_falling_slope_is_a_slope(tmp_path):
    write_image(tmp_path / "a.dcm", NOISE, RescaleSlope=-2, RescaleIntercept=100)
    np.testing.assert_array_equal(planes(tmp_path / "a.dcm")[0].values, 100 - 2.0 * NOISE)


@pytest.mark.parametrize(
    ("elements", "keyword"),
    [
        ({"PhotometricInterpretation": "MONOCHROME3"}, "PhotometricInterpretation"),
        ({"PhotometricInterpretation": "RGB"}, "PhotometricInterpretation"),
        ({"SamplesPerPixel": 2}, "SamplesPerPixel"),
        ({"PixelRepresentation": 2}, "PixelRepresentation"),
        ({"BitsAllocated": 12}, "BitsAllocated"),
        ({"BitsStored": 17}, "BitsStored"),
        # Twelve bits in the upper part: read as they lie, all values would be 16 times as high.
        ({"BitsStored": 12, "HighBit": 15}, "HighBit"),
    ],
)
def test_a_pixel_format_that_cannot_be_used_is_refused(tmp_path, elements, keyword):
    write_image(tmp_path / "a.dcm", NOISE, **elements)
    with pytest.raises(Refused, match=f"unusable {keyword}") as refused:
        planes(tmp_path / "a.dcm")
    assert refused.value.advice.startswith("expected ")


def test_two_transfer_syntaxes_are_one_too_many(tmp_path):
    write_image(tmp_path / "a.dcm", NOISE)
    with quiet():
        dataset = dcmread(tmp_path / "a.dcm")
        both = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
        dataset.file_meta.TransferSyntaxUID = both
        with pytest.raises(Refused, match="unusable TransferSyntaxUID"):
            stated_syntax(dataset)


def float_dataset(values):
    """A parametric map's way to store values: as floats, which rescale nothing."""
    dataset = image_dataset(np.zeros(values.shape, np.uint16), PixelData=None)
    dataset.BitsAllocated = 32
    for keyword in ("BitsStored", "HighBit", "PixelRepresentation"):
        del dataset[keyword]
    dataset.FloatPixelData = values.astype("<f4").tobytes()
    return dataset


def test_floating_point_pixels_are_read(tmp_path):
    values = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    (plane,) = planes(save(float_dataset(values), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(plane.values, values)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_refused(tmp_path, value):
    """One of them would make every grey level of a window NaN, and the picture black."""
    values = np.ones((3, 4), np.float32)
    values[1, 2] = value
    with pytest.raises(Refused, match="pixels are not finite"):
        planes(save(float_dataset(values), tmp_path / "a.dcm"))


def test_a_slope_that_leaves_the_range_of_floats_is_refused(tmp_path):
    write_image(tmp_path / "a.dcm", NOISE + 1000, RescaleSlope=1e38, RescaleIntercept=0)
    with np.errstate(over="ignore"), pytest.raises(Refused, match="pixels are not finite"):
        planes(tmp_path / "a.dcm")


FILLED = np.array([[-2000, 5], [7, -2000]], np.int16)


@pytest.mark.parametrize(
    ("stored", "elements", "expected"),
    [
        (FILLED, {"PixelPaddingValue": -2000}, FILLED == -2000),
        # A range, from either end.
        (FILLED, {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": 5}, FILLED < 7),
        (FILLED, {"PixelPaddingValue": 5, "PixelPaddingRangeLimit": -2000}, FILLED < 7),
        (FILLED + 2000, {"PixelPaddingValue": 0}, FILLED == -2000),
        (FILLED, {"PixelPaddingValue": 9}, None),
        (FILLED, {}, None),
    ],
)
def test_what_fills_a_frame_up_is_told_from_the_patient(tmp_path, stored, elements, expected):
    write_image(tmp_path / "a.dcm", stored, RescaleSlope=2, RescaleIntercept=-1024, **elements)
    (plane,) = planes(tmp_path / "a.dcm")
    if expected is None:
        assert plane.padding is None
    else:
        np.testing.assert_array_equal(plane.padding, expected)


def test_padding_written_without_its_sign_is_found(tmp_path):
    dataset = image_dataset(FILLED)
    dataset.add_new("PixelPaddingValue", "US", 2**16 - 2000)
    (plane,) = planes(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(plane.padding, FILLED == -2000)


def test_floating_point_padding_has_its_own_element(tmp_path):
    dataset = float_dataset(np.array([[0.5, -1e6], [1, 2]], np.float32))
    dataset.FloatPixelPaddingValue = -1e6
    (plane,) = planes(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(plane.padding, [[False, True], [False, False]])


def test_padding_that_cannot_be_read_is_refused(tmp_path):
    dataset = image_dataset(FILLED)
    dataset.add_new("PixelPaddingValue", "SS", [1, 2])
    with pytest.raises(Refused, match="unusable PixelPaddingValue"):
        planes(save(dataset, tmp_path / "a.dcm"))


def test_low_values_are_bright_in_monochrome1(tmp_path):
    write_image(tmp_path / "a.dcm", NOISE, PhotometricInterpretation="MONOCHROME1")
    assert planes(tmp_path / "a.dcm")[0].inverted


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_becomes_colours(tmp_path, bits):
    scale = 257 if bits == 16 else 1
    palette = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [10, 20, 30]], np.uint16)
    elements = {"PhotometricInterpretation": "PALETTE COLOR"}
    stored = np.array([[0, 1], [2, 3]], np.uint8)
    dataset = image_dataset(stored, **elements)
    for name, channel in zip(("Red", "Green", "Blue"), palette.T, strict=True):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [4, 0, bits])
        keyword = f"{name}PaletteColorLookupTableData"
        setattr(dataset, keyword, (channel * scale).astype(f"<u{bits // 8}").tobytes())
        dataset[keyword].VR = "OW"
    (plane,) = planes(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(plane.values, palette.astype(np.uint8)[stored])


# Y = 0.299 R + 0.587 G + 0.114 B, Cb and Cr around 128 (DICOM PS3.3 C.7.6.3.1.2): pure red is
# (76, 85, 255), pure blue (29, 255, 107), each rounded.
RED_AND_BLUE = [[[255, 0, 0], [255, 0, 0], [0, 0, 255], [0, 0, 255]]]


@pytest.mark.parametrize(
    ("photometric", "stored"),
    [
        ("YBR_FULL", [76, 85, 255, 76, 85, 255, 29, 255, 107, 29, 255, 107]),
        ("YBR_FULL_422", [76, 76, 85, 255, 29, 29, 255, 107]),
    ],
)
def test_ybr_becomes_rgb(tmp_path, photometric, stored):
    elements = {"PhotometricInterpretation": photometric, "PixelData": bytes(stored)}
    write_image(tmp_path / "a.dcm", np.zeros((1, 4, 3), np.uint8), **elements)
    (plane,) = planes(tmp_path / "a.dcm")
    # Rounding to eight bits there and back.
    np.testing.assert_allclose(plane.values, RED_AND_BLUE, atol=2)


def test_colour_planes_may_be_stored_one_after_the_other(tmp_path):
    bytes_ = COLOURS.transpose(2, 0, 1).tobytes()
    write_image(tmp_path / "a.dcm", COLOURS, PlanarConfiguration=1, PixelData=bytes_)
    np.testing.assert_array_equal(planes(tmp_path / "a.dcm")[0].values, COLOURS)


def test_sixteen_bit_colours_are_brought_to_eight(tmp_path):
    wide = COLOURS.astype(np.uint16) * 257
    write_image(tmp_path / "a.dcm", wide)
    np.testing.assert_array_equal(planes(tmp_path / "a.dcm")[0].values, COLOURS)


def test_frames_come_in_the_order_asked_for(tmp_path):
    frames = np.stack([np.full((4, 4), number, np.uint8) for number in range(5)])
    write_image(tmp_path / "a.dcm", frames[0], NumberOfFrames=5, PixelData=frames.tobytes())
    found = [plane.values[0, 0] for plane in planes(tmp_path / "a.dcm", (3, 0, 4))]
    assert found == [3, 0, 4]


def test_an_enhanced_frame_has_its_own_rescale_and_window(tmp_path):
    groups = []
    for slope, centre in ((1, 10), (3, 30)):
        transformation, display, group = Dataset(), Dataset(), Dataset()
        transformation.RescaleSlope, transformation.RescaleIntercept = slope, -5
        display.WindowCenter, display.WindowWidth = centre, 11
        group.PixelValueTransformationSequence = Sequence([transformation])
        group.FrameVOILUTSequence = Sequence([display])
        groups.append(group)
    elements = {"NumberOfFrames": 2, "PixelData": b"\x01" * 32}
    elements["PerFrameFunctionalGroupsSequence"] = Sequence(groups)
    write_image(tmp_path / "a.dcm", np.ones((4, 4), np.uint8), **elements)
    first, second = planes(tmp_path / "a.dcm", (0, 1))
    assert (first.values[0, 0], second.values[0, 0]) == (1 - 5, 3 - 5)
    assert (first.window, second.window) == (Window(4.5, 14.5), Window(24.5, 34.5))


def test_a_file_without_a_stated_syntax_is_read_as_it_was_parsed(tmp_path):
    write_image(tmp_path / "a.dcm", NOISE, syntax=ImplicitVRLittleEndian)
    with quiet():
        dataset = dcmread(tmp_path / "a.dcm")
        del dataset.file_meta.TransferSyntaxUID
        dataset.save_as(tmp_path / "b.dcm", implicit_vr=True, little_endian=True)
    np.testing.assert_array_equal(planes(tmp_path / "b.dcm")[0].values, NOISE)


@pytest.mark.parametrize(
    "claim",
    [{"Rows": 65535, "Columns": 65535}, {"NumberOfFrames": 2**31 - 1}, {"SamplesPerPixel": 65535}],
)
def test_a_claim_beyond_the_limit_is_refused_before_it_is_believed(tmp_path, claim):
    write_image(tmp_path / "a.dcm", NOISE, **claim)
    with pytest.raises(Refused, match="too large"):
        planes(tmp_path / "a.dcm", max_pixels=10_000)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_a_compressed_frame_larger_than_its_header_is_refused(tmp_path, syntax):
    dataset = image_dataset(NOISE)
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.Rows, dataset.Columns = 2, 2
    with pytest.raises(Refused, match="pixel data disagrees with its header"):
        planes(save(dataset, tmp_path / "a.dcm"))


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("syntax", [None, RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_a_truncated_file_is_refused(tmp_path, share, syntax):
    dataset = image_dataset(NOISE)
    if syntax is not None:
        dataset.compress(syntax, generate_instance_uid=False)
    content = save(dataset, tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(content[: int(share * len(content))])
    with pytest.raises(Refused, match="pixel data|unreadable"):
        planes(tmp_path / "a.dcm")


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize(
    ("syntax", "bits", "lossless"),
    [(JPEGLosslessSV1, 16, True), (JPEGExtended12Bit, 12, False), (JPEGBaseline8Bit, 8, False)],
)
def test_a_jpeg_that_was_cut_off_is_refused_unheard(
    tmp_path, share, syntax, bits, lossless, caplog, capfd
):
    pixels = NOISE if bits > 8 else COLOURS[..., 0]
    stream = jpeg_stream(pixels, bits=bits, lossless=lossless)
    for end in (b"", b"\xff\xd9"):
        cut = stream[: int(share * len(stream))] + end
        path = save(jpeg_dataset(pixels, cut, syntax=syntax), tmp_path / "a.dcm")
        with pytest.raises(Refused, match="pixel data cannot be decoded") as refused:
            planes(path)
        assert "truncated or damaged" in refused.value.advice
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_a_damaged_file_of_the_library_is_refused():
    with pytest.raises(Refused, match="pixel data cannot be decoded"):
        planes(Path(get_testdata_file("MR_truncated.dcm")))


def test_a_file_without_pixels_is_refused(tmp_path):
    write_image(tmp_path / "a.dcm", NOISE, PixelData=None)
    with pytest.raises(Refused, match="no pixel data"):
        planes(tmp_path / "a.dcm")

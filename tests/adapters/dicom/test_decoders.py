import hashlib

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels import get_decoder
from pydicom.uid import UID, JPEG2000Lossless, JPEGLSLossless, RLELossless

from pipeline.adapters.dicom import decoders
from pipeline.adapters.dicom.decoders import decoded_arrays, require_decoder
from pipeline.adapters.dicom.opening import quiet
from pipeline.adapters.refused import Refused
from tests.dicom_files import image_dataset, jpeg_dataset, jpeg_stream
from tests.sources import mirrored

NOISE = np.random.default_rng(0).integers(0, 4096, (48, 40), dtype=np.uint16)


@pytest.mark.parametrize(
    ("syntax", "name"),
    [(syntax, name) for syntax, name in decoders._PLUGINS.items() if name != "gdcm"],
)
def test_every_decoder_of_pydicoms_that_is_named_is_installed(syntax, name):
    assert name in get_decoder(syntax).available_plugins


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_the_named_decoder_is_the_only_one_asked(monkeypatch, syntax):
    dataset = image_dataset(NOISE)
    dataset.compress(syntax, generate_instance_uid=False)
    decoder = get_decoder(syntax)
    others = decoder.available_plugins

    def never(*_):
        pytest.fail("another decoder was asked")

    asked = {name: never for name in others if name != decoders._PLUGINS[syntax]}
    monkeypatch.setattr(decoder, "_available", decoder._available | asked)
    with quiet():
        np.testing.assert_array_equal(next(decoded_arrays(dataset, [0])), NOISE)


def test_pydicoms_own_decoders_of_jpeg_are_not_asked(monkeypatch):
    dataset = jpeg_dataset(NOISE, jpeg_stream(NOISE))
    monkeypatch.setattr(get_decoder(dataset.file_meta.TransferSyntaxUID), "_available", {})
    with quiet():
        np.testing.assert_array_equal(next(decoded_arrays(dataset, [0])), NOISE)


# GDCM's cosine transform and CharLS compute in whole numbers, so these are the same bits wherever
# they are built.
@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("CTImage.dcm_JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50", "bb8b0c13bf127c19"),
        ("CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51", "85e3b617e00dc755"),
        ("CTImage.dcm_JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81", "9595c2a8a59647d6"),
    ],
)
def test_lossy_images_are_decoded_to_the_same_bits(name, sha256):
    dataset = dcmread(mirrored(f"dicom/syntaxes/{name}.dcm"))
    with quiet():
        values = next(decoded_arrays(dataset, [0]))
    assert hashlib.sha256(values.astype("<i2").tobytes()).hexdigest()[:16] == sha256


@pytest.mark.parametrize(
    ("syntax", "named"),
    [
        ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level"),
        ("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component Image Compression"),
        ("1.2.840.113619.5.2", "a syntax of its own"),
        ("1.2.840.10008.1.2.4.100.68.79.69", "a syntax of its own"),
        ("", "a syntax of its own"),
    ],
)
def test_a_syntax_without_a_decoder_is_refused_by_its_name(syntax, named):
    with pytest.raises(Refused, match="transfer syntax without a decoder") as refused:
        require_decoder(UID(syntax))
    assert named in refused.value.advice
    assert "damaged" not in refused.value.advice
    assert "68.79.69" not in refused.value.advice

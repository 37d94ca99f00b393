"""State which library decodes which transfer syntax, so that machines decode the same bits.

Left to itself, pydicom takes whatever it finds installed, and libraries round lossy images apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from pydicom import Dataset
from pydicom.pixels import as_pixel_options, get_decoder
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
    UID_dictionary,
)

from pipeline.adapters.dicom import jpeg
from pipeline.adapters.refused import Refused

_UNCOMPRESSED = {
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
}
_GDCM = "gdcm"
_PLUGINS = {
    RLELossless: "pydicom",
    JPEGBaseline8Bit: _GDCM,
    JPEGExtended12Bit: _GDCM,
    UID("1.2.840.10008.1.2.4.53"): _GDCM,  # spectral selection, processes 6 and 8; retired
    UID("1.2.840.10008.1.2.4.55"): _GDCM,  # full progression, processes 10 and 12; retired
    JPEGLossless: _GDCM,
    JPEGLosslessSV1: _GDCM,
    JPEGLSLossless: "pyjpegls",
    JPEGLSNearLossless: "pyjpegls",
    # pylibjpeg hands these to OpenJPEG.
    JPEG2000Lossless: "pylibjpeg",
    JPEG2000: "pylibjpeg",
    HTJ2KLossless: "pylibjpeg",
    HTJ2KLosslessRPCL: "pylibjpeg",
    HTJ2K: "pylibjpeg",
}
"""What decodes each compressed syntax; all others are refused."""


def require_decoder(syntax: UID) -> None:
    """Raise `Refused` if pixels of a transfer syntax cannot be decoded here."""
    if syntax not in _UNCOMPRESSED and syntax not in _PLUGINS:
        # What is no standard UID may say anything, so it is not repeated.
        name = UID_dictionary[syntax][0] if syntax in UID_dictionary else "a syntax of its own"
        advice = f"no decoder here reads {name}: export it uncompressed"
        raise Refused(reason="transfer syntax without a decoder", advice=advice)


def decoded_arrays(dataset: Dataset, frames: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield the stored values of some frames, or their colours in RGB, in the order asked for."""
    syntax = dataset.file_meta.TransferSyntaxUID
    decoder = _jpeg_decoder(syntax) if _PLUGINS.get(syntax) == _GDCM else get_decoder(syntax)
    # What is decoded is converted to another type afterwards, so a view of the bytes will do.
    for values, _ in decoder.iter_array(
        dataset,
        indices=frames,
        decoding_plugin=_PLUGINS.get(syntax, ""),
        **as_pixel_options(dataset, view_only=True),
    ):
        yield values


@cache
def _jpeg_decoder(syntax: UID) -> Decoder:
    decoder = Decoder(syntax)
    decoder.add_plugin(_GDCM, (jpeg.__name__, jpeg.decode_frame.__name__))
    return decoder

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
from pipeline.adapters.dicom.codestreams import FrameOffsets
from pipeline.adapters.dicom.elements import texts, unusable
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


def stated_syntax(dataset: Dataset) -> UID | None:
    """Return the transfer syntax that a file states, None where it states none.

    Raises `Refused` if it states several.
    """
    stated = texts(getattr(dataset, "file_meta", Dataset()), "TransferSyntaxUID")
    if len(stated) > 1:
        raise unusable(keyword="TransferSyntaxUID", expected="one UID")
    return UID(stated[0]) if stated else None


def is_uncompressed(syntax: UID | None) -> bool:
    """Return whether pixels of a syntax lie in a file as they are, or deflated with all the rest.

    What states no syntax can be nothing else.
    """
    return syntax is None or syntax in _UNCOMPRESSED


def require_decoder(syntax: UID) -> None:
    """Raise `Refused` if pixels of a transfer syntax cannot be decoded here."""
    if syntax not in _UNCOMPRESSED and syntax not in _PLUGINS:
        # What is no standard UID may say anything, so it is not repeated.
        name = UID_dictionary[syntax][0] if syntax in UID_dictionary else "a syntax of its own"
        advice = f"no decoder here reads {name}: export it uncompressed"
        raise Refused(reason="transfer syntax without a decoder", advice=advice)


def decoded_arrays(
    dataset: Dataset, frames: Sequence[int], offsets: FrameOffsets | None = None
) -> Iterator[np.ndarray]:
    """Yield the stored values of some frames, or their colours in RGB, in the order asked for.

    `offsets` says where compressed frames begin, if that is known.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    decoder = _jpeg_decoder(syntax) if _PLUGINS.get(syntax) == _GDCM else get_decoder(syntax)
    known = {} if offsets is None else {"extended_offsets": offsets}
    # What is decoded is converted to another type afterwards, so a view of the bytes will do.
    for values, _ in decoder.iter_array(
        dataset,
        indices=frames,
        decoding_plugin=_PLUGINS.get(syntax, ""),
        **as_pixel_options(dataset, view_only=True, **known),
    ):
        yield values


@cache
def _jpeg_decoder(syntax: UID) -> Decoder:
    decoder = Decoder(syntax)
    decoder.add_plugin(_GDCM, (jpeg.__name__, jpeg.decode_frame.__name__))
    return decoder

"""Decode JPEG with GDCM, as a plug-in of pydicom's.

pydicom's own plug-in for GDCM refuses 12 bits, which GDCM reads, and hands over every byte of a
file, where GDCM ends the process at what some applications note and never returns from others.
"""

from __future__ import annotations

import gdcm
from pydicom.pixels.decoders.base import DecodeRunner

from pipeline.adapters.dicom.jpeg_markers import JpegFrame, bare_jpeg, jpeg_frame
from pipeline.adapters.silence import overheard

_PIXEL_DATA = gdcm.Tag(0x7FE0, 0x0010)
_DAMAGE = (b"Corrupt JPEG data", b"Premature end of JPEG file")
"""How the codec warns of a stream of which it had to guess a part (its table of messages)."""


def is_available(syntax: str) -> bool:  # noqa: ARG001 - pydicom asks so
    """Return whether a transfer syntax can be decoded: every one that this plug-in is added to."""
    return True


def decode_frame(source: bytes, runner: DecodeRunner) -> bytes:
    """Return the samples of a JPEG frame, colour by pixel, in the colour space they are stored in.

    Raises `ValueError` if the frame is damaged as far as that shows, or was cut off.
    """
    frame, stream = jpeg_frame(source), bare_jpeg(source)
    if frame is None or stream is None or not frame.has_decoder:
        msg = "expected a whole JPEG image, got one without a header or an end"
        raise ValueError(msg)
    samples, complaints = overheard(lambda: _decoded(stream, frame))
    bytes_each = 1 if frame.precision <= 8 else 2
    num_bytes = frame.num_rows * frame.num_columns * frame.num_components * bytes_each
    # As every value in DICOM, GDCM's is of even length.
    if len(samples) != num_bytes + num_bytes % 2 or any(each in complaints for each in _DAMAGE):
        msg = f"expected {num_bytes} bytes from a sound JPEG image, got {len(samples)}"
        raise ValueError(msg)
    runner.set_option("bits_allocated", 8 * bytes_each)
    if frame.num_components > 1:
        runner.set_option("planar_configuration", 0)
    return samples[:num_bytes]


def _decoded(stream: bytes, frame: JpegFrame) -> bytes:
    """Return what GDCM makes of a stream, nothing where it gives up."""
    codec = gdcm.JPEGCodec()
    codec.SetNumberOfDimensions(2)
    codec.SetDimensions((frame.num_columns, frame.num_rows, 1))
    codec.SetPlanarConfiguration(0)
    # GDCM leaves colours that are said to be this as they are: pydicom converts them.
    space = gdcm.PhotometricInterpretation
    kind = space.MONOCHROME2 if frame.num_components == 1 else space.YBR_FULL
    codec.SetPhotometricInterpretation(space(kind))
    # GDCM has a codec for each of these; the precision in the file's header may be another.
    bits = next(bits for bits in (8, 12, 16) if frame.precision <= bits)
    codec.SetPixelFormat(gdcm.PixelFormat(frame.num_components, bits, bits, bits - 1, 0))
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(stream)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    compressed, decoded = gdcm.DataElement(_PIXEL_DATA), gdcm.DataElement(_PIXEL_DATA)
    compressed.SetValue(fragments.__ref__())
    if not codec.Decode(compressed, decoded):
        return b""
    # GDCM's bytes come as text.
    return decoded.GetByteValue().GetBuffer().encode("utf-8", "surrogateescape")

"""Hold the elements that say how stored bits become values to what the standard allows."""

from __future__ import annotations

from pydicom import Dataset

from pipeline.adapters.dicom.elements import text, unusable, whole

_GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
_COLOURS = (
    "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT",
)  # fmt: skip


def require_pixel_format(dataset: Dataset) -> None:
    """Raise `Refused` where an element of the pixels' format is unusable (DICOM PS3.3 C.7.6.3).

    What is absent is left to the decoder, which knows what it cannot do without.
    """
    num_samples = whole(dataset, "SamplesPerPixel") or 1
    if num_samples not in (1, 3):
        raise unusable(keyword="SamplesPerPixel", expected="1 or 3")
    photometric = text(dataset, "PhotometricInterpretation")
    known = _GREY if num_samples == 1 else _COLOURS
    if photometric and photometric not in known:
        raise unusable(keyword="PhotometricInterpretation", expected=f"one of {', '.join(known)}")
    for keyword in ("PixelRepresentation", "PlanarConfiguration"):
        if whole(dataset, keyword) not in (None, 0, 1):
            raise unusable(keyword=keyword, expected="0 or 1")
    _require_bits(dataset)


def _require_bits(dataset: Dataset) -> None:
    allocated, stored, high = (
        whole(dataset, keyword) for keyword in ("BitsAllocated", "BitsStored", "HighBit")
    )
    if allocated is not None and allocated not in (1, 8, 16, 32, 64):
        raise unusable(keyword="BitsAllocated", expected="1, 8, 16, 32 or 64")
    if stored is None:
        return
    if stored < 1 or stored > (allocated or stored):
        raise unusable(keyword="BitsStored", expected=f"a whole number from 1 to {allocated}")
    # The lowest bits would be read along with the values, all of which would be multiplied by them.
    if high is not None and high != stored - 1:
        raise unusable(keyword="HighBit", expected=f"{stored - 1}, one below BitsStored,")

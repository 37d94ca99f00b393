"""Open NIfTI files that nobody vouches for: what a header says is held against limits and bytes.

No text of a header is read, and no voxel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.openers import ImageOpener
from nibabel.orientations import OrientationError
from nibabel.spatialimages import HeaderDataError

from pipeline.adapters.refused import PARSER_ERRORS, Refused, require_likely_expansion, too_large
from pipeline.adapters.silence import silenced
from pipeline.adapters.spatial import COARSEST_MM, FINEST_MM

DAMAGE = (*PARSER_ERRORS, HeaderDataError, ImageFileError, OrientationError)
"""What the library is known to raise for damaged files."""

_LONGEST_HEADER = 2**24
_LONGEST_AXIS = 2**16 - 1
_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres in the unit of each code: not stated (taken as mm), metre, mm, micron."""
_FLATTEST = 1e-3
"""The least volume of a voxel with edges of length one: below it they lie in a plane."""


@dataclass(frozen=True)
class OpenNifti:
    """A file's image as the library opens it, its voxels unread, and its unit of length in mm."""

    image: Any
    unit_mm: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis: three of space, then volumes."""
        return tuple(map(int, self.image.shape))

    def affine_mm(self) -> np.ndarray:
        """Return the (4, 4) matrix from voxels to RAS+ coordinates in mm; `Refused` if flat."""
        affine = np.array(self.image.affine, float)
        affine[:3] *= self.unit_mm
        with np.errstate(over="ignore"):  # an edge too long for a number is infinite, and refused
            edges = np.linalg.norm(affine[:3, :3], axis=0)
        is_usable = np.isfinite(affine).all() and edges.min() > 0
        if is_usable and not FINEST_MM <= edges.min() <= edges.max() <= COARSEST_MM:
            advice = f"expected {FINEST_MM:g} to {COARSEST_MM:g} mm along each axis: correct it"
            raise Refused(reason="unusable voxel size", advice=advice)
        if not is_usable or abs(np.linalg.det(affine[:3, :3] / edges)) < _FLATTEST:
            raise Refused(reason="no usable orientation", advice="correct its affine")
        return affine


def open_nifti(path: Path) -> OpenNifti:
    """Return a file opened; `Refused` if it is no NIfTI file, or its scale or unit are unusable."""
    try:
        with silenced("nibabel.global"):
            header = _stated_header(path)
            image = nib.load(path)
    except DAMAGE as error:
        raise _no_nifti() from error
    if not isinstance(image, nib.Nifti1Image | nib.Nifti2Image):
        raise _no_nifti()
    _require_usable_scale(float(header["scl_slope"]), float(header["scl_inter"]))
    unit = int(header["xyzt_units"]) & 0x07
    if unit not in _MM:
        advice = "expected metres, millimetres or microns there: correct its header"
        raise Refused(reason="unusable xyzt_units", advice=advice)
    return OpenNifti(image, _MM[unit])


def require_bytes_for_claims(nifti: OpenNifti, num_bytes: int, *, max_pixels: int) -> None:
    """Raise `Refused` if a file of so many bytes cannot hold the voxels that its header claims."""
    claimed = math.prod(nifti.shape)
    if not all(1 <= axis <= _LONGEST_AXIS for axis in nifti.shape):
        advice = f"expected 1 to {_LONGEST_AXIS} voxels along each axis: export it again"
        raise Refused(reason="unusable number of voxels", advice=advice)
    if claimed > max_pixels:
        raise too_large(claimed, "values")
    unfolded = claimed * nifti.image.get_data_dtype().itemsize
    if not _is_compressed(nifti.image):
        if nifti.image.dataobj.offset + unfolded > num_bytes:
            advice = "it is truncated or damaged: export it again"
            raise Refused(reason="voxels cannot be read", advice=advice)
    else:
        require_likely_expansion(unfolded, num_bytes)


def _stated_header(path: Path) -> Any:
    """Return a file's header as it is stored: the library hands on neither its scale nor a limit.

    Raises `ValueError` if there is none, or it claims more bytes before the voxels than any sound
    one has.
    """
    with ImageOpener(str(path)) as file:
        start = file.read(nib.Nifti2Header.template_dtype.itemsize)
        kinds = (nib.Nifti1Header, nib.Nifti2Header)
        kind = next((each for each in kinds if each.may_contain_header(start)), None)
        if kind is None:
            msg = "expected a NIfTI header, got none"
            raise ValueError(msg)
        size = kind.template_dtype.itemsize
        header = kind(start[:size], check=False)
        _require_short(file, size, int(header["vox_offset"]), big=header.endianness == ">")
    return header


def _require_short(file: ImageOpener, position: int, voxels_at: int, *, big: bool) -> None:
    """Raise `ValueError` unless a header's extensions end before the voxels, and those are near."""
    file.seek(position)
    has_extensions = file.read(4)[:1] not in (b"", b"\0")
    position += 4
    is_sound = 0 <= voxels_at <= _LONGEST_HEADER
    while is_sound and has_extensions and position + 16 <= voxels_at:
        file.seek(position)
        length = int.from_bytes(file.read(4), "big" if big else "little")
        is_sound = 8 <= length <= voxels_at - position
        position += length
    if not is_sound:
        msg = f"expected at most {_LONGEST_HEADER} bytes of header, got more"
        raise ValueError(msg)


def _require_usable_scale(slope: float, intercept: float) -> None:
    """Raise `Refused` for a scale that the library would silently leave out.

    A slope of zero (by the standard) or of NaN (by its writers) says that there is none.
    """
    says_nothing = slope == 0 or (math.isnan(slope) and (math.isnan(intercept) or intercept == 0))
    if not says_nothing and not (math.isfinite(slope) and math.isfinite(intercept)):
        advice = "expected finite numbers in scl_slope and scl_inter: correct its header"
        raise Refused(reason="unusable scl_slope", advice=advice)


def _is_compressed(image: Any) -> bool:
    return not str(image.get_filename()).lower().endswith(".nii")


def _no_nifti() -> Refused:
    return Refused(reason="no NIfTI file", advice="it is damaged, or only named like one")

"""Write simulated images as the DICOM files a scanner would send: headers full of identity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    RLELossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from pipeline.adapters.phantom.images import WINDOW_CENTRE, WINDOW_WIDTH
from pipeline.adapters.phantom.study import Site

BRIGHTEST = 2**12 - 1
_FIRST_DAY = date(2020, 1, 1)
_IMPLEMENTATION = generate_uid(entropy_srcs=["phantom", "implementation"])


@dataclass(frozen=True)
class Examination:
    """What the header of one simulated image says."""

    seed: int
    patient: int
    number: int
    sex: str
    age: int
    site: Site
    is_monochrome1: bool
    is_rle: bool

    @property
    def file_name(self) -> str:
        """Path below the study's folder."""
        return f"{self.patient // 100:02d}/{self.patient % 100:02d}/{self.number}.dcm"

    @property
    def sop_uid(self) -> str:
        """The same for the same seed, patient and number."""
        return self._uid("image", self.number)

    def _uid(self, *of: str | int) -> str:
        source = "/".join(map(str, ("phantom", self.seed, self.patient, *of)))
        return generate_uid(entropy_srcs=[source])

    def header(self) -> Dataset:
        """Return a data set with everything but its pixels; nothing in it is a real person's."""
        day = _FIRST_DAY + timedelta(days=self.patient % 365)
        header = Dataset()
        header.SOPClassUID = SecondaryCaptureImageStorage
        header.SOPInstanceUID = self.sop_uid
        header.StudyInstanceUID = self._uid("study")
        header.SeriesInstanceUID = self._uid("series", self.number)
        header.PatientName = f"SIMULATED^PATIENT{self.patient:04d}"
        header.PatientID = f"SIM-{self.patient:04d}"
        header.PatientBirthDate = f"{day.year - self.age:04d}0101"
        header.PatientSex = self.sex
        header.PatientAge = f"{self.age:03d}Y"
        header.InstitutionName = institution(self.site)
        header.ReferringPhysicianName = "SIMULATED^REFERRER"
        header.AccessionNumber = f"SIMACC{self.patient:04d}"
        header.StudyDescription = "SIMULATED SCREENING"
        header.StudyDate = f"{day:%Y%m%d}"
        header.Modality = "OT"
        header.InstanceNumber = self.number
        header.BurnedInAnnotation = "NO"
        return header


def institution(site: Site) -> str:
    """Return the name that the site's headers carry."""
    return f"SIMULATED HOSPITAL {site.name.upper()}"


def write_image(folder: Path, examination: Examination, values: np.ndarray) -> None:
    """Write one image, (rows, columns) in the scale's units, in 12 of 16 bits.

    Where low values are bright, stored values and window are mirrored, so that a viewer shows the
    same image.
    """
    site = examination.site
    stored = np.rint((values - site.intercept) / site.slope).clip(0, BRIGHTEST).astype(np.uint16)
    dataset = examination.header()
    dataset.WindowCenter, dataset.WindowWidth = WINDOW_CENTRE, WINDOW_WIDTH
    if examination.is_monochrome1:
        stored = BRIGHTEST - stored
        # A linear window of centre c runs from c - 0.5 - (width - 1) / 2, hence the one.
        total = BRIGHTEST * site.slope + 2 * site.intercept
        dataset.WindowCenter = total - WINDOW_CENTRE + 1
    dataset.RescaleSlope, dataset.RescaleIntercept = site.slope, site.intercept
    dataset.PhotometricInterpretation = f"MONOCHROME{1 if examination.is_monochrome1 else 2}"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelSpacing = [0.5, 0.5]
    dataset.PixelData = stored.astype("<u2").tobytes()
    _save(dataset, folder / examination.file_name, compressed=examination.is_rle)


def _save(dataset: Dataset, path: Path, *, compressed: bool) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    # Stated, so that the bytes do not depend on the version of the library that writes them.
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = "PHANTOM"
    dataset.file_meta = meta
    dataset["PixelData"].VR = "OW"
    if compressed:
        dataset.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)

"""What is known of one file of a folder, without who is in it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.adapters.case import NOT_RECORDED


@dataclass(frozen=True)
class FileFacts:
    """One file of the index.

    ``file sop series study accession patient`` are keyed hashes, empty where the header has none,
    as `sha256` is in an index of patients' files and `source`, part by part;
    `positions` holds three numbers a frame, in mm; `fault` says why the file is of no use.
    """

    source: str
    sha256: str
    num_bytes: int
    file: str
    fault: str = ""
    advice: str = ""
    sop: str = ""
    series: str = ""
    study: str = ""
    accession: str = ""
    patient: str = ""
    site: str = NOT_RECORDED
    sex: str = NOT_RECORDED
    age: float | None = None
    num_rows: int = 0
    num_columns: int = 0
    num_frames: int = 0
    num_samples: int = 0
    instance_number: int | None = None
    positions: tuple[float, ...] = ()
    orientation: tuple[float, ...] = ()
    pixel_spacing: tuple[float, ...] = ()
    burned_in: bool = False

    @property
    def num_pixels(self) -> int:
        """How many values the header claims."""
        return self.num_rows * self.num_columns * self.num_frames * self.num_samples

"""What a data set's config may say of a DICOM folder."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.adapters.dicom.header import LEFT_OUT_IMAGE_TYPES
from pipeline.adapters.label_table import LabelTableArguments
from pipeline.adapters.spatial import SpacingMm
from pipeline.adapters.windowing import PixelType, WindowChoice, require_window_for
from pipeline.config.reading import Strict


class ReadingArguments(Strict):
    """How the files of a folder become images.

    ``case: image`` makes every image, and every frame of a multi-frame file, a case of its own;
    ``case: series`` makes one case of a series: a volume where the data set's image size has three
    axes, else the slice that `slice` names, counted along the normal of the slices.

    ``site_names`` gives an institution of the headers the name that its cases carry; the data card
    states both. Where it names none, cases carry a keyed hash.

    ``leave_out_image_types`` lists values of the headers' Image Type: a file that has one of them,
    a scout or a page of text beside a scan, is no case.
    """

    case: Literal["image", "series"] = "image"
    slice: Literal["middle"] | int = "middle"
    window: WindowChoice = "tag"
    spacing_mm: SpacingMm | None = None
    dtype: PixelType = "uint8"
    site_names: dict[str, str] = {}
    max_pixels: int = Field(default=2**28, ge=1)
    allow_burned_in: bool = False
    leave_out_image_types: tuple[str, ...] = LEFT_OUT_IMAGE_TYPES
    workers: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _window_suits_the_type(self) -> Self:
        require_window_for(self.dtype, self.window)
        return self


class DicomArguments(ReadingArguments):
    """Where a team's own folder and its table of labels are; neither is copied."""

    folder: str
    labels: LabelTableArguments

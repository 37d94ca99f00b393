"""What a data set's config may say of a DICOM folder."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.adapters.label_table import LabelTableArguments
from pipeline.adapters.windowing import PixelType, WindowChoice, require_window_for
from pipeline.config.reading import Strict


class ReadingArguments(Strict):
    """How the files of a folder become images.

    ``case: image`` makes every image, and every frame of a multi-frame file, a case of its own;
    ``case: series`` makes one case of a series: a volume where the data set's image size has three
    axes, else the slice that `slice` names, counted along the normal of the slices.
    """

    case: Literal["image", "series"] = "image"
    slice: Literal["middle"] | int = "middle"
    window: WindowChoice = "tag"
    spacing_mm: tuple[float, float, float] | None = None
    dtype: PixelType = "uint8"
    site_names: dict[str, str] = {}
    max_pixels: int = Field(default=2**28, ge=1)
    allow_burned_in: bool = False
    workers: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _window_suits_the_type(self) -> Self:
        require_window_for(self.dtype, self.window)
        return self


class DicomArguments(ReadingArguments):
    """Where a team's own folder and its table of labels are; neither is copied."""

    folder: str
    labels: LabelTableArguments

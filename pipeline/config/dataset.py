"""A data set: where its files are, how they are read, and how its cases are split."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from pipeline.config.reading import Strict

Split = Literal["train", "val", "calibration", "threshold", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class SourceFile(Strict):
    """One file to acquire; found by name and sha256 in a mirror, else fetched from the URL."""

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    url: str | None = None


class Splits(Strict):
    """Who is trained on, who is calibrated on, and who is tested.

    ``official: true`` keeps the source's own splits; `divide` then says what shares of one of them
    become which splits. Otherwise `divide` has the single key ``all``. `reuse` lets a split too
    small to divide serve twice: ``{calibration: val}`` fits calibrators on the val cases.
    """

    official: bool = False
    divide: dict[str, dict[Split, float]] = {}
    reuse: dict[Split, Split] = {}
    group: str = "patient"
    holdout_site: str | None = None
    seed: int = 0

    @model_validator(mode="after")
    def _shares_are_whole(self) -> Self:
        if not self.official and set(self.divide) != {"all"}:
            message = "without official splits 'divide' needs the single key 'all'"
            raise ValueError(message)
        for name, shares in self.divide.items():
            total = sum(shares.values())
            if abs(total - 1) > 1e-9 or min(shares.values()) <= 0:
                message = f"the shares of '{name}' must be positive and sum to 1, not {total:g}"
                raise ValueError(message)
        return self


class Dataset(Strict):
    """Everything the pipeline needs to know of one data set."""

    title: str
    adapter: str
    arguments: dict[str, Any] = {}
    files: list[SourceFile] = []
    classes: list[str] = Field(min_length=2)
    critical_classes: list[str] = []
    image_size: list[int] = Field(min_length=2, max_length=3)
    channels: Literal[1, 3]
    splits: Splits
    licence: str
    citation: str
    show_images: bool = False

    @model_validator(mode="after")
    def _critical_classes_exist(self) -> Self:
        if strangers := set(self.critical_classes) - set(self.classes):
            message = f"'critical_classes' names no class of the set: {sorted(strangers)}"
            raise ValueError(message)
        return self

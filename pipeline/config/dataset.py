"""A data set: where its files are, how they are read, and how its cases are split."""

from __future__ import annotations

import math
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from pipeline.config.names import MAX_LENGTH, require_name
from pipeline.config.reading import Model, Strict, check_config, merge, read_yaml
from pipeline.errors import InputError, located
from pipeline.splits import SPLITS, Split

MAX_SIDE = 2**16 - 1
"""Pixels along an axis: what a JPEG or a DICOM image can hold."""
MAX_VALUES = 2**28
"""Of one image, all channels together."""

HeldOut = Literal["val", "calibration", "threshold"]


class SourceFile(Strict):
    """One file to acquire; found by name and checksum in a mirror, else fetched from the URL.

    `md5` is for files whose publisher states nothing else; it guards against damage, not malice.
    """

    name: str = Field(pattern=r"^[\w+-][\w.+-]*$", max_length=MAX_LENGTH)
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    md5: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    url: str | None = None

    @model_validator(mode="after")
    def _has_one_checksum(self) -> Self:
        if (self.sha256 is None) == (self.md5 is None):
            message = "exactly one of 'sha256' and 'md5' expected"
            raise ValueError(message)
        return self

    @property
    def checksum(self) -> tuple[str, str]:
        """The algorithm and the hexadecimal digest that the file must have."""
        return ("sha256", self.sha256) if self.sha256 else ("md5", self.md5 or "")


class Splits(Strict):
    """Who is trained on, who is calibrated on, and who is tested.

    ``official: true`` keeps the source's own splits; `divide` then says what shares of one of them
    become which splits. Otherwise `divide` has the single key ``all``. `reuse` lets a split too
    small to divide serve twice: ``{val: calibration}`` lets the calibration cases choose epochs.
    ``test_only: true`` is for a set that nothing is trained on, such as a far out-of-distribution
    partner. Groups seen at `holdout_site` become the test split, and nobody else does: `divide`
    gives "test" no share then.

    ``assign: stratified`` meets the shares in every class, and draws anew when cases come or go.
    ``assign: hash`` keeps every group where it is when others come or go: a hash of the seed and
    the group's key decides alone. Shares and class balance are then met in expectation only, and a
    small set may leave a split without a class; `max_cases` and `long_tail` still draw anew.
    """

    official: bool = False
    divide: dict[str, dict[Split, float]] = {}
    assign: Literal["stratified", "hash"] = "stratified"
    reuse: dict[HeldOut, HeldOut] = {}
    group: Literal["patient", "site", "source"] = "patient"
    holdout_site: str | None = None
    test_only: bool = False
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _shares_are_whole(self) -> Self:
        if not self.official and set(self.divide) != {"all"}:
            message = "without official splits 'divide' needs the single key 'all'"
            raise ValueError(message)
        for name, shares in self.divide.items():
            total = sum(shares.values())
            # Written so that a share that is no number fails it too.
            if not (abs(total - 1) <= 1e-9 and min(shares.values(), default=0) > 0):
                message = f"the shares of '{name}' must be positive and sum to 1, not {total:g}"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _only_the_held_out_site_is_tested(self) -> Self:
        tested = [name for name, shares in self.divide.items() if "test" in shares]
        if self.holdout_site is not None and tested:
            message = (
                f"'divide' gives cases of '{tested[0]}' to the test split, which 'holdout_site' "
                "keeps for that site: take 'test' out of its shares"
            )
            raise ValueError(message)
        return self

    def serving(self, split: Split) -> Split:
        """Return the split whose cases serve as this one, following `reuse`."""
        return next((source for name, source in self.reuse.items() if name == split), split)

    @model_validator(mode="after")
    def _thresholds_have_their_own_cases(self) -> Self:
        if self.serving("threshold") == self.serving("calibration"):
            message = "'reuse' gives thresholds the cases that calibrators are fitted on"
            raise ValueError(message)
        return self


class LongTail(Strict):
    """Thin the training classes out exponentially: the rarest is `imbalance_ratio` times rarer."""

    imbalance_ratio: float = Field(gt=1, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0)


class Dataset(Strict):
    """Everything the pipeline needs to know of one data set.

    `known_equal_pixels` states how many distinct images two splits share, where a published set
    cannot be mended: ``{train/test: 1}``. The number must be exact; anything else fails the stage.
    `max_cases` keeps that many cases of a split, stratified by class and seeded as the splits are.
    `expected_cases` states how many cases each split will end with, so that a study can be costed
    before its data are there.
    """

    title: str
    adapter: str
    arguments: dict[str, Any] = {}
    files: list[SourceFile] = []
    classes: list[str] = Field(min_length=2)
    critical_classes: list[str] = []
    image_size: list[Annotated[int, Field(ge=1, le=MAX_SIDE)]] = Field(min_length=2, max_length=3)
    channels: Literal[1, 3]
    splits: Splits
    max_cases: dict[Split, PositiveInt] = {}
    expected_cases: dict[Split, PositiveInt] = {}
    long_tail: LongTail | None = None
    known_equal_pixels: dict[
        Annotated[str, Field(pattern=rf"^({'|'.join(SPLITS)})/({'|'.join(SPLITS)})$")], PositiveInt
    ] = {}
    on_error: Literal["quarantine", "fail"] = "quarantine"
    max_quarantined_share: float = Field(default=0.05, ge=0, le=1)
    licence: str
    citation: str
    notes: list[str] = []
    show_images: bool = False

    @model_validator(mode="after")
    def _critical_classes_exist(self) -> Self:
        if strangers := set(self.critical_classes) - set(self.classes):
            message = f"'critical_classes' names no class of the set: {sorted(strangers)}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _classes_differ(self) -> Self:
        if len({unicodedata.normalize("NFC", name) for name in self.classes}) < len(self.classes):
            message = "two of the 'classes' have the same name"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _files_differ(self) -> Self:
        if len({file.name for file in self.files}) < len(self.files):
            message = "two of the 'files' have the same name: one would stand for both"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _images_fit_into_memory(self) -> Self:
        if (claimed := math.prod(self.image_size) * self.channels) > MAX_VALUES:
            message = f"'image_size' and 'channels' make {claimed} values, at most {MAX_VALUES}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _pairs_of_splits_differ(self) -> Self:
        pairs = [frozenset(pair.split("/")) for pair in self.known_equal_pixels]
        if len(set(pairs)) < len(pairs) or any(len(pair) == 1 for pair in pairs):
            message = "'known_equal_pixels' must name every pair of two splits once"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _stated_splits_are_kept(self) -> Self:
        labels = self.arguments.get("labels")
        column = labels.get("split_column") if isinstance(labels, dict) else None
        if column is not None and not self.splits.official:
            message = "'arguments.labels.split_column' is not read without 'splits.official: true'"
            raise ValueError(message)
        return self

    def arguments_as(self, model: type[Model]) -> Model:
        """Return the arguments as the model of its adapter, or raise `InputError`."""
        return check_config(self.arguments, model, place=f"{self.title}: arguments")


def read_dataset(configs: Path, name: str) -> Dataset:
    """Return the data set of a name, which its file states in full or as a difference.

    ``base: OTHER`` in ``datasets/NAME.yaml`` starts from what ``datasets/OTHER.yaml`` states:
    mappings merge key by key, null takes away what the base states, anything else replaces it. The
    base is a data set of its own and has no base itself.

    Raises `InputError` if the name is none, a file is absent or is no YAML mapping, the base is no
    data set or has a base itself, or a key is unknown, missing or of the wrong type.
    """
    own, *base = _read_files(configs, name).values()
    stated = merge(base[0], own) if base else own
    return check_config(stated, Dataset, place=_path(configs, name))


def dataset_files(configs: Path, name: str) -> list[Path]:
    """Return the YAML files that a data set is read from: its own, and its base's if it has one.

    Raises `InputError` if one of them is absent or is no YAML mapping, or the base is no data set.
    """
    return list(_read_files(configs, name))


def _read_files(configs: Path, name: str) -> dict[Path, dict[str, Any]]:
    """Return what each of a data set's files states: its own, without `base`, then its base's."""
    path = _path(configs, name)
    own = read_yaml(path)
    if "base" not in own:
        return {path: own}
    with located(f"{path}: key 'base'"):
        base_name = own.pop("base")
        base_path = _path(configs, base_name)
        if base_path == path:
            message = "a data set cannot be its own base"
            raise InputError(message)
        base = read_yaml(base_path)
        if "base" in base:
            message = f"{base_name} has the base {base['base']} itself; only one level is allowed"
            raise InputError(message)
        # Checked alone as well, so that a fault of the base is told by the base's file.
        check_config(base, Dataset, place=base_path)
    return {path: own, base_path: base}


def _path(configs: Path, name: object) -> Path:
    return configs / "datasets" / f"{require_name(name, of='a data set')}.yaml"

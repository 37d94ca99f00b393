"""The score files of one experiment, checked as they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import read_json
from pipeline.errors import InputError
from pipeline.outgoing_text import from_csv
from pipeline.splits import SPLITS
from pipeline.tables import TABLES
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import counted

NOT_RECORDED = "not recorded"
"""What stands where nobody told: the recipe, above all, of predictions that were brought."""


@dataclass(frozen=True)
class Scores:
    """Everything the report knows of one experiment.

    Attributes
    ----------
    record : dict
        What was tested: the data set's card, network, recipe, losses, seeds, headline, targets.
    provenance : dict
        One record a run, and who evaluated.
    frames : mapping of str to DataFrame
        Those of `TABLES` that it has, by name; masked where groups are small.
    """

    record: dict[str, Any]
    provenance: dict[str, Any]
    frames: Mapping[str, pd.DataFrame]

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table of `TABLES`; its columns without rows where the experiment has none."""
        if name in self.frames:
            return self.frames[name]
        return pd.DataFrame(columns=[column.name for column in TABLES[name].columns])

    def shown(self, name: str, *, every: Sequence[str] = ()) -> pd.DataFrame:
        """Return a table's rows of the model shown: the headline's loss, calibrator, seed, target.

        Parameters
        ----------
        name : str
            A key of `TABLES`; of the four only those are looked at that are keys of the table.
        every : sequence of str
            Of the four, those whose every value is wanted.
        """
        wanted = self.headline | {"target": self.record["headline_target"]}
        keys = [key for key in wanted if key in TABLES[name].keys and key not in every]
        return pick(self.frame(name), **{key: wanted[key] for key in keys})

    @property
    def point(self) -> pd.Series:
        """The operating point of the model shown, at the headline's target."""
        return self.shown("operating_points").iloc[0]

    def having(self, **frames: pd.DataFrame | None) -> Scores:
        """Return the same experiment with other tables; None takes one away."""
        changed = {**self.frames, **frames}
        kept = {name: frame for name, frame in changed.items() if frame is not None}
        return replace(self, frames=kept)

    @property
    def name(self) -> str:
        """The experiment's key in its study."""
        return self.record["experiment"]

    @property
    def dataset(self) -> dict[str, Any]:
        """The data set's card."""
        return self.record["dataset"]

    @property
    def headline(self) -> dict[str, Any]:
        """The loss, calibrator and seed of the model on the first screen: the first seed."""
        return {
            "loss": self.record["headline_loss"],
            "calibrator": self.record["headline_calibrator"],
            "seed": self.record["seeds"][0],
        }

    @property
    def uncalibrated(self) -> str:
        """The calibrator that stands for none: identity, or else the study's first."""
        calibrators = self.record["calibrators"]
        return "identity" if "identity" in calibrators else calibrators[0]

    @property
    def seeds_text(self) -> str:
        """How many seeds there are, in words."""
        return counted(len(self.record["seeds"]), "seeds")

    def averaged(self, spread: str = "") -> str:
        """Say over how many seeds means were taken, and what the spread shows; one seed has none.

        `spread` follows the words "mean over 3 seeds".
        """
        return (
            "one seed" if len(self.record["seeds"]) == 1 else f"mean over {self.seeds_text}{spread}"
        )

    @property
    def spread_text(self) -> str:
        """What cells of a table hold where a value is given for each seed."""
        if len(self.record["seeds"]) == 1:
            return "one seed, so without a standard deviation"
        return f"mean ± standard deviation over {self.seeds_text}"

    @property
    def brought(self) -> bool:
        """Whether the predictions were brought by somebody: of the training nothing is known."""
        return self.record["recipe"] == NOT_RECORDED

    @property
    def splits(self) -> list[str]:
        """The splits that have cases, in their order of use."""
        return [split for split in SPLITS if split in self.dataset["counts"]]

    @property
    def num_test_cases(self) -> int:
        """Images of the test split, over which metrics and reliability are taken."""
        return self.dataset["images"]["test"]

    @property
    def unit(self) -> str:
        """What operating points count: patients, but cases where nobody has more than one."""
        return "cases" if self.dataset["images"] == self.dataset["patients"] else "patients"


def read_scores(folder: Path) -> Scores:
    """Return the scores in a folder.

    Raises
    ------
    InputError
        If a file or a column is missing, or a file holds no rows; the message names it.
    """
    record = read_json(folder / "experiment.json")
    if "images" not in record["dataset"]:
        message = f"{folder / 'experiment.json'}: key 'dataset.images' expected: run evaluate first"
        raise InputError(message)
    return Scores(
        record=record,
        provenance=read_json(folder / "provenance.json"),
        frames={
            name: _read_table(folder / f"{name}.csv", spec)
            for name, spec in TABLES.items()
            if spec.required or (folder / f"{name}.csv").is_file()
        },
    )


def _read_table(path: Path, spec: TableSpec) -> pd.DataFrame:
    if not path.is_file():
        message = f"{path}: no such file: run evaluate first"
        raise InputError(message)
    # Only an empty cell is undefined: a class may well be called NA or null.
    words = [column.name for column in spec.columns if column.kind == "text"]
    table = from_csv(
        pd.read_csv(path, dtype=dict.fromkeys(words, str), keep_default_na=False, na_values=[""])
    )
    for column in spec.columns:
        if column.name not in table.columns:
            message = f"{path}: column '{column.name}' expected, got: {', '.join(table.columns)}"
            raise InputError(message)
    if table.empty and not spec.may_be_empty:
        message = f"{path}: at least one row expected, got none"
        raise InputError(message)
    return table.assign(**{name: table[name].fillna("") for name in words})


def pick(table: pd.DataFrame, **values: object) -> pd.DataFrame:
    """Return the rows whose columns hold these values, in the file's order.

    >>> pick(pd.DataFrame({"loss": ["a", "b"], "mean": [1, 2]}), loss="b")["mean"].tolist()
    [2]
    """
    keep = pd.Series(True, index=table.index)
    for column, value in values.items():
        keep &= table[column] == value
    return table[keep]

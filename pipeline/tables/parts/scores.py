"""Everything that pages know of one experiment: its tables, and which model is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pipeline.method_names import named
from pipeline.splits import SPLITS
from pipeline.tables.parts.wording import counted

NOT_RECORDED = "not recorded"
"""What stands where nobody told: the recipe, above all, of predictions that were brought."""

NO_ROWS = pd.DataFrame()
"""A table that an experiment has not."""

MOST_CALIBRATORS = 4
"""With more, tables of the first view show a few and the rest stands on a page of its own."""


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
        Its tables, by name; masked where groups are small.
    """

    record: dict[str, Any]
    provenance: dict[str, Any]
    frames: Mapping[str, pd.DataFrame]

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table by the name of its file; without rows where the experiment has none."""
        return self.frames.get(name, NO_ROWS)

    def shown(self, name: str, *, every: Sequence[str] = ()) -> pd.DataFrame:
        """Return a table's rows of the model shown: the headline's loss, calibrator, seed, target.

        Parameters
        ----------
        name : str
            The table; of the four only those are looked at that it has.
        every : sequence of str
            Of the four, those whose every value is wanted.
        """
        wanted = self.headline | {"target": self.record["headline_target"]}
        frame = self.frame(name)
        keys = [key for key in wanted if key in frame.columns and key not in every]
        return pick(frame, **{key: wanted[key] for key in keys})

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
    def model(self) -> str:
        """The model on the first screen in words."""
        return f"{self.method}, seed {self.headline['seed']}"

    @property
    def loss(self) -> str:
        """The headline's loss in words."""
        return named(self.record["headline_loss"])

    @property
    def calibrator(self) -> str:
        """The headline's calibrator in words."""
        return named(self.record["headline_calibrator"])

    @property
    def method(self) -> str:
        """Its loss and calibrator in words."""
        return f"{self.loss} with {self.calibrator}"

    def is_shown(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row is of the model on the first screen, in those of its keys it has."""
        wanted = self.headline | {"target": self.record["headline_target"]}
        return all(row[key] == value for key, value in wanted.items() if key in row)

    @property
    def before_and_after(self) -> list[str]:
        """The calibrators that are compared closely: none, and the headline's."""
        return list(dict.fromkeys([self.uncalibrated, self.record["headline_calibrator"]]))

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


def pick(table: pd.DataFrame, **values: object) -> pd.DataFrame:
    """Return the rows whose columns hold these values, in the file's order.

    >>> pick(pd.DataFrame({"loss": ["a", "b"], "mean": [1, 2]}), loss="b")["mean"].tolist()
    [2]
    """
    if table.empty:
        return table
    keep = pd.Series(True, index=table.index)
    for column, value in values.items():
        keep &= table[column] == value
    return table[keep]


def headline_and_baseline(scores: Scores) -> list[str]:
    """Return the losses that are looked at closely."""
    record = scores.record
    return list(dict.fromkeys([record["headline_loss"], record["baseline"]]))


def calibrators_shown_first(scores: Scores) -> list[str]:
    """Return all of a few calibrators; of many: none, temperature and the headline's."""
    every = scores.record["calibrators"]
    if len(every) <= MOST_CALIBRATORS:
        return every
    shown = {scores.uncalibrated, "temperature", scores.record["headline_calibrator"]}
    return [calibrator for calibrator in every if calibrator in shown]

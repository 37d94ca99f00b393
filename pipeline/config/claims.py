"""Claims under test: which paired differences answer each, and by which rule, stated beforehand."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.config.designs import Design
from pipeline.config.names import Key, Name
from pipeline.config.reading import Strict

Direction = Literal["higher", "lower"]
TableName = Literal["runs", "long_tail", "ood", "shift", "site_recalibration"]
Value = str | int | float

Size = Literal["thin", "middle", "real"]
SIZES: dict[Size, str] = {
    "thin": "about 20,000 to 140,000 parameters",
    "middle": "hundreds of thousands of parameters",
    "real": "ResNet-18 and larger",
}
"""Of networks, in growing order: no verdict is over several."""


class Rows(Strict):
    """Rows of an experiment's score table: those whose columns hold one of the values named.

    Rows whose columns hold one of the values in `without` are left out. Several rows of one seed
    are averaged. `datasets` narrows the experiments; all if left out.
    """

    table: TableName = "runs"
    where: dict[str, Value | list[Value]] = {}
    without: dict[str, Value | list[Value]] = {}
    datasets: list[Name] | None = None


class Part(Strict):
    """One kind of comparison: a method's metric less another's, seed by seed, per experiment.

    The methods are all pairs of `losses` and `calibrators`; each is compared with every pair of
    `against_losses` and `against_calibrators`, where what is left out is the method's own. With
    `less`, the same difference in other rows is subtracted: a difference of differences; without
    anything to compare with, the method's own metric in those rows. With `each`, rows that differ
    in those columns are compared apart.
    """

    says: str
    metric: str
    expected: Direction
    kind: Literal["superiority", "non_inferiority"] = "superiority"
    margin: float | None = Field(default=None, gt=0)
    losses: list[Name] = Field(min_length=1)
    against_losses: list[Name] = []
    calibrators: list[Name] = Field(min_length=1)
    against_calibrators: list[Name] = []
    rows: Rows = Rows()
    less: Rows | None = None
    each: list[str] = []

    @model_validator(mode="after")
    def _is_a_comparison(self) -> Self:
        if (self.kind == "non_inferiority") != (self.margin is not None):
            message = "'margin' goes with kind: non_inferiority, and it needs one"
            raise ValueError(message)
        if not (self.against_losses or self.against_calibrators or self.less):
            message = "'against_losses', 'against_calibrators' or 'less' must say what to subtract"
            raise ValueError(message)
        return self

    @property
    def sign(self) -> float:
        """Return what turns the direction that the claim expects upward: 1 or -1."""
        return 1.0 if self.expected == "higher" else -1.0

    @property
    def null(self) -> float:
        """The difference that is tested against: zero, or the margin on the unfavourable side."""
        return 0.0 if self.margin is None else -self.sign * self.margin


class Claim(Strict):
    """One statement, supported if every part of it is; `first` puts it on the page's top."""

    key: str
    statement: str
    source: str
    first: bool = False
    parts: list[Part] = Field(min_length=1)


class PlannedExperiment(Strict):
    """An experiment that was meant to be run; network and recipe only where they matter.

    Losses and seeds that are left out are the study's.
    """

    dataset: Name
    network: Name | None = None
    recipe: Name | None = None
    losses: list[Name] | None = None
    seeds: int | None = Field(default=None, gt=0)


class PlannedStudy(Strict):
    """What a study was meant to hold: size of its networks, experiments, losses, seeds at least."""

    size: Size
    experiments: list[PlannedExperiment] = Field(min_length=1)
    losses: list[Name]
    seeds: int = Field(gt=0)


class Choice(Strict):
    """A simple method, and the candidates that may replace it."""

    simplest: Name
    candidates: list[Name]


class Guard(Strict):
    """A metric that a candidate must not lose by more than the margin, on the mean."""

    metric: str
    expected: Direction
    margin: float = Field(gt=0)


class Situation(Strict):
    """Data that get a recommendation of their own; those that no other names, if left out."""

    says: str
    datasets: list[Name] | None = None


class Recommendation(Strict):
    """The rule by which a default is recommended: the simplest, unless shown to be worse."""

    source: str
    metric: str
    expected: Direction
    guards: list[Guard]
    losses: Choice
    calibrators: Choice
    situations: list[Situation] = Field(min_length=1)

    def covers(self, situation: Situation, dataset: str) -> bool:
        """Return whether a data set is of a situation."""
        if situation.datasets is not None:
            return dataset in situation.datasets
        return not any(dataset in (each.datasets or []) for each in self.situations)


class Published(Strict):
    """A data set with published figures, ours that are held beside it, and what differs."""

    dataset: Name
    ours: list[Name] = Field(min_length=1)
    differs: str


class Claims(Strict):
    """All claims, what was meant to be run to test them, what was cut, and what else limits it.

    `cuts` and `limits` are sentences for the page; `published` says which of the published figures
    stand beside ours. `designs` are questions to studies of their own, which answer no claim.
    """

    level: float = Field(gt=0, lt=1)
    planned: dict[Key, PlannedStudy]
    cuts: list[str]
    limits: list[str]
    claims: list[Claim] = Field(min_length=1)
    designs: list[Design] = []
    recommendation: Recommendation
    published: list[Published] = []

    @property
    def designed_studies(self) -> list[str]:
        """The designs' studies, each once."""
        return list(dict.fromkeys(study for each in self.designs for study in each.studies))

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        keys = [*(each.key for each in self.claims), *(each.key for each in self.designs)]
        if len(set(keys)) < len(keys):
            message = "two claims or designs share a key"
            raise ValueError(message)
        if both := [study for study in self.designed_studies if study in self.planned]:
            message = f"a design's study answers no claim, got {both} under 'planned' too"
            raise ValueError(message)
        planned = {each.dataset for study in self.planned.values() for each in study.experiments}
        listed = [name for each in self.recommendation.situations for name in each.datasets or []]
        if unknown := set(listed) - planned:
            message = f"situations must name planned data sets, got {sorted(unknown)}"
            raise ValueError(message)
        if len(set(listed)) < len(listed):
            message = "a data set is in two situations"
            raise ValueError(message)
        return self

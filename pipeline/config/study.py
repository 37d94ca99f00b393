"""A study: experiments (data set x network x recipe), each with losses, seeds and calibrators."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, model_validator

from pipeline.config.names import Key, Name, require_key
from pipeline.config.reading import Strict
from pipeline.metrics.workload import PREVALENCE_WITHIN

PartnerKind = Literal["near_ood", "far_ood", "corruption", "site"]
"""Out of scope: akin to the training data, or nothing like it. In scope: damaged, or elsewhere."""

SAME_CLASSES: tuple[PartnerKind, ...] = ("corruption", "site")
"""Kinds of partners whose cases have the classes that were trained on."""


class Partner(Strict):
    """A prepared data set whose test cases the trained models meet besides their own."""

    dataset: Name
    kind: PartnerKind


class Experiment(Strict):
    """One data set, one network, one recipe; what is left out is taken from the study.

    `partners` are predicted once the models are trained, so that adding one trains nothing.
    `prevalence` states the shares of the classes where the model is to be used; a class left out
    does not occur there. `costs` states, by true class and by the class answered, what an error
    costs where that is not 1. `headline_target` is for an experiment whose target is another than
    its study's. None of the three changes a run.
    """

    name: Key | None = None
    dataset: Name
    network: Name
    recipe: Name
    losses: list[Name] | None = None
    seeds: list[int] | None = None
    partners: list[Partner] = []
    prevalence: dict[str, NonNegativeFloat] = {}
    costs: dict[str, dict[str, NonNegativeFloat]] = {}
    headline_target: float | None = None

    @property
    def key(self) -> str:
        """The experiment's readable name, unique in its study."""
        return self.name or f"{self.dataset}-{self.network}"

    @model_validator(mode="after")
    def _key_is_one(self) -> Self:
        # Without a 'name' it is made of two names, which may be too long together or hold a dot.
        require_key(self.key, of="an experiment")
        return self

    @model_validator(mode="after")
    def _partners_differ(self) -> Self:
        names = [partner.dataset for partner in self.partners]
        if len(set(names)) < len(names):
            message = f"experiment {self.key} names a partner twice"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _prevalence_is_whole(self) -> Self:
        total = sum(self.prevalence.values())
        if self.prevalence and abs(total - 1) > PREVALENCE_WITHIN:
            message = f"the shares of 'prevalence' must sum to 1, not {total:g}"
            raise ValueError(message)
        return self


class Study(Strict):
    """Questions asked together and reported on one page.

    `needs_gpu` keeps a study that would take a CPU weeks out of those that are planned because
    their data are at hand; named, it is planned all the same.
    """

    title: str
    needs_gpu: bool = False
    experiments: list[Experiment] = Field(min_length=1)
    losses: list[Name] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    calibrators: list[Name] = Field(min_length=1)
    baseline: str
    headline_loss: str
    headline_calibrator: str
    risk_targets: list[float] = [0.01, 0.02, 0.05, 0.10]
    headline_target: float = 0.05
    delta: float = Field(default=0.05, gt=0, lt=1)

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        keys = [experiment.key for experiment in self.experiments]
        if len(set(keys)) < len(keys):
            message = "two experiments share a name: give one of them a 'name'"
            raise ValueError(message)
        targets = {self.headline_target, *(self.target_of(each) for each in self.experiments)}
        if targets - set(self.risk_targets):
            message = "'headline_target' must be one of 'risk_targets'"
            raise ValueError(message)
        if self.headline_calibrator not in self.calibrators:
            message = "'headline_calibrator' must be one of 'calibrators'"
            raise ValueError(message)
        for experiment in self.experiments:
            losses = experiment.losses or self.losses
            if missing := {self.baseline, self.headline_loss} - set(losses):
                message = f"experiment {experiment.key} lacks the loss {sorted(missing)}"
                raise ValueError(message)
        return self

    def target_of(self, experiment: Experiment) -> float:
        """Return the risk target that an experiment's first screen shows."""
        own = experiment.headline_target
        return self.headline_target if own is None else own

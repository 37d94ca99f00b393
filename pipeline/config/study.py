"""A study: experiments (data set x network x recipe), each with losses, seeds and calibrators."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from pipeline.config.reading import Strict


class Experiment(Strict):
    """One data set, one network, one recipe; what is left out is taken from the study."""

    name: str | None = None
    dataset: str
    network: str
    recipe: str
    losses: list[str] | None = None
    seeds: list[int] | None = None

    @property
    def key(self) -> str:
        """The experiment's readable name, unique in its study."""
        return self.name or f"{self.dataset}-{self.network}"


class Study(Strict):
    """Questions asked together and reported on one page."""

    title: str
    experiments: list[Experiment] = Field(min_length=1)
    losses: list[str] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    calibrators: list[str] = Field(min_length=1)
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
        if self.headline_target not in self.risk_targets:
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

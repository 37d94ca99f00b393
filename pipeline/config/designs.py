"""Designed experiments: what a study varies together, and the rule by which it is read."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from pipeline.config.names import Key, Name
from pipeline.config.reading import Strict

Level = str | int | float


class Factor(Strict):
    """What is varied: a setting at two levels, the low one first.

    `setting` is the way to it in what published evidence says of an experiment's settings, with
    dots between, such as ``network.arguments.widths.0`` or ``recipe.batch_size``.
    """

    name: str
    setting: str
    levels: list[Level] = Field(min_length=2, max_length=2)

    @model_validator(mode="after")
    def _levels_differ(self) -> Self:
        if self.levels[0] == self.levels[1]:
            message = f"the levels of {self.name} must differ, got {self.levels[0]} twice"
            raise ValueError(message)
        return self


class Response(Strict):
    """What is compared: a metric under a calibrator, method less method."""

    says: str
    metric: str
    calibrator: Name


class Suspect(Strict):
    """A quantity by which the difference may be explained: a ratio of two settings."""

    says: str
    setting: str
    over: str


class Lines(Strict):
    """A design's factors one at a time, over more levels than a factorial can cross.

    A factor runs through its `levels`, the lowest first, while the others stay at the `centre`; and
    so at either level of the factor that is held `apart`. Both name factors as the design does.
    """

    source: str
    study: Key
    apart: str
    centre: dict[str, float]
    levels: dict[str, list[Annotated[float, Field(gt=0, allow_inf_nan=False)]]] = Field(
        min_length=1
    )
    limits: list[str] = []

    @model_validator(mode="after")
    def _levels_rise_through_the_centre(self) -> Self:
        if self.centre.keys() != self.levels.keys():
            message = f"a centre for each of {list(self.levels)} expected, got {list(self.centre)}"
            raise ValueError(message)
        for name, levels in self.levels.items():
            rising = all(low < high for low, high in pairwise(levels))
            if len(levels) < 3 or not rising or self.centre[name] not in levels:
                message = (
                    f"three or more rising levels of {name} expected, with the centre "
                    f"{self.centre[name]:g} among them, got {levels}"
                )
                raise ValueError(message)
        return self


class Design(Strict):
    """A full two-level factorial, and what it takes for an effect to explain the difference.

    The difference is `loss` less `against`. An effect explains it if it is significant after
    Holm's correction over all effects of its response, and at least `share` of the mean absolute
    difference of a cell. `limits` are sentences on what is varied along with the factors. `lines`
    follow factors over more levels, in a study of their own.
    """

    key: Key
    question: str
    source: str
    study: Key
    loss: Name
    against: Name
    factors: list[Factor] = Field(min_length=2)
    responses: list[Response] = Field(min_length=1)
    share: float = Field(gt=0)
    suspect: Suspect
    limits: list[str] = []
    lines: Lines | None = None

    @property
    def studies(self) -> list[str]:
        """Those that it is answered from."""
        return [self.study, *([self.lines.study] if self.lines else [])]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for names in ([f.name for f in self.factors], [f.setting for f in self.factors],
                      [r.says for r in self.responses]):  # fmt: skip
            if len(set(names)) < len(names):
                message = f"a name stands twice in the design {self.key}: {', '.join(names)}"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _lines_run_through_the_same_factors(self) -> Self:
        if self.lines is None:
            return self
        if self.lines.study == self.study:
            message = f"the lines of the design {self.key} need a study of their own"
            raise ValueError(message)
        names = [factor.name for factor in self.factors]
        if sorted(names) != sorted([self.lines.apart, *self.lines.levels]):
            message = (
                f"the lines of the design {self.key} must name each of {', '.join(names)} once, "
                "apart or with levels"
            )
            raise ValueError(message)
        for factor in self.factors:
            levels = self.lines.levels.get(factor.name)
            if levels and not all(
                not isinstance(each, str) and levels[0] <= each <= levels[-1]
                for each in factor.levels
            ):
                message = f"the lines of {factor.name} must reach {factor.levels}, got {levels}"
                raise ValueError(message)
        return self

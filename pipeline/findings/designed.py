"""A designed experiment answered: effects of what was varied on one loss less another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.config.claims import Part
from pipeline.config.designs import Design, Response
from pipeline.findings.cells import Cell, by_cell, cell_name, suspect_of
from pipeline.findings.evidence import Evidence
from pipeline.findings.measuring import measure
from pipeline.metrics.comparisons import Summary, holm, summarise
from pipeline.metrics.factorial import (
    Effect,
    Line,
    design_of,
    effects,
    explained_share,
    line_through,
)
from pipeline.metrics.intervals import Interval

FEWEST_SEEDS = 2
"""Below it nothing tells an effect from noise."""


@dataclass(frozen=True)
class TestedEffect:
    """An effect, its p-value after Holm's correction, and whether it explains the difference."""

    effect: Effect
    p_value_holm: float | None
    explains: bool


@dataclass(frozen=True)
class ResponseAnswer:
    """What came of one response.

    Attributes
    ----------
    response : Response
    cells : tuple of Summary
        Of the difference over the seeds, in the order of `design_of`.
    mean : float
        Over all cells.
    interval : Interval or None
        Student's, of the mean; None where the seeds of every cell agree.
    mean_size : float
        The mean over cells of the absolute difference.
    tested : tuple of TestedEffect
        Main effects, then pairs.
    share : float or None
        Of the variation between cells, what all of these effects take.
    line : Line or None
        Through the cells, over the suspect's logarithm to base 2.
    """

    response: Response
    cells: tuple[Summary, ...]
    mean: float
    interval: Interval | None
    mean_size: float
    tested: tuple[TestedEffect, ...]
    share: float | None
    line: Line | None

    @property
    def explaining(self) -> list[TestedEffect]:
        """The effects that explain the difference, the largest first."""
        found = [each for each in self.tested if each.explains]
        return sorted(found, key=lambda each: -abs(each.effect.estimate))


@dataclass(frozen=True)
class DesignAnswer:
    """A design and what came out: `missing` says why it is not run, and then nothing is answered.

    `suspects` are the suspect's values, a cell each.
    """

    design: Design
    missing: tuple[str, ...]
    suspects: tuple[float, ...] = ()
    responses: tuple[ResponseAnswer, ...] = ()


def answer_design(design: Design, every: Sequence[Evidence], level: float) -> DesignAnswer:
    """Return what the published experiments of a design's study say of it.

    A design that lacks a cell, or in a cell a seed that others have, is not run: nothing is
    averaged over what is there.

    Raises
    ------
    InputError
        If an experiment has a level that the design does not name, two are one cell, or the
        evidence lacks a setting or a metric.
    """
    own = [each for each in every if each.row.study == design.study]
    if not own:
        return DesignAnswer(design, (f"the study {design.study} is not published",))
    held = by_cell(design, own, {factor.name: factor.levels for factor in design.factors})
    order = factorial_cells(design)
    absent = tuple(cell_name(design, each) for each in order if each not in held)
    if absent:
        return DesignAnswer(design, tuple(f"no experiment with {each}" for each in absent))
    cells = [held[each] for each in order]
    values = {each.says: [differences(design, each, cell) for cell in cells]
              for each in design.responses}  # fmt: skip
    if missing := unequal(cells, values):
        return DesignAnswer(design, missing)
    suspects = tuple(suspect_of(design, each) for each in cells)
    responses = tuple(
        answer_response(design, each, np.array(values[each.says]), np.log2(suspects), level)
        for each in design.responses
    )
    return DesignAnswer(design, (), suspects, responses)


def answer_response(
    design: Design,
    response: Response,
    values: Float[np.ndarray, "cells seeds"],
    places: Float[np.ndarray, "cells"],
    level: float,
) -> ResponseAnswer:
    """Return the effects on one response, corrected together, and what they explain.

    `values` are differences in the order of `design_of`, `places` the suspect's logarithms.
    """
    found = effects(values, len(design.factors), 1 - level)
    means = values.mean(axis=1)
    mean_size = float(np.abs(means).mean())
    p_values = {str(i): e.p_value for i, e in enumerate(found)}
    corrected = holm({key: p for key, p in p_values.items() if p is not None})
    return ResponseAnswer(
        response=response,
        cells=tuple(summarise(each.tolist()) for each in values),
        mean=float(means.mean()),
        interval=_mean_interval(float(means.mean()), found[0]),
        mean_size=mean_size,
        tested=tuple(
            _tested(effect, corrected.get(key), design.share * mean_size, level)
            for key, effect in zip(p_values, found, strict=True)
        ),
        share=explained_share(means, found),
        line=line_through(places, means, 1 - level),
    )


def factorial_cells(design: Design) -> list[Cell]:
    """Return the cells of the factorial in the order of `design_of`."""
    return [
        tuple(factor.levels[(1 + code) // 2]
              for factor, code in zip(design.factors, codes, strict=True))
        for codes in design_of(len(design.factors))
    ]  # fmt: skip


def effect_name(design: Design, effect: Effect) -> str:
    """Name an effect by its factors."""
    return " × ".join(design.factors[place].name for place in effect.factors)


def differences(design: Design, response: Response, cell: Evidence) -> tuple[float, ...]:
    """Return loss less loss in one experiment, one number a seed that both have."""
    part = Part(
        says=response.says,
        metric=response.metric,
        expected="higher",
        losses=[design.loss],
        against_losses=[design.against],
        calibrators=[response.calibrator],
    )
    found = measure(part, [cell])
    return found[0].differences if found else ()


def unequal(
    cells: Sequence[Evidence], values: Mapping[str, Sequence[Sequence[float]]]
) -> tuple[str, ...]:
    """Say which cells have not as many seeds with both losses as the cell with the most planned."""
    needed = max(FEWEST_SEEDS, *(len(cell.row.seeds) for cell in cells))
    return tuple(
        f"{cell.name}, {says[:1].lower()}{says[1:]}: {len(found)} of {needed} seeds with both"
        for says, differences in values.items()
        for cell, found in zip(cells, differences, strict=True)
        if len(found) != needed
    )


def _mean_interval(mean: float, effect: Effect) -> Interval | None:
    """Return the interval of the mean over cells, whose standard error is half of an effect's."""
    if effect.interval is None:
        return None
    half = (effect.interval.upper - effect.interval.lower) / 4
    return Interval(mean - half, mean + half)


def _tested(effect: Effect, corrected: float | None, least: float, level: float) -> TestedEffect:
    significant = corrected is not None and corrected <= level
    return TestedEffect(effect, corrected, significant and abs(effect.estimate) >= least)

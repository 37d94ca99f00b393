"""A design's factors one at a time: whether what was found goes on beyond two levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from pipeline.config.designs import Design, Level, Lines, Response
from pipeline.errors import InputError
from pipeline.findings.cells import Cell, by_cell, cell_name
from pipeline.findings.contrasts import Contrast, bend_weights, change_weights, contrast
from pipeline.findings.designed import differences, unequal
from pipeline.findings.evidence import Evidence
from pipeline.metrics.comparisons import Summary, holm, summarise

Kind = Literal["change", "bend", "pair"]
"""Of a line from its first to its last level; off a straight line; with the factor apart."""


@dataclass(frozen=True)
class FactorLine:
    """One factor through its levels, the one apart at one of its own.

    Attributes
    ----------
    factor : str
    apart : str, int or float
    levels : tuple of float
    points : tuple of Summary
        Of the difference over the seeds, a level each.
    """

    factor: str
    apart: Level
    levels: tuple[float, ...]
    points: tuple[Summary, ...]


@dataclass(frozen=True)
class LineEffect:
    """What a factor's lines do.

    Attributes
    ----------
    factor : str
    kind : {"change", "bend", "pair"}
    found : Contrast
    p_value_holm : float or None
        Corrected over all effects of the response.
    detectable : float or None
        The true size that would have stood after the correction four times in five.
    explains : bool
    """

    factor: str
    kind: Kind
    found: Contrast
    p_value_holm: float | None
    detectable: float | None
    explains: bool


@dataclass(frozen=True)
class ResponseLines:
    """What came of one response: `mean_size` is over cells, of the absolute difference."""

    response: Response
    lines: tuple[FactorLine, ...]
    mean_size: float
    tested: tuple[LineEffect, ...]

    @property
    def explaining(self) -> list[LineEffect]:
        """The effects that explain the difference, the largest first."""
        found = [each for each in self.tested if each.explains]
        return sorted(found, key=lambda each: -abs(each.found.estimate))


@dataclass(frozen=True)
class LinesAnswer:
    """What came of a design's lines: `missing` says why they are not run."""

    lines: Lines
    missing: tuple[str, ...]
    responses: tuple[ResponseLines, ...] = ()


def answer_lines(design: Design, every: Sequence[Evidence], level: float) -> LinesAnswer | None:
    """Return what the published experiments say of a design's lines; None where it has none.

    Lines that lack a cell, or in a cell a seed that others have, are not run.

    Raises
    ------
    InputError
        If an experiment has a level that the lines do not name or is on none of them, two are one
        cell, or the evidence lacks a setting or a metric.
    """
    lines = design.lines
    if lines is None:
        return None
    own = [each for each in every if each.row.study == lines.study]
    if not own:
        return LinesAnswer(lines, (f"the study {lines.study} is not published",))
    (apart,) = (each for each in design.factors if each.name == lines.apart)
    held = by_cell(design, own, {**lines.levels, apart.name: apart.levels})
    wanted = {(name, at): _cells_of_line(design, lines, name, at)
              for name in lines.levels for at in apart.levels}  # fmt: skip
    cells = list(dict.fromkeys(cell for line in wanted.values() for cell in line))
    if strange := [evidence.name for cell, evidence in held.items() if cell not in cells]:
        message = (
            f"design {design.key} of configs/claims.yaml: {strange[0]} is on none of its lines"
        )
        raise InputError(message)
    if absent := [cell_name(design, cell) for cell in cells if cell not in held]:
        return LinesAnswer(lines, tuple(f"no experiment with {each}" for each in absent))
    values = {each.says: [differences(design, each, held[cell]) for cell in cells]
              for each in design.responses}  # fmt: skip
    if missing := unequal([held[cell] for cell in cells], values):
        return LinesAnswer(lines, missing)
    responses = []
    for response in design.responses:
        seeds = np.array(values[response.says])
        by_line = {key: seeds[[cells.index(cell) for cell in line]] for key, line in wanted.items()}
        mean_size = float(np.abs(seeds.mean(axis=1)).mean())
        tested = tested_effects(lines, by_line, design.share * mean_size, level)
        drawn = tuple(
            FactorLine(name, at, tuple(lines.levels[name]),
                       tuple(summarise(each.tolist()) for each in points))
            for (name, at), points in by_line.items()
        )  # fmt: skip
        responses.append(ResponseLines(response, drawn, mean_size, tested))
    return LinesAnswer(lines, (), tuple(responses))


def tested_effects(
    lines: Lines,
    values: dict[tuple[str, Level], Float[np.ndarray, "levels seeds"]],
    least: float,
    level: float,
) -> tuple[LineEffect, ...]:
    """Return the effects of one response's lines, corrected together.

    `values` are differences by factor and level of the factor apart, `least` what explains. A
    change and a bend are means over the levels of the factor apart; a pair is half of what the
    change is greater at its second one.
    """
    found: dict[tuple[str, Kind], Contrast] = {}
    for name, levels in lines.levels.items():
        first, second = (points for (factor, _), points in values.items() if factor == name)
        both = np.concatenate([first, second])
        change, bend = (weights(np.log2(levels)) / 2 for weights in (change_weights, bend_weights))
        found[name, "change"] = contrast(np.concatenate([change, change]), both, 1 - level)
        found[name, "bend"] = contrast(np.concatenate([bend, bend]), both, 1 - level)
        found[name, "pair"] = contrast(np.concatenate([-change, change]), both, 1 - level)
    corrected = holm(
        {f"{name} {kind}": each.p_value for (name, kind), each in found.items()
         if each.p_value is not None}
    )  # fmt: skip
    tested = []
    for (name, kind), each in found.items():
        p_value = corrected.get(f"{name} {kind}")
        stands = p_value is not None and p_value <= level
        tested.append(
            LineEffect(
                factor=name,
                kind=kind,
                found=each,
                p_value_holm=p_value,
                detectable=each.detectable(level / len(found)),
                explains=stands and abs(each.estimate) >= least,
            )
        )
    return tuple(tested)


def _cells_of_line(design: Design, lines: Lines, moved: str, apart: Level) -> list[Cell]:
    """Return the cells of one factor's line, its lowest level first."""
    cells = []
    for at in lines.levels[moved]:
        levels: dict[str, Level] = {**lines.centre, lines.apart: apart, moved: at}
        cells.append(tuple(levels[factor.name] for factor in design.factors))
    return cells

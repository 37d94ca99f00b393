"""A design's factors one at a time: whether what was found goes on beyond two levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from pipeline.config.designs import Design, Factor, Level, Lines, Response
from pipeline.findings.cells import Cell, by_cell, cell_name
from pipeline.findings.designed import differences, unequal
from pipeline.findings.evidence import Evidence
from pipeline.metrics.comparisons import Summary, summarise
from pipeline.metrics.factorial import Line, line_through


@dataclass(frozen=True)
class FactorLine:
    """One factor through its levels, the others at the centre.

    Attributes
    ----------
    factor : str
    apart : str, int or float
        The level of the factor held apart.
    levels : tuple of float
    points : tuple of Summary
        Of the difference over the seeds, a level each.
    line : Line
        Through every seed's difference, over the level's logarithm to base 2. Its interval holds
        together with those of the response's other lines.
    """

    factor: str
    apart: Level
    levels: tuple[float, ...]
    points: tuple[Summary, ...]
    line: Line

    @property
    def shown(self) -> bool:
        """Whether the interval of the slope is without zero."""
        return self.line.interval.lower > 0 or self.line.interval.upper < 0


@dataclass(frozen=True)
class LinesAnswer:
    """What came of a design's lines: a response's are in the order of its factors, and apart.

    `missing` says why they are not run, and then nothing is answered.
    """

    design: Design
    lines: Lines
    missing: tuple[str, ...]
    found: tuple[tuple[Response, tuple[FactorLine, ...]], ...] = ()


def answer_lines(design: Design, every: Sequence[Evidence], level: float) -> LinesAnswer | None:
    """Return what the published experiments say of a design's lines; None where it has none.

    As a design that lacks a cell or a seed, such lines are not run.

    Raises
    ------
    InputError
        If an experiment has a level that the lines do not name, two are one cell, or the evidence
        lacks a setting or a metric.
    """
    lines = design.lines
    if lines is None:
        return None
    own = [each for each in every if each.row.study == lines.study]
    if not own:
        return LinesAnswer(design, lines, (f"the study {lines.study} is not published",))
    (apart,) = (each for each in design.factors if each.name == lines.apart)
    held = by_cell(design, own, {**lines.levels, apart.name: apart.levels})
    wanted = {(each.name, level_apart): _cells_of_line(design, lines, each, level_apart)
              for each in design.factors if each is not apart
              for level_apart in apart.levels}  # fmt: skip
    needed = list(dict.fromkeys(cell for cells in wanted.values() for cell in cells))
    absent = tuple(cell_name(design, each) for each in needed if each not in held)
    if absent:
        return LinesAnswer(design, lines, tuple(f"no experiment with {each}" for each in absent))
    values = {
        each.says: {cell: differences(design, each, held[cell]) for cell in needed}
        for each in design.responses
    }
    told = {says: list(by.values()) for says, by in values.items()}
    if missing := unequal([held[cell] for cell in needed], told):
        return LinesAnswer(design, lines, missing)
    together = 1 - level / len(wanted)
    found = tuple(
        (
            response,
            tuple(
                _line(lines, key, [values[response.says][cell] for cell in cells], together)
                for key, cells in wanted.items()
            ),
        )
        for response in design.responses
    )
    return LinesAnswer(design, lines, (), found)


def _cells_of_line(design: Design, lines: Lines, moved: Factor, apart: Level) -> list[Cell]:
    """Return the cells of one factor's line, its lowest level first."""
    return [
        tuple(
            apart if each.name == lines.apart
            else at if each is moved
            else lines.centre[each.name]
            for each in design.factors
        )
        for at in lines.levels[moved.name]
    ]  # fmt: skip


def _line(
    lines: Lines, key: tuple[str, Level], points: Sequence[Sequence[float]], together: float
) -> FactorLine:
    factor, apart = key
    levels = tuple(lines.levels[factor])
    places = np.repeat(np.log2(levels), len(points[0]))
    # Levels rise, so that they are not all at one place and there is a line.
    line = cast("Line", line_through(places, np.concatenate(points), together))
    return FactorLine(factor, apart, levels, tuple(summarise(each) for each in points), line)

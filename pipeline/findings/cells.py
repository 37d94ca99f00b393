"""Cells of a designed experiment: which level of each factor an experiment was run at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.config.designs import Design, Level
from pipeline.errors import InputError
from pipeline.findings.evidence import Evidence

Cell = tuple[Level, ...]
"""A level of each factor, in the order of the design's factors."""


def by_cell(
    design: Design, own: Sequence[Evidence], levels: Mapping[str, Sequence[Level]]
) -> dict[Cell, Evidence]:
    """Return the experiment of each cell that has one; `levels` are those of each factor.

    Raises
    ------
    InputError
        If an experiment has a level that is not among these, two are one cell, or the evidence
        lacks a setting.
    """
    found: dict[Cell, Evidence] = {}
    for evidence in own:
        cell = _cell(design, evidence, levels)
        if cell in found:
            message = (
                f"design {design.key} of configs/claims.yaml: one experiment a cell expected, got "
                f"{found[cell].name} and {evidence.name} for {cell_name(design, cell)}"
            )
            raise InputError(message)
        found[cell] = evidence
    return found


def suspect_of(design: Design, evidence: Evidence) -> float:
    """Return the suspect's value for an experiment."""
    above, below = (_number(design, path, evidence)
                    for path in (design.suspect.setting, design.suspect.over))  # fmt: skip
    return above / below


def cell_name(design: Design, cell: Cell) -> str:
    """Name a cell by its levels."""
    return ", ".join(f"{factor.name} {level_text(level)}"
                     for factor, level in zip(design.factors, cell, strict=True))  # fmt: skip


def level_text(level: Level) -> str:
    """Write a level.

    >>> level_text("sgd"), level_text(1000.0), level_text(0.5)
    ('sgd', '1,000', '0.5')
    """
    return level if isinstance(level, str) else f"{level:,.10g}"


def _cell(design: Design, evidence: Evidence, levels: Mapping[str, Sequence[Level]]) -> Cell:
    cell = []
    for factor in design.factors:
        level = _setting(design, factor.setting, evidence)
        if level not in levels[factor.name]:
            allowed = " or ".join(level_text(each) for each in levels[factor.name])
            message = (
                f"design {design.key} of configs/claims.yaml: {factor.name} {allowed} expected, "
                f"got {level} for {evidence.name}"
            )
            raise InputError(message)
        cell.append(level)
    return tuple(cell)


def _number(design: Design, path: str, evidence: Evidence) -> float:
    found = _setting(design, path, evidence)
    # A truth value is a number to Python.
    if isinstance(found, bool) or not isinstance(found, int | float) or found <= 0:
        message = (
            f"design {design.key} of configs/claims.yaml: a number above 0 expected as {path}, got "
            f"{found!r} for {evidence.name}"
        )
        raise InputError(message)
    return float(found)


def _setting(design: Design, path: str, evidence: Evidence) -> Any:
    """Return one of an experiment's settings: `path` is the way to it, with dots between."""
    if evidence.settings is None:
        message = (
            f"{evidence.name}: provenance.json lacks 'settings', which the design {design.key} "
            f"needs: `python -m pipeline publish {evidence.row.study}` writes them"
        )
        raise InputError(message)
    found: Any = evidence.settings.model_dump()
    for key in path.split("."):
        if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, Mapping) and key in found:
            found = found[key]
        else:
            message = f"design {design.key} of configs/claims.yaml: {evidence.name} has no {path}"
            raise InputError(message)
    return found

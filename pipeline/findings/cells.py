"""Cells of a designed experiment: which level of each factor an experiment was run at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.config.designs import Design
from pipeline.errors import InputError
from pipeline.findings.evidence import Evidence

Coded = tuple[int, ...]
"""A cell: -1 for the low and 1 for the high level of each factor."""


def by_cell(design: Design, own: Sequence[Evidence]) -> dict[Coded, Evidence]:
    """Return the experiment of each cell that has one; see `answer_design` for what is refused."""
    found: dict[Coded, Evidence] = {}
    for evidence in own:
        cell = tuple(_coded(design, place, evidence) for place in range(len(design.factors)))
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


def cell_name(design: Design, cell: Coded) -> str:
    """Name a cell by its levels."""
    return ", ".join(f"{factor.name} {factor.levels[(1 + code) // 2]}"
                     for factor, code in zip(design.factors, cell, strict=True))  # fmt: skip


def _coded(design: Design, place: int, evidence: Evidence) -> int:
    factor = design.factors[place]
    level = _setting(design, factor.setting, evidence)
    if level not in factor.levels:
        message = (
            f"design {design.key} of configs/claims.yaml: {factor.name} {factor.levels[0]} or "
            f"{factor.levels[1]} expected, got {level} for {evidence.name}"
        )
        raise InputError(message)
    return 1 if level == factor.levels[1] else -1


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
            f"needs: `python -m pipeline publish {design.study}` writes them"
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

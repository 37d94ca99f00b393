"""Fitted calibrators as JSON and back, to the same bits."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pipeline.arguments import one_of
from pipeline.calibrators.bcts import BiasCorrectedTemperature
from pipeline.calibrators.calibrator import Calibrator
from pipeline.calibrators.dirichlet import DirichletCalibration
from pipeline.calibrators.ets import EnsembleTemperature
from pipeline.calibrators.focal_temperature import FocalTemperature
from pipeline.calibrators.histogram import HistogramBinning
from pipeline.calibrators.hts import EntropyTemperature
from pipeline.calibrators.identity import Identity
from pipeline.calibrators.isotonic import IsotonicCalibration
from pipeline.calibrators.monotone import MonotoneTemperature
from pipeline.calibrators.piecewise import PiecewiseTemperature
from pipeline.calibrators.prior import PriorCorrection
from pipeline.calibrators.site import SiteRecalibration
from pipeline.calibrators.structured_matrix import StructuredMatrix
from pipeline.calibrators.temperature import TemperatureScaling
from pipeline.calibrators.vector import VectorScaling
from pipeline.errors import InputError

FITTED: dict[str, type] = {
    fitted.__name__: fitted
    for fitted in (
        BiasCorrectedTemperature,
        DirichletCalibration,
        EnsembleTemperature,
        EntropyTemperature,
        FocalTemperature,
        HistogramBinning,
        Identity,
        IsotonicCalibration,
        MonotoneTemperature,
        PiecewiseTemperature,
        PriorCorrection,
        SiteRecalibration,
        StructuredMatrix,
        TemperatureScaling,
        VectorScaling,
    )
}
"""What `from_json` can build, by the name under "type"."""


def to_json(calibrator: Calibrator) -> dict[str, Any]:
    """Return a fitted calibrator as what `json.dumps` takes; floats keep every bit.

    >>> to_json(TemperatureScaling(1.5))
    {'type': 'TemperatureScaling', 'temperature': 1.5, 'notes': []}
    """
    kind = type(calibrator)
    one_of("type of calibrator", kind.__name__, FITTED)
    parts = {
        field.name: _plain(getattr(calibrator, field.name))
        for field in fields(FITTED[kind.__name__])
    }
    return {"type": kind.__name__, **parts}


def from_json(record: dict[str, Any]) -> Calibrator:
    """Build the calibrator that `to_json` wrote.

    Raises `InputError` if the type is unknown, or a part is missing or unknown.

    >>> from_json({"type": "TemperatureScaling", "temperature": 1.5, "notes": []}).temperature
    1.5
    """
    kind = record.get("type")
    one_of("type of calibrator", kind, FITTED)
    fitted = FITTED[str(kind)]
    expected = {field.name for field in fields(fitted)}
    if record.keys() - {"type"} != expected:
        found = ", ".join(sorted(record.keys() - {"type"}))
        message = f"{kind} has the parts {', '.join(sorted(expected))}; got {found}"
        raise InputError(message)
    return fitted(**{name: _fitted(record[name]) for name in expected})


def _plain(value: Any) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return to_json(value)


def _fitted(value: object) -> object:
    if isinstance(value, list):
        return tuple(_fitted(item) for item in value)
    return from_json(value) if isinstance(value, dict) else value

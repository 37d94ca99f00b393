"""Each fitted calibrator as a torch module of plain operations, so that it can be exported.

The numpy calibrators stay the truth: `require_equal` holds a module to them before anything is
packed. All is computed in float64, as there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.calibrators import Calibrator
from pipeline.calibrators.bcts import BiasCorrectedTemperature
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
from pipeline.releasing.calibrator_modules import (
    Affine,
    Binned,
    ByEntropy,
    Curve,
    Focal,
    Isotonic,
    Linewise,
    Mixed,
    Monotone,
    Scaled,
    Stepwise,
    Structured,
    Twin,
)
from pipeline.shapes import Logits

AGREE_WITHIN = 1e-5
"""Largest difference of a probability between a module and the calibrator that it stands for."""


class _Corrected(Twin):
    """Biases on log-probabilities, then another calibrator."""

    biases: Tensor

    def __init__(self, calibrator: PriorCorrection) -> None:
        super().__init__(biases=calibrator.biases)
        self.then = exportable(calibrator.then or Identity())

    def forward(self, logits: Tensor) -> Tensor:
        corrected = torch.log_softmax(torch.log_softmax(logits, dim=1) + self.biases, dim=1)
        return self.then(corrected)


def _piecewise(calibrator: PiecewiseTemperature) -> nn.Module:
    temperatures = {"log_temperatures": calibrator.log_temperatures}
    if calibrator.interpolation == "constant":
        return Stepwise(edges=calibrator.edges, **temperatures)
    counts = np.asarray(calibrator.counts)
    reached = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    return Linewise(
        knots=[calibrator.extent[0], *calibrator.edges, calibrator.extent[1]],
        reached=reached.tolist(),
        centres=(0.5 * (reached[1:] + reached[:-1])).tolist(),
        **temperatures,
    )


def _isotonic(calibrator: IsotonicCalibration) -> nn.Module:
    curves = zip(calibrator.knots, calibrator.values, strict=True)
    return Isotonic(
        (Curve(knots=knots, values=values) for knots, values in curves), calibrator.floor
    )


def _monotone(calibrator: MonotoneTemperature) -> nn.Module:
    knots, values = np.asarray(calibrator.knots), np.asarray(calibrator.values)
    slopes = np.append(np.diff(values) / np.diff(knots), values[-1] / knots[-1])
    ends = np.append(values[1:], np.inf)
    return Monotone(knots=knots, values=values, slopes=slopes, ends=ends)


EXPORTED: dict[type, Callable[[Any], nn.Module]] = {
    BiasCorrectedTemperature: lambda fitted: Affine(
        weights=[1.0 / fitted.temperature] * len(fitted.biases), biases=fitted.biases
    ),
    DirichletCalibration: lambda fitted: Affine(weights=fitted.weights, biases=fitted.biases),
    EnsembleTemperature: lambda fitted: Mixed(
        temperature=fitted.temperature, weights=fitted.weights
    ),
    EntropyTemperature: lambda fitted: ByEntropy(intercept=fitted.intercept, slope=fitted.slope),
    FocalTemperature: lambda fitted: Focal(temperature=fitted.temperature, gamma=fitted.gamma),
    HistogramBinning: lambda fitted: Binned(edges=fitted.edges, accuracies=fitted.accuracies),
    Identity: lambda _: Scaled(temperature=1.0),
    IsotonicCalibration: _isotonic,
    MonotoneTemperature: _monotone,
    PiecewiseTemperature: _piecewise,
    PriorCorrection: _Corrected,
    SiteRecalibration: lambda fitted: nn.Sequential(
        exportable(fitted.source), exportable(fitted.adjustment)
    ),
    StructuredMatrix: lambda fitted: Structured(
        temperature=fitted.temperature,
        equal_share=fitted.equal_share,
        weights=fitted.weights,
        biases=fitted.biases,
    ),
    TemperatureScaling: lambda fitted: Scaled(temperature=fitted.temperature),
    VectorScaling: lambda fitted: Affine(weights=fitted.slopes, biases=fitted.biases),
}
"""How each type of fitted calibrator becomes a module."""


def exportable(calibrator: Calibrator) -> nn.Module:
    """Return a module that maps float64 logits, (n, classes), to float64 log-probabilities.

    Raises
    ------
    InputError
        If there is none for a calibrator of this type.
    """
    kind = type(calibrator)
    if kind not in EXPORTED:
        message = f"a calibrator of type {kind.__name__} cannot be exported"
        raise InputError(message)
    return EXPORTED[kind](calibrator)


def require_equal(module: nn.Module, calibrator: Calibrator, logits: Logits) -> None:
    """Raise `InputError` unless a module gives the calibrator's probabilities, within 1e-5."""
    expected = np.exp(calibrator(logits))
    with torch.no_grad():
        found = module(torch.from_numpy(logits.astype(np.float64))).exp().numpy()
    difference = float(np.abs(found - expected).max(initial=0.0))
    # Written so that NaN fails it too.
    if not difference <= AGREE_WITHIN:
        message = (
            f"{type(calibrator).__name__}: the exported calibrator's probabilities must be within "
            f"{AGREE_WITHIN:g} of its own, got {difference:.3g}"
        )
        raise InputError(message)

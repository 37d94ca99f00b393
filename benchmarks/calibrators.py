"""What each calibrator costs to fit and to apply, and temperature's fits beside other libraries'.

Run as ``python -m benchmarks calibrators``. Labels are drawn from the softmax of logits that are
then doubled, so the true temperature is 2. What would take more than a minute is not run, and says
what it would have taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from probmetrics.calibrators import TemperatureScalingCalibrator
from probmetrics.distributions import CategoricalLogits
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from torch.nn import functional

from benchmarks.timing import (
    Timing,
    at_least,
    at_most,
    fixed_threads,
    print_table,
    show_seconds,
    time_side_by_side,
)
from pipeline.calibrators import CALIBRATORS, fit_calibrator
from pipeline.calibrators.ats import fit_ats
from pipeline.calibrators.temperature import fit_temperature
from pipeline.shapes import Labels, Logits

SIZES = ((5_000, 10), (50_000, 100), (50_000, 1000))
TRUE_TEMPERATURE = 2.0
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in CALIBRATORS} | {
    "ats, bins auto": ("ats", {"bins": "auto"})
}
MOST_SECONDS = 60.0
ROUNDS, ROUNDS_OF_LARGE, LARGE = 9, 3, 10_000_000
"""Fewer rounds from this many logits on."""

OURS, ATS, LBFGS = "temperature", "ats", "LBFGS, float64"
MOST_DIFFERENCE, LEAST_GAIN = 1e-3, 3.0


@dataclass(frozen=True)
class DrawnCases:
    """Logits in float32, as training stores them, and labels; the same as tensors."""

    logits: Logits
    labels: Labels

    @property
    def tensors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Share the arrays' memory."""
        return torch.from_numpy(self.logits), torch.from_numpy(self.labels)


def run(sizes: Sequence[tuple[int, int]] = SIZES) -> None:
    """Print the tables."""
    print(f"{fixed_threads()} threads; true temperature {TRUE_TEMPERATURE:g}")
    drawn = [draw_cases(*size) for size in sizes]
    print_every_calibrator(drawn)
    for cases in drawn:
        large = cases.logits.size >= LARGE
        print_temperatures(cases, rounds=ROUNDS_OF_LARGE if large else ROUNDS)


def draw_cases(num_cases: int, num_classes: int) -> DrawnCases:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, size=(num_cases, num_classes)).astype(np.float32)
    cumulative = np.exp(log_softmax(logits, axis=1), dtype=np.float64).cumsum(axis=1)
    drawn = rng.random((num_cases, 1)) * cumulative[:, -1:]
    return DrawnCases(np.float32(TRUE_TEMPERATURE) * logits, (cumulative < drawn).sum(axis=1))


def print_every_calibrator(drawn: Sequence[DrawnCases]) -> None:
    rows = [[name, *_fits_and_applications(name, drawn)] for name in SETTINGS]
    columns = ["fit, apply", *(_size(cases) for cases in drawn)]
    print_table("every calibrator, once each", columns, rows)


def _fits_and_applications(name: str, drawn: Sequence[DrawnCases]) -> list[str]:
    cells, last = [], None
    for cases in drawn:
        expected = 0.0 if last is None else last[0] * _work(name, cases) / last[1]
        if expected > MOST_SECONDS:
            cells.append(f"skipped: about {expected / 60:.0f} min expected")
            continue
        fit, apply = _fit_and_apply(name, cases)
        last = (fit, _work(name, cases))
        cells.append(f"{show_seconds(fit)}, {show_seconds(apply)}")
    return cells


def _work(name: str, cases: DrawnCases) -> float:
    """Return what a fit's time grows with: some multiply each row with a square matrix."""
    num_cases, num_classes = cases.logits.shape
    return num_cases * float(num_classes) ** (
        2 if name in {"dirichlet", "structured_matrix"} else 1
    )


def _fit_and_apply(name: str, cases: DrawnCases) -> tuple[float, float]:
    kind, arguments = SETTINGS[name]
    started = time.perf_counter()
    calibrator = fit_calibrator(kind, cases.logits, cases.labels, **arguments)
    fitted = time.perf_counter()
    calibrator(cases.logits)
    return fitted - started, time.perf_counter() - fitted


def fit_ours(cases: DrawnCases) -> float:
    return fit_temperature(cases.logits, cases.labels).temperature


def fit_many(cases: DrawnCases) -> float:
    """Return the mean of the temperatures of the bins of ats."""
    return float(np.mean(fit_ats(cases.logits, cases.labels).temperatures))


def fit_probmetrics(cases: DrawnCases) -> float:
    logits, labels = cases.tensors
    fitted = TemperatureScalingCalibrator().fit_torch(CategoricalLogits(logits), labels)
    return 1 / float(fitted.invtemp_)


class GivenLogits(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose decision function is its input."""

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.classes_ = np.arange(num_classes)

    def fit(self, X: Logits, y: Labels) -> GivenLogits:  # noqa: ARG002 - scikit-learn's protocol
        """Return itself."""
        return self

    def predict(self, X: Logits) -> Labels:
        """Return the arg-max."""
        return X.argmax(axis=1)

    def decision_function(self, X: Logits) -> Logits:
        """Return the input."""
        return X


def fit_sklearn(cases: DrawnCases) -> float:
    frozen = FrozenEstimator(GivenLogits(cases.logits.shape[1]))
    fitted = CalibratedClassifierCV(frozen, method="temperature", ensemble=False)
    # In float32 its search stops up to 6e-4 from the optimum, in what is rounding.
    fitted.fit(cases.logits.astype(np.float64), cases.labels)
    return 1 / float(fitted.calibrated_classifiers_[0].calibrators[0].beta_)


def fit_lbfgs(cases: DrawnCases, dtype: torch.dtype) -> float:
    """Run torch's LBFGS from 1.5, where the widely copied code starts, until it stops by itself.

    That code's learning rate of 0.01 and 50 steps stop short of the optimum: here both are torch's
    own, with steps enough.
    """
    logits, labels = cases.tensors
    logits = logits.to(dtype)
    temperature = torch.full((1,), 1.5, dtype=dtype, requires_grad=True)
    optimiser = torch.optim.LBFGS([temperature], max_iter=100)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = functional.cross_entropy(logits / temperature, labels)
        loss.backward()
        return loss.detach()

    optimiser.step(closure)
    return float(temperature.detach())


FITS: dict[str, Callable[[DrawnCases], float]] = {
    OURS: fit_ours,
    ATS: fit_many,
    "scikit-learn": fit_sklearn,
    "probmetrics": fit_probmetrics,
    "LBFGS, float32": partial(fit_lbfgs, dtype=torch.float32),
    # The precision that ours computes in, so the one that ours is judged against.
    LBFGS: partial(fit_lbfgs, dtype=torch.float64),
}


def print_temperatures(cases: DrawnCases, rounds: int) -> None:
    """Compare the fits of one temperature, and judge ours against its limits."""
    temperatures: dict[str, float] = {}

    def make(name: str) -> Callable[[], None]:
        return lambda: temperatures.update({name: FITS[name](cases)})

    timing = time_side_by_side({name: make(name) for name in FITS}, rounds=rounds)
    rows = [
        [
            name,
            show_seconds(timing.seconds(name)),
            f"{timing.ratio(name, OURS):.2f}",
            f"{temperatures[name]:.5f}",
            _verdict(name, timing, temperatures),
        ]
        for name in FITS
    ]
    columns = ["fit", "median", f"ratio to {OURS}", "T (ats: mean)", "verdict"]
    print_table(f"one temperature, {_size(cases)}", columns, rows)


def _verdict(name: str, timing: Timing, temperatures: dict[str, float]) -> str:
    if name in (OURS, ATS):
        gain = timing.ratio(LBFGS, name)
        return f"{gain:.1f} x as fast as {LBFGS}: {at_least(gain, LEAST_GAIN)}"
    difference = abs(temperatures[name] - temperatures[OURS])
    return f"T differs by {difference:.1e}: {at_most(difference, MOST_DIFFERENCE)}"


def _size(cases: DrawnCases) -> str:
    return f"{cases.logits.shape[0]:,} x {cases.logits.shape[1]:,}"


if __name__ == "__main__":
    run()

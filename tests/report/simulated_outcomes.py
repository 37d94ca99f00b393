"""What simulated models say of simulated patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

SHARPNESS = {"cross_entropy": 2.1, "gce": 1.3, "flsd53": 0.7}
CALIBRATORS = ("identity", "temperature", "ats")


@dataclass(frozen=True)
class Scenario:
    """One experiment to simulate."""

    name: str
    title: str
    classes: tuple[str, ...]
    prevalence: tuple[float, ...]
    critical: tuple[str, ...] = ()
    num_test: int = 600
    signal: float = 9.0
    seeds: tuple[int, ...] = (0, 1, 2)
    losses: tuple[str, ...] = tuple(SHARPNESS)
    simulated: bool = True
    extras: bool = True


@dataclass(frozen=True)
class Outcome:
    """What one run and calibrator says of one split."""

    loss: str
    seed: int
    calibrator: str
    labels: np.ndarray
    log_p: np.ndarray
    raw: np.ndarray

    @property
    def confidence(self) -> np.ndarray:
        return np.exp(self.log_p.max(axis=1))

    @property
    def predicted(self) -> np.ndarray:
        return self.log_p.argmax(axis=1)

    @property
    def correct(self) -> np.ndarray:
        return self.predicted == self.labels

    @property
    def keys(self) -> dict[str, object]:
        return {"loss": self.loss, "seed": self.seed, "calibrator": self.calibrator}


def simulate(scenario: Scenario) -> tuple[list[Outcome], list[Outcome]]:
    """Return the outcomes on the threshold and the test patients."""
    generator = np.random.default_rng(20)
    n = scenario.num_test
    evidence = generator.normal(0, scenario.signal / 2, (2 * n, len(scenario.classes)))
    evidence += np.log(scenario.prevalence)
    labels = np.array([generator.choice(len(p), p=p) for p in softmax(evidence, axis=1)])
    threshold, test = [], []
    for loss in scenario.losses:
        for seed in scenario.seeds:
            noise = generator.normal(0, 0.5, evidence.shape)
            raw = SHARPNESS.get(loss, 1.6) * (evidence + noise)
            for calibrator in CALIBRATORS:
                log_p = log_softmax(raw / _temperature(calibrator, raw[:n], labels[:n]), axis=1)
                for outcomes, part in ((threshold, slice(0, n)), (test, slice(n, None))):
                    outcomes.append(
                        Outcome(loss, seed, calibrator, labels[part], log_p[part], raw[part])
                    )
    return threshold, test


def _temperature(calibrator: str, raw: np.ndarray, labels: np.ndarray) -> np.ndarray | float:
    if calibrator == "identity":
        return 1.0

    def loss(log_temperature: float) -> float:
        log_p = log_softmax(raw / np.exp(log_temperature), axis=1)
        return float(-log_p[np.arange(len(labels)), labels].mean())

    best = float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))
    return best if calibrator == "temperature" else 1.04 * best

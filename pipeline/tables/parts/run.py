"""One trained network with every calibrator fitted to it, as evaluation sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from pipeline.artifacts import Predictions
from pipeline.calibrators import Calibrator
from pipeline.metrics.patient_units import PatientUnits, whole_patients
from pipeline.metrics.top_label import TopLabel, top_label
from pipeline.shapes import LogProbabilities


@dataclass(frozen=True)
class Applied:
    """A split's cases and what each calibrator makes of their logits.

    Attributes
    ----------
    predictions : Predictions
        Logits, labels, patients and groups.
    log_probabilities : mapping of str to float64 array, (cases, classes)
        By calibrator.
    """

    predictions: Predictions
    log_probabilities: Mapping[str, LogProbabilities]

    def top(self, calibrator: str) -> TopLabel:
        """Return each case's predicted class, its confidence, and whether it is right."""
        return top_label(self.log_probabilities[calibrator], self.predictions.labels)

    def units(self, calibrator: str) -> PatientUnits:
        """Return one confidence and one 0/1 loss a patient: answered if all of their cases are."""
        top = self.top(calibrator)
        losses = 1 - np.asarray(top.correct, dtype=int)
        return whole_patients(top.confidence, losses, self.predictions.patients)

    def patient_confidence(self, calibrator: str) -> Float[np.ndarray, "cases"]:
        """Return, for each case, the lowest confidence among the cases of its patient."""
        units = self.units(calibrator)
        return units.confidence[np.searchsorted(units.patients, self.predictions.patients)]

    def answered(self, calibrator: str, threshold: float) -> Bool[np.ndarray, "cases"]:
        """Return whether each case's patient is answered; a threshold of NaN answers nobody."""
        return self.patient_confidence(calibrator) >= threshold


@dataclass(frozen=True)
class Run:
    """One loss and seed.

    Attributes
    ----------
    test : Applied
        The cases that numbers are reported on.
    threshold : Applied or None
        The cases that fix operating points, seen by no calibrator; None where there are none.
    calibrators : mapping of str to Calibrator
        As fitted on the calibration split.
    """

    loss: str
    seed: int
    test: Applied
    threshold: Applied | None
    calibrators: Mapping[str, Calibrator]

    def key(self, calibrator: str) -> dict[str, Any]:
        """Return what a table's row begins with."""
        return {"loss": self.loss, "calibrator": calibrator, "seed": self.seed}


def by_loss(runs: Sequence[Run]) -> Iterator[tuple[str, list[Run]]]:
    """Yield each loss with its runs, one a seed; runs of one loss stand together."""
    for loss, group in groupby(runs, key=lambda run: run.loss):
        yield loss, list(group)


def first_seeds(runs: Sequence[Run]) -> list[Run]:
    """Return each loss's first run: the model that a report shows, not the best."""
    return [seeds[0] for _, seeds in by_loss(runs)]


def first_run(runs: Sequence[Run], loss: str) -> Run:
    """Return a loss's first run."""
    return next(run for run in runs if run.loss == loss)

"""One trained network with every calibrator fitted to it, as evaluation sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.artifacts import Predictions
from pipeline.calibrators import Calibrator
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


def by_loss(runs: Sequence[Run]) -> Iterator[tuple[str, list[Run]]]:
    """Yield each loss with its runs, one a seed; runs of one loss stand together."""
    for loss, group in groupby(runs, key=lambda run: run.loss):
        yield loss, list(group)

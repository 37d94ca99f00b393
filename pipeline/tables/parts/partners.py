"""What one run says of one partner: cases out of scope, damaged, or of another site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.artifacts import ForeignPredictions, Predictions
from pipeline.config.study import PartnerKind
from pipeline.shapes import LogProbabilities
from pipeline.tables.parts.run import Run

if TYPE_CHECKING:
    from pipeline.tables.parts.experiment import Experiment


@dataclass(frozen=True)
class PartnerRun:
    """One loss and seed on the test cases of one partner.

    Attributes
    ----------
    run : Run
        The model, its own test cases, and its calibrators as fitted at home.
    partner : str
        The data set.
    kind : str
        near_ood or far_ood, whose cases have no label here; corruption or site, whose have.
    predictions : Predictions or ForeignPredictions
    """

    run: Run
    partner: str
    kind: PartnerKind
    predictions: Predictions | ForeignPredictions

    def key(self, calibrator: str) -> dict[str, Any]:
        """Return what a table's row begins with."""
        return self.run.key(calibrator) | {"partner": self.partner, "kind": self.kind}

    def log_probabilities(self, calibrator: str) -> LogProbabilities:
        """Return what a calibrator, fitted at home, makes of the partner's logits."""
        return self.run.calibrators[calibrator](self.predictions.logits)


def foreign(partners: Sequence[PartnerRun]) -> list[PartnerRun]:
    """Return those whose cases are of no class that was trained on."""
    return [each for each in partners if isinstance(each.predictions, ForeignPredictions)]


def labelled(
    partners: Sequence[PartnerRun], *kinds: PartnerKind
) -> Iterator[tuple[PartnerRun, Predictions]]:
    """Yield those of some kinds whose cases have labels, with these."""
    for each in partners:
        if each.kind in kinds and isinstance(each.predictions, Predictions):
            yield each, each.predictions


def threshold_at(points: pd.DataFrame, run: Run, calibrator: str, target: float) -> float:
    """Return the threshold of the `operating_points_table` for a target; NaN where none was found.

    Every comparison with NaN is false, so it answers nobody.
    """
    key = run.key(calibrator) | {"target": target}
    row = points[(points[list(key)] == pd.Series(key)).all(axis=1)]
    return float(np.asarray(row["threshold"], dtype=float).item())


def has_partners(experiment: Experiment) -> bool:
    """Return whether an experiment has partners."""
    return bool(experiment.partners)


def has_foreign_partners(experiment: Experiment) -> bool:
    """Return whether it has partners of no class that was trained on."""
    return bool(foreign(experiment.partners))

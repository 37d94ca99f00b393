"""An experiment as its tables are computed from: runs, plan, data and partners."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pipeline.config.plan import ExperimentRow
from pipeline.metrics.case_costs import Costs
from pipeline.tables.operating_points import OPERATING_POINTS
from pipeline.tables.parts.partners import PartnerRun
from pipeline.tables.parts.run import Run, first_run, first_seeds
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.stated_costs import cost_matrix

BOOTSTRAP = {"num_resamples": 1000, "seed": 0}
"""Of every interval that resamples patients; the seed is that of simulated labels as well."""


@dataclass(frozen=True)
class Experiment:
    """What an experiment's tables are computed from; each is computed once, when asked for.

    Attributes
    ----------
    runs : sequence of Run
        All runs of the experiment, in the plan's order.
    row : ExperimentRow
        Which of them is shown, and at which targets.
    card : dict
        The data set's: classes, critical classes, counts, long tail.
    partners : sequence of PartnerRun
        What all runs say of each partner of the experiment.
    history : DataFrame
        The training histories of all runs.
    images : callable, optional
        From names of cases to their images; None where none may be shown.
    bootstrap : mapping of str to int
        Number of resamples and seed.
    """

    runs: Sequence[Run]
    row: ExperimentRow
    card: Mapping[str, Any]
    partners: Sequence[PartnerRun] = ()
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    images: Callable[[Iterable[str]], dict[str, np.ndarray]] | None = None
    bootstrap: Mapping[str, int] = field(default_factory=lambda: dict(BOOTSTRAP))
    _made: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)

    def frame(self, spec: TableSpec) -> pd.DataFrame:
        """Return a table; without rows where the experiment has none."""
        if spec.name not in self._made:
            self._made[spec.name] = spec.compute(self) if spec.when(self) else pd.DataFrame()
        return self._made[spec.name]

    @property
    def seed(self) -> int:
        """The seed of what is simulated or resampled."""
        return self.bootstrap["seed"]

    @property
    def classes(self) -> list[str]:
        """The classes, in the order of the logits."""
        return self.card["classes"]

    @property
    def shown(self) -> Run:
        """The run of the model shown: the headline's loss, first seed."""
        return first_run(self.runs, self.row.headline_loss)

    @property
    def first_seeds(self) -> list[Run]:
        """Each loss's first run."""
        return first_seeds(self.runs)

    @property
    def headline_and_baseline(self) -> list[Run]:
        """The first run of the headline's loss and of the baseline, once if they are one."""
        losses = dict.fromkeys([self.row.headline_loss, self.row.baseline])
        return [first_run(self.runs, loss) for loss in losses]

    @property
    def before_and_after(self) -> list[str]:
        """The calibrators that are compared closely: none, and the headline's."""
        calibrators = self.row.calibrators
        none = "identity" if "identity" in calibrators else calibrators[0]
        return list(dict.fromkeys([none, self.row.headline_calibrator]))

    @property
    def compared_closely(self) -> set[tuple[str, str]]:
        """The losses and calibrators whose every metric gets an interval over patients.

        All losses without calibration, with temperature scaling and with the headline's calibrator;
        all calibrators of the headline's loss and of the baseline. Of the others means and
        deviations over seeds are enough, and resampling patients is nearly all that an evaluation
        costs.
        """
        row, calibrators = self.row, {*self.before_and_after, "temperature"}
        return {
            (loss, calibrator)
            for loss in row.losses
            for calibrator in row.calibrators
            if calibrator in calibrators or loss in (row.headline_loss, row.baseline)
        }

    @property
    def points_at_target(self) -> pd.DataFrame:
        """The operating points of every loss's first seed at the headline's target."""
        points = self.frame(OPERATING_POINTS)
        at_target = points["target"] == self.row.headline_target
        return points[at_target & (points["seed"] == self.row.seeds[0])]

    @property
    def points_of_shown(self) -> pd.DataFrame:
        """Those of the model shown, before and after calibration."""
        points = self.points_at_target
        own = points["loss"] == self.row.headline_loss
        return points[own & points["calibrator"].isin(self.before_and_after)]

    @cached_property
    def costs(self) -> Costs:
        """What each error costs: the classes' rows read as their columns."""
        return cost_matrix(self.row.costs, self.classes)

"""Every table of an experiment, by the name of its file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from pipeline.config.plan import ExperimentRow
from pipeline.evaluation.accepted import accepted_groups_table, accepted_table
from pipeline.evaluation.class_risk import class_risk_table
from pipeline.evaluation.comparisons import comparisons_table, differences_table
from pipeline.evaluation.confidence import confidence_table, smooth_curve_table
from pipeline.evaluation.curves import exact_band_table, risk_coverage_table
from pipeline.evaluation.decisions import costs_table, net_benefit_table
from pipeline.evaluation.error_costs import cost_tables
from pipeline.evaluation.fitted import calibrators_table
from pipeline.evaluation.group_curves import group_curves_table
from pipeline.evaluation.groups import group_scores_table, groups_table
from pipeline.evaluation.levels import class_calibration_table, cox_table, levels_table
from pipeline.evaluation.long_tail import long_tail_curves_table, long_tail_table
from pipeline.evaluation.operating_points import operating_points_table, per_class_table
from pipeline.evaluation.partner_tables import partner_tables
from pipeline.evaluation.partners import PartnerRun
from pipeline.evaluation.reliability import reliability_table
from pipeline.evaluation.run import Run, first_run, first_seeds
from pipeline.evaluation.scores import runs_table, summary_table
from pipeline.evaluation.selection import selection_table
from pipeline.evaluation.sets import prediction_sets_table
from pipeline.evaluation.workload import workload_table

BOOTSTRAP = {"num_resamples": 1000, "seed": 0}
"""Of every interval that resamples patients; the seed is that of simulated labels as well."""

WITHOUT_REFERRAL = ("model", "act_on_all", "act_on_none")
"""Policies of `net_benefit_table` that refer nobody."""

Card = dict[str, Any]

Tell = Callable[[str], None]
"""Is told what comes next, before each step that may take long."""


def silent(step: str) -> None:  # noqa: ARG001
    """Tell nobody."""


def experiment_tables(
    runs: Sequence[Run],
    row: ExperimentRow,
    card: Card,
    partners: Sequence[PartnerRun] = (),
    *,
    tell: Tell = silent,
) -> dict[str, pd.DataFrame]:
    """Return every table that is made from predictions, by name.

    Parameters
    ----------
    runs : sequence of Run
        All runs of the experiment, in the plan's order.
    row : ExperimentRow
        Which of them is shown, and at which targets.
    card : dict
        The data set's: classes, critical classes, counts, long tail.
    partners : sequence of PartnerRun
        What all runs say of each partner of the experiment.
    tell : callable
        Gets a line before each step that takes long where cases are many.

    Returns
    -------
    dict of str to DataFrame
        Tables that this experiment cannot have (no group, one method, no critical class, no costs,
        no long tail) are left out.
    """
    # How a sum is split over threads decides its last digit: one thread, whatever the machine.
    with threadpool_limits(limits=1):
        return _experiment_tables(runs, row, card, partners, tell)


def _experiment_tables(
    runs: Sequence[Run], row: ExperimentRow, card: Card, partners: Sequence[PartnerRun], tell: Tell
) -> dict[str, pd.DataFrame]:
    tell("computing every metric with its interval")
    seed, classes = BOOTSTRAP["seed"], card["classes"]
    scores = runs_table(runs)
    points = operating_points_table(runs, targets=row.risk_targets, delta=row.delta)
    tables = {
        "runs": scores,
        "summary": summary_table(runs, scores, closely=compared_closely(row), **BOOTSTRAP),
        "risk_coverage": risk_coverage_table(runs),
        "exact_band": exact_band_table(runs, points),
        "reliability": reliability_table(runs),
        "operating_points": points,
        "per_class": per_class_table(runs, classes, points),
        "calibrators": calibrators_table(runs),
        "confidence": confidence_table(runs),
        "comparisons": comparisons_table(scores),
        "differences": differences_table(scores, row.baseline),
        "selection": selection_table(runs),
        "cox": cox_table(runs, classes),
    }
    tell("computing the smooth curve and the cost of errors")
    tables |= _first_seed_tables(runs, row, classes, points)
    tell("computing levels of calibration and every group's metrics")
    tables |= _shown_model_tables(runs, row, card, tables)
    if row.costs:
        tables |= cost_tables(runs, row.costs, classes, targets=row.risk_targets, delta=row.delta)
    if card["long_tail"]:
        training = card["counts"]["train"]
        tables["long_tail"] = long_tail_table(runs, classes, training)
        tables["long_tail_curves"] = long_tail_curves_table(
            runs, before_and_after(row), classes, training
        )
    if partners:
        closely = before_and_after(row)
        tables |= partner_tables(partners, row, points, closely=closely, seed=seed)
    # Without cases enough for a rate these two hold their columns alone, which says so.
    keep = ("exact_band", "accepted")
    return {name: table for name, table in tables.items() if len(table) or name in keep}


def before_and_after(row: ExperimentRow) -> list[str]:
    """Return the calibrators that are compared closely: none, and the headline's."""
    none = "identity" if "identity" in row.calibrators else row.calibrators[0]
    return list(dict.fromkeys([none, row.headline_calibrator]))


def compared_closely(row: ExperimentRow) -> set[tuple[str, str]]:
    """Return the losses and calibrators whose every metric gets an interval over patients.

    All losses without calibration, with temperature scaling and with the headline's calibrator; all
    calibrators of the headline's loss and of the baseline. Of the others means and deviations over
    seeds are enough, and resampling patients is nearly all that an evaluation costs.
    """
    calibrators = {*before_and_after(row), "temperature"}
    return {
        (loss, calibrator)
        for loss in row.losses
        for calibrator in row.calibrators
        if calibrator in calibrators or loss in (row.headline_loss, row.baseline)
    }


def _first_seed_tables(
    runs: Sequence[Run], row: ExperimentRow, classes: Sequence[str], points: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return what is known of each loss's first seed, at the headline's target."""
    at_target = points[(points["target"] == row.headline_target) & _of_first_seed(points, row)]
    closely = [first_run(runs, loss) for loss in dict.fromkeys([row.headline_loss, row.baseline])]
    return {
        "groups": groups_table(first_seeds(runs), at_target),
        "costs": costs_table(first_seeds(runs), at_target, **BOOTSTRAP),
        "workload": workload_table(first_seeds(runs), at_target, classes, row.prevalence),
        "smooth_curve": smooth_curve_table(closely, before_and_after(row), **BOOTSTRAP),
    }


def _shown_model_tables(
    runs: Sequence[Run], row: ExperimentRow, card: Card, tables: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return what is known of the model on the first screen alone."""
    shown, calibrators = first_run(runs, row.headline_loss), before_and_after(row)
    classes, critical = card["classes"], card["critical_classes"]
    points = tables["operating_points"]
    own = points[
        (points["loss"] == row.headline_loss)
        & points["calibrator"].isin(calibrators)
        & (points["target"] == row.headline_target)
        & _of_first_seed(points, row)
    ]
    band = tables["exact_band"]
    found = {
        "accepted": accepted_table(shown, row.headline_calibrator, band, classes),
        "accepted_groups": accepted_groups_table(shown, row.headline_calibrator, band),
        "group_curves": group_curves_table(shown, row.headline_calibrator),
        "group_scores": group_scores_table(shown, [row.headline_calibrator], classes, **BOOTSTRAP),
        "class_risk": class_risk_table(shown, calibrators, classes),
        "levels": levels_table(shown, calibrators, **BOOTSTRAP),
        "prediction_sets": prediction_sets_table(shown, calibrators, classes),
        "class_calibration": class_calibration_table(shown, calibrators, classes, **BOOTSTRAP),
    }
    benefit = net_benefit_table(shown, own, classes, critical, **BOOTSTRAP)
    if len(benefit):
        plain = benefit["policy"].isin(WITHOUT_REFERRAL)
        found["net_benefit"] = benefit[plain]
        found["referral_benefit"] = benefit[benefit["policy"] != "model"]
    return found


def _of_first_seed(points: pd.DataFrame, row: ExperimentRow) -> pd.Series:
    return points["seed"] == row.seeds[0]

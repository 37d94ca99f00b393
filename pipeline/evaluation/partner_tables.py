"""Every table of an experiment's partners, by the name of its file."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.config.plan import ExperimentRow
from pipeline.evaluation.ood import ood_summary_table, ood_table
from pipeline.evaluation.out_of_scope import ood_answered_table, ood_confidence_table
from pipeline.evaluation.partners import PartnerRun, foreign
from pipeline.evaluation.run import first_run
from pipeline.evaluation.shift import shift_table
from pipeline.evaluation.site_recalibration import site_recalibration_table


def partner_tables(
    partners: Sequence[PartnerRun],
    row: ExperimentRow,
    points: pd.DataFrame,
    *,
    closely: Sequence[str],
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Return the tables that an experiment's partners give; none without partners.

    Parameters
    ----------
    partners : sequence of PartnerRun
        All runs on all partners, partner by partner.
    row : ExperimentRow
        Which model is shown, and at which targets.
    points : DataFrame
        The `operating_points_table` of the runs: thresholds found at home.
    closely : sequence of str
        Calibrators of the shown model whose confidence is drawn.
    seed : int
        Of the halvings of a site's patients.
    """
    tables = {
        "shift": shift_table(partners, points, row.headline_target),
        "site_recalibration": site_recalibration_table(partners, seed=seed),
    }
    if foreign(partners):
        shown = first_run([each.run for each in partners], row.headline_loss)
        tables["ood"] = ood_table(partners)
        tables["ood_summary"] = ood_summary_table(tables["ood"])
        tables["ood_answered"] = ood_answered_table(partners, points, row.risk_targets)
        tables["ood_confidence"] = ood_confidence_table(shown, partners, closely)
    return {name: table for name, table in tables.items() if len(table)}

"""Panels of damaged images and of other sites: calibration, and the threshold left as it was."""

from __future__ import annotations

import pandas as pd

from pipeline.figures import shift_figure
from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.report.panels.panel import Panel, make_panel
from pipeline.tables.parts.scores import Scores, headline_and_baseline, pick
from pipeline.tables.shift import CLEAN, NOT_COVERED, frozen_sentence, shown_shift

CALIBRATION = {"accuracy": "right, % of the cases", "ece": "ECE, % of the cases"}
FROZEN = {"coverage": "answered, %", "risk": "wrong, % of the\nanswered"}
KINDS = {"corruption": "Damaged images", "site": "Another site"}


def shift_panels(scores: Scores) -> list[Panel]:
    """Return two panels a partner in scope: its calibration, and the threshold from home."""
    if scores.frame("shift").empty:
        return []
    return [
        make(scores, str(partner), rows)
        for partner, rows in scores.frame("shift").groupby("partner", sort=False)
        for make in (_calibration_panel, _frozen_panel)
    ]


def _calibration_panel(scores: Scores, partner: str, rows: pd.DataFrame) -> Panel:
    calibrator = scores.record["headline_calibrator"]
    drawn = over_seeds(pick(rows, calibrator=calibrator))
    figure = shift_figure(drawn, losses=headline_and_baseline(scores), quantities=CALIBRATION)
    sentence = (
        f"{partner}, after {scores.calibrator}, which was fitted at home: "
        f"{scores.averaged(', one standard deviation either way')}. “{CLEAN}” is the own test set."
    )
    title = f"{KINDS[rows['kind'].iloc[0]]}: accuracy and calibration"
    name = f"shift_{partner}"
    return make_panel(scores, name, title, sentence, figure, wide=_wide(rows), table_elsewhere=name)


def _frozen_panel(scores: Scores, partner: str, rows: pd.DataFrame) -> Panel:
    """Return coverage above and risk below, at the threshold that was found at home."""
    own = pick(rows, **scores.headline)
    figure = shift_figure(
        of_one_seed(own),
        losses=[scores.headline["loss"]],
        quantities=FROZEN,
        target=scores.record["headline_target"],
    )
    sentence = f"{NOT_COVERED} {frozen_sentence(scores, own)}"
    title = f"{KINDS[rows['kind'].iloc[0]]}: the threshold left as it was"
    table = shown_shift(scores, partner, own)
    return make_panel(
        scores, f"frozen_{partner}", title, sentence, figure, table=table, wide=_wide(rows)
    )


def _wide(rows: pd.DataFrame) -> bool:
    """Return whether there are more than two corruptions, each a column of its own."""
    return len(set(rows["corruption"]) - {""}) > 2


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means over seeds, a standard deviation either way; none of fewer than thirty."""
    keys = ["loss", "view"]
    views = rows.drop(columns=list(CALIBRATION)).drop_duplicates(keys).set_index(keys)
    # Neighbours are summed as each corruption's would be by itself, to the last digit.
    ordered = rows.sort_values(["loss", "corruption", "severity"], kind="stable").set_index(keys)
    enough = ordered[list(CALIBRATION)].where(ordered["patients"] >= RATE_FROM)
    by_view = enough.groupby(level=keys, sort=False)
    mean, sd = by_view.mean(), by_view.std().fillna(0.0)
    limits = [(mean - sd).clip(lower=0).add_suffix("_lower"), (mean + sd).add_suffix("_upper")]
    return views.join([mean, *limits]).reset_index()


def of_one_seed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one seed's rows: of ten to twenty-nine the interval alone, of fewer nothing."""
    coverage = rows["coverage"].where(rows["patients"] >= RATE_FROM)
    answered = rows["answered"]
    return rows.assign(
        coverage=coverage,
        coverage_lower=coverage,
        coverage_upper=coverage,
        risk=rows["risk"].where(answered >= RATE_FROM),
        risk_lower=rows["risk_lower"].where(answered >= MASK_BELOW),
        risk_upper=rows["risk_upper"].where(answered >= MASK_BELOW),
    )

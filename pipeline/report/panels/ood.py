"""Panel of cases out of scope: how sure the model is of what it was never trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.plots import ConfidenceShares, SharesPanel, confidence_shares_figure
from pipeline.report.panels.panel import MOST_CURVES, Panel, before_and_after, make_panel
from pipeline.tables.ood import shown_ood
from pipeline.tables.ood_answered import answered_sentence
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.wording import missing

KNOWN = "known"
WORDS = {"near_ood": "near", "far_ood": "far"}


def ood_panel(scores: Scores) -> Panel | None:
    """Return confidence on own and on foreign cases; None without partners out of scope."""
    if scores.frame("ood_confidence").empty or scores.frame("ood_answered").empty:
        return None
    panels = [
        SharesPanel(calibrator, _sides(rows), _threshold(scores, calibrator))
        for calibrator in before_and_after(scores)
        if len(rows := pick(scores.frame("ood_confidence"), calibrator=calibrator))
    ]
    headline = scores.headline
    sentence = (
        f"{answered_sentence(scores)} Confidence of "
        f"{headline['loss']}, seed {headline['seed']}; grey: its own test cases."
    )
    title = "Images out of scope"
    panel = make_panel(scores, "ood", title, sentence, confidence_shares_figure(panels))
    return replace(panel, table=shown_ood(scores), wide=True)


def _sides(rows: pd.DataFrame) -> list[ConfidenceShares]:
    sides = []
    for number, (partner, part) in enumerate(rows.groupby("partner", sort=False)):
        edges = np.append(part["left"], part["right"].iloc[-1]).astype(float)
        total = f"n = {part['cases'].sum():,}"
        if partner == KNOWN:
            label, series = f"own test cases, {total}", None
        else:
            series = (number - 1) % MOST_CURVES
            label = f"{partner} ({WORDS[part['kind'].iloc[0]]}), {total}"
        sides.append(ConfidenceShares(label, series, edges, part["share"].to_numpy(float)))
    return sides


def _threshold(scores: Scores, calibrator: str) -> float | None:
    key = scores.headline | {"calibrator": calibrator}
    rows = pick(scores.frame("operating_points"), **key, target=scores.record["headline_target"])
    threshold = float(rows["threshold"].iloc[0])
    return None if missing(threshold) else threshold

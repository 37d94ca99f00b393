"""Panels: a figure, the sentence beneath it, and the table that holds its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.plots import (
    ConfidenceHistogram,
    ExactBand,
    Frame,
    ReliabilityBins,
    RiskCurve,
    TrainingCurve,
    axes_frame,
    exact_band_figure,
    reliability_figure,
    risk_coverage_figure,
    silent_errors_figure,
    to_svg,
    training_figure,
)
from pipeline.report.answers import risk_coverage_table
from pipeline.report.calibration import calibration_sentence, reliability_table
from pipeline.report.scores import Scores, pick
from pipeline.report.table import Table
from pipeline.report.wording import percent, target_text

MOST_CURVES = 6
FEWEST_ANSWERED = 30
TRAINING_LABELS = {
    "train_loss": "training loss",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
}


@dataclass(frozen=True)
class Panel:
    """A figure with its title, the sentence beneath it and, where there is one, its table."""

    name: str
    title: str
    sentence: str
    svg: str
    table: Table | None = None
    wide: bool = False
    frame: Frame | None = None


def experiment_panels(scores: Scores) -> tuple[Panel, ...]:
    """Return the panels of one experiment, in reading order."""
    panels = [
        exact_band_panel(scores),
        silent_errors_panel(scores),
        risk_coverage_panel(scores),
        training_panel(scores),
        reliability_panel(scores, scores.record["headline_loss"], with_table=True),
    ]
    baseline = scores.record["baseline"]
    if baseline != scores.record["headline_loss"]:
        panels.append(reliability_panel(scores, baseline))
    return tuple(panel for panel in panels if panel is not None)


def shown_losses(scores: Scores) -> list[str]:
    """Return the losses that the figures draw: headline and baseline first, six at most."""
    record = scores.record
    first = [record["headline_loss"], record["baseline"]]
    return list(dict.fromkeys([*first, *record["losses"]]))[:MOST_CURVES]


def _panel(scores: Scores, name: str, title: str, sentence: str, figure: Figure) -> Panel:
    unique = f"{scores.name}-{name}".replace(".", "-")
    svg = to_svg(figure, name=unique, title=f"{title}: {scores.dataset['title']}",
                 description=sentence)  # fmt: skip
    return Panel(name=name, title=title, sentence=sentence, svg=svg)


def _exact_band(scores: Scores) -> tuple[ExactBand, tuple[int, int] | None, pd.Series]:
    rows = pick(scores.exact_band, **scores.headline)
    target = scores.record["headline_target"]
    point = pick(scores.operating_points, **scores.headline, target=target).iloc[0]
    columns = {key: rows[key].to_numpy(float) for key in ("answered", "wrong", "lower", "upper")}
    band = ExactBand(**columns, num_cases=int(point["num_test"]))
    found = point["status"] == "found" and point["answered"] > 0
    return band, (int(point["answered"]), int(point["wrong"])) if found else None, point


def exact_band_panel(scores: Scores) -> Panel | None:
    """Return one model's risk-coverage curve with pointwise exact limits."""
    band, chosen, _ = _exact_band(scores)
    if not len(band.answered):
        return None
    target = scores.record["headline_target"]
    figure = exact_band_figure(band, target=target, chosen=chosen, unit=scores.unit)
    place = f"The approved threshold answers {chosen[0]:,}." if chosen else "None is approved."
    headline = scores.headline
    sentence = (
        f"{headline['loss']} with {headline['calibrator']}, seed {headline['seed']}: answering all "
        f"{band.num_cases:,} is wrong in {band.wrong[-1]:,.0f} ({percent(band.risk[-1])}). {place} "
        "Each slice has 95% confidence; the whole line has less."
    )
    panel = _panel(scores, "exact_band", "Risk and coverage of the model shown", sentence, figure)
    return replace(panel, frame=axes_frame(figure))


def silent_errors_panel(scores: Scores) -> Panel | None:
    """Return wrong answers per 1,000 arriving, by the share answered."""
    band, chosen, _ = _exact_band(scores)
    if not len(band.answered):
        return None
    figure = silent_errors_figure(band, chosen=chosen, unit=scores.unit)
    pair = {key: scores.headline[key] for key in ("loss", "calibrator")}
    area = pick(scores.summary, **pair, metric="augrc")
    average = f"Average silent-error risk (AUGRC): {percent(area['mean'].iloc[0], 2)}. "
    sentence = (
        f"{average if len(area) else ''}Below the dashed line, confidence sorts errors better than "
        "chance."
    )
    return _panel(scores, "silent_errors", "Wrong answers that nobody sees", sentence, figure)


def risk_coverage_panel(scores: Scores) -> Panel:
    """Return the losses' risk-coverage curves with bands over seeds."""
    record, calibrator = scores.record, scores.record["headline_calibrator"]
    num_test = scores.num_test_cases
    curves = []
    for loss in shown_losses(scores):
        rows = pick(scores.risk_coverage, loss=loss, calibrator=calibrator)
        rows = rows[rows["coverage"] * num_test >= FEWEST_ANSWERED]
        columns = (rows[key].to_numpy(float) for key in ("coverage", "risk_mean", "risk_sd"))
        curves.append(RiskCurve(loss, record["losses"].index(loss), *columns))
    figure = risk_coverage_figure(
        curves, target=record["headline_target"], unit=f"{num_test:,} cases"
    )
    left_out = len(record["losses"]) - len(curves)
    more = f" {left_out} more losses are in the table." if left_out else ""
    sentence = (
        f"After {calibrator}; mean over {len(record['seeds'])} seeds, band of one standard "
        f"deviation, from {FEWEST_ANSWERED} answered on. Lower is better; the target is "
        f"{target_text(record['headline_target'])}.{more}"
    )
    panel = _panel(scores, "risk_coverage", "Losses compared", sentence, figure)
    return replace(panel, table=risk_coverage_table(scores))


def reliability_panel(scores: Scores, loss: str, *, with_table: bool = False) -> Panel:
    """Return one loss's reliability diagrams, uncalibrated and after the headline calibrator."""
    record = scores.record
    calibrators = list(dict.fromkeys((record["calibrators"][0], record["headline_calibrator"])))
    bins = [_reliability_bins(scores, loss, calibrator) for calibrator in calibrators]
    series = record["losses"].index(loss)
    figure = reliability_figure(bins, series=series)
    sentences = [calibration_sentence(scores, loss, calibrator) for calibrator in calibrators]
    sentence = (
        f"{' '.join(sentences)} Grey bars: where a calibrated model would fall 95% of the time. "
        f"Points are means over {len(record['seeds'])} seeds; bins of fewer than 10 are left out."
    )
    panel = _panel(scores, f"reliability_{loss}", f"Reliability of {loss}", sentence, figure)
    return replace(panel, table=reliability_table(scores) if with_table else None)


def _reliability_bins(scores: Scores, loss: str, calibrator: str) -> ReliabilityBins:
    rows = pick(scores.reliability, loss=loss, calibrator=calibrator)
    names = ("count", "confidence", "accuracy", "consistency_lower", "consistency_upper")
    return ReliabilityBins(
        title=calibrator,
        **{name: rows[name].to_numpy(float) for name in names},
        histogram=_histogram(scores, loss, calibrator),
    )


def _histogram(scores: Scores, loss: str, calibrator: str) -> ConfidenceHistogram | None:
    if scores.confidence is None:
        return None
    rows = pick(scores.confidence, loss=loss, calibrator=calibrator)
    edges = np.append(rows["lower_edge"], rows["upper_edge"].iloc[-1])
    return ConfidenceHistogram(edges, rows["right"].to_numpy(float), rows["wrong"].to_numpy(float))


def training_panel(scores: Scores) -> Panel | None:
    """Return the training curves of the quantities that the history holds."""
    columns = [name for name in TRAINING_LABELS if name in scores.history.columns]
    if not columns:
        return None
    losses = shown_losses(scores)
    panels: list[tuple[str, Sequence[TrainingCurve]]] = []
    for column in columns:
        curves = [_training_curve(scores, loss, column) for loss in losses]
        panels.append((TRAINING_LABELS[column], curves))
    sentence = (
        f"Mean over {len(scores.record['seeds'])} seeds; bands from the lowest to the highest. "
        "Training losses of different kinds have different scales."
    )
    figure = training_figure(panels)
    return replace(_panel(scores, "training", "Training", sentence, figure), wide=True)


def _training_curve(scores: Scores, loss: str, column: str) -> TrainingCurve:
    by_epoch = pick(scores.history, loss=loss).groupby("epoch")[column]
    table = by_epoch.agg(["mean", "min", "max"]).reset_index()
    arrays = (table[key].to_numpy(np.float64) for key in ("epoch", "mean", "min", "max"))
    return TrainingCurve(loss, scores.record["losses"].index(loss), *arrays)

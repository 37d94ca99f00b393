"""One experiment as its pages show it: sentences, tables, figures, cards and chain together."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pipeline.report.answers import operating_points_table, per_class_table
from pipeline.report.calibrators import calibrator_notes_table, calibrators_table
from pipeline.report.class_risk import class_risk_table
from pipeline.report.comparison import (
    KINDS,
    calibrators_shown_first,
    comparison_table,
    metrics_table,
)
from pipeline.report.confusion import confusion_tables
from pipeline.report.cox import cox_table
from pipeline.report.data_card import Item, class_counts_table, data_card
from pipeline.report.differences import differences_table, selection_table
from pipeline.report.error_costs import cost_points_table, cost_selection_table
from pipeline.report.explorer import Explorer, explorer
from pipeline.report.first_screen import FirstScreen, first_screen
from pipeline.report.gallery import Shelf, gallery
from pipeline.report.group_scores import group_scores_table
from pipeline.report.levels import class_calibration_table, levels_table
from pipeline.report.model_card import model_card
from pipeline.report.panels import Panel, experiment_panels
from pipeline.report.partners import ood_answered_table, site_recalibration_table
from pipeline.report.per_thousand import per_thousand_table
from pipeline.report.prediction_sets import (
    prediction_sets_by_class_table,
    prediction_sets_table,
)
from pipeline.report.provenance import chain, fingerprint_line, provenance_table
from pipeline.report.published import published_table
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.wording import target_text


@dataclass(frozen=True)
class ExperimentTables:
    """The tables that stand by themselves; a panel's own table hangs on its panel."""

    comparison: Table
    metrics_accuracy: Table
    metrics_calibration: Table
    metrics_selective: Table
    headline_points: Table
    operating_points: Table
    per_class: Table
    class_risk: Table | None
    per_thousand: Table | None
    calibrator_notes: Table
    calibrators: Table
    provenance: Table
    class_counts: Table
    levels: Table | None
    class_calibration: Table | None
    cox: Table | None
    prediction_sets: Table | None
    prediction_sets_by_class: Table | None
    group_scores: Table | None
    cost_points: Table | None
    cost_selection: Table | None
    published: Table | None
    differences: Table | None
    selection: Table | None
    ood_answered: Table | None
    site_recalibration: Table | None


@dataclass(frozen=True)
class ExperimentView:
    """One experiment as its pages show it."""

    scores: Scores
    screen: FirstScreen
    tables: ExperimentTables
    panels: tuple[Panel, ...]
    chain: tuple[tuple[str, str], ...]
    cards: tuple[tuple[str, tuple[Item, ...]], ...]
    explorer: Explorer | None
    gallery: tuple[Shelf, ...]
    confusion: tuple[Table, ...]
    differences_shown_first: Table | None

    @property
    def name(self) -> str:
        """The experiment's key in its study."""
        return self.scores.name

    @property
    def promise(self) -> str:
        """The target and how often it may be missed, as they were fixed beforehand."""
        record = self.scores.record
        return f"target {target_text(record['headline_target'])}, δ {target_text(record['delta'])}"

    @property
    def fingerprint(self) -> str:
        """The revision that trained and the data it saw, shortened."""
        return fingerprint_line([self.scores])

    @property
    def all_tables(self) -> list[Table]:
        """Every table, whether or not it belongs to a panel."""
        every = [getattr(self.tables, field.name) for field in fields(self.tables)]
        own = [table for table in every if table is not None] + [*self.confusion]
        if self.explorer is not None:
            own += [self.explorer.workload, self.explorer.every]
        return own + [panel.table for panel in self.panels if panel.table is not None]


def experiment_view(scores: Scores) -> ExperimentView:
    """Return everything that the pages show of one experiment."""
    panels = experiment_panels(scores)
    frame = next((panel.frame for panel in panels if panel.frame is not None), None)
    return ExperimentView(
        scores=scores,
        screen=first_screen(scores),
        tables=_experiment_tables(scores),
        panels=panels,
        chain=chain(scores),
        cards=(("Model card", model_card(scores)), ("Data card", data_card(scores))),
        explorer=None if frame is None else explorer(scores, frame),
        gallery=gallery(scores),
        confusion=tuple(confusion_tables(scores)),
        differences_shown_first=differences_table(scores, calibrators_shown_first(scores)),
    )


def _experiment_tables(scores: Scores) -> ExperimentTables:
    return ExperimentTables(
        comparison=comparison_table(scores),
        **{f"metrics_{kind}": metrics_table(scores, kind) for kind in KINDS},
        headline_points=operating_points_table(
            scores, [scores.record["headline_target"]], name="headline_points"
        ),
        operating_points=operating_points_table(scores, scores.record["risk_targets"]),
        per_class=per_class_table(scores),
        class_risk=class_risk_table(scores),
        per_thousand=per_thousand_table(scores),
        calibrator_notes=calibrator_notes_table(scores),
        calibrators=calibrators_table(scores),
        provenance=provenance_table(scores),
        class_counts=class_counts_table(scores),
        levels=levels_table(scores),
        class_calibration=class_calibration_table(scores),
        cox=cox_table(scores),
        prediction_sets=prediction_sets_table(scores),
        prediction_sets_by_class=prediction_sets_by_class_table(scores),
        group_scores=group_scores_table(scores),
        cost_points=cost_points_table(scores),
        cost_selection=cost_selection_table(scores),
        published=published_table(scores),
        differences=differences_table(scores, scores.record["calibrators"]),
        selection=selection_table(scores),
        ood_answered=ood_answered_table(scores),
        site_recalibration=site_recalibration_table(scores),
    )

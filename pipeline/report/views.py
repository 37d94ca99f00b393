"""One experiment as its pages show it: sentences, tables, figures, cards and chain together."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pipeline.report.comparison import KINDS, comparison_table, metrics_table
from pipeline.report.data_card import Item, class_counts_table, data_card
from pipeline.report.explorer import Explorer, explorer
from pipeline.report.first_screen import FirstScreen, first_screen
from pipeline.report.model_card import model_card
from pipeline.report.panels import Panel, experiment_panels
from pipeline.report.provenance import chain, fingerprint_line, provenance_table
from pipeline.report.published import published_table
from pipeline.tables.accepted import shown_confusion
from pipeline.tables.calibrators import shown_calibrator_notes, shown_calibrators
from pipeline.tables.class_calibration import shown_class_calibration
from pipeline.tables.class_risk import shown_class_risk
from pipeline.tables.cost_points import shown_cost_points
from pipeline.tables.cost_selection import shown_cost_selection
from pipeline.tables.cox import shown_cox
from pipeline.tables.differences import shown_differences
from pipeline.tables.gallery import Shelf, shown_gallery
from pipeline.tables.group_scores import shown_group_scores
from pipeline.tables.levels import shown_levels
from pipeline.tables.ood_answered import shown_ood_answered
from pipeline.tables.operating_points import shown_operating_points
from pipeline.tables.parts.scores import Scores, calibrators_shown_first
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.wording import target_text
from pipeline.tables.per_class import shown_per_class
from pipeline.tables.prediction_sets import shown_prediction_sets, shown_prediction_sets_by_class
from pipeline.tables.selection import shown_selection
from pipeline.tables.site_recalibration import shown_site_recalibration
from pipeline.tables.workload import shown_workload


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
        gallery=shown_gallery(scores),
        confusion=tuple(shown_confusion(scores)),
        differences_shown_first=shown_differences(scores, calibrators_shown_first(scores)),
    )


def _experiment_tables(scores: Scores) -> ExperimentTables:
    return ExperimentTables(
        comparison=comparison_table(scores),
        **{f"metrics_{kind}": metrics_table(scores, kind) for kind in KINDS},
        headline_points=shown_operating_points(
            scores, [scores.record["headline_target"]], name="headline_points"
        ),
        operating_points=shown_operating_points(scores, scores.record["risk_targets"]),
        per_class=shown_per_class(scores),
        class_risk=shown_class_risk(scores),
        per_thousand=shown_workload(scores),
        calibrator_notes=shown_calibrator_notes(scores),
        calibrators=shown_calibrators(scores),
        provenance=provenance_table(scores),
        class_counts=class_counts_table(scores),
        levels=shown_levels(scores),
        class_calibration=shown_class_calibration(scores),
        cox=shown_cox(scores),
        prediction_sets=shown_prediction_sets(scores),
        prediction_sets_by_class=shown_prediction_sets_by_class(scores),
        group_scores=shown_group_scores(scores),
        cost_points=shown_cost_points(scores),
        cost_selection=shown_cost_selection(scores),
        published=published_table(scores),
        differences=shown_differences(scores, scores.record["calibrators"]),
        selection=shown_selection(scores),
        ood_answered=shown_ood_answered(scores),
        site_recalibration=shown_site_recalibration(scores),
    )

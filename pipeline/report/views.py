"""One experiment as its pages show it: sentences, tables, figures, cards and chain together."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.metrics import KINDS
from pipeline.report.data_card import Item, class_counts_table, data_card
from pipeline.report.explorer import Explorer, explorer
from pipeline.report.first_screen import FirstScreen, first_screen
from pipeline.report.model_card import model_card
from pipeline.report.panels import Panel, experiment_panels
from pipeline.report.provenance import chain, fingerprint_line, provenance_table
from pipeline.report.sections import FOR_THE_STATISTICIAN, TO_DECIDE, ShownSection, shown_sections
from pipeline.tables import TABLES
from pipeline.tables.calibrators import shown_calibrator_notes
from pipeline.tables.derived.comparison import comparison_table, metrics_table
from pipeline.tables.derived.published import published_table
from pipeline.tables.differences import shown_differences
from pipeline.tables.gallery import Shelf, shown_gallery
from pipeline.tables.operating_points import shown_operating_points
from pipeline.tables.parts.scores import Scores, calibrators_shown_first
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.wording import target_text


@dataclass(frozen=True)
class ExperimentView:
    """One experiment as its pages show it."""

    scores: Scores
    screen: FirstScreen
    tables: dict[str, Table]
    by_section: dict[str, list[Table]]
    panels: tuple[Panel, ...]
    chain: tuple[tuple[str, str], ...]
    cards: tuple[tuple[str, tuple[Item, ...]], ...]
    explorer: Explorer | None
    gallery: tuple[Shelf, ...]
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
    def sections(self) -> list[ShownSection]:
        """What a reader decides with, in reading order; the explorer has a section of its own."""
        left = [panel for panel in self.panels if not (self.explorer and panel.frame)]
        return shown_sections(TO_DECIDE, left, self.tables, self.by_section)

    @property
    def for_the_statistician(self) -> list[ShownSection]:
        """What stands folded beneath."""
        return shown_sections(FOR_THE_STATISTICIAN, self.panels, self.tables, self.by_section)

    @property
    def all_tables(self) -> list[Table]:
        """Every table, whether or not it belongs to a panel."""
        own = [*self.tables.values()]
        if self.explorer is not None:
            own += [self.explorer.workload, self.explorer.every]
        return own + [panel.table for panel in self.panels if panel.table is not None]


def experiment_view(scores: Scores) -> ExperimentView:
    """Return everything that the pages show of one experiment."""
    panels, by_section = experiment_panels(scores), _tables_by_section(scores)
    frame = next((panel.frame for panel in panels if panel.frame is not None), None)
    return ExperimentView(
        scores=scores,
        screen=first_screen(scores),
        tables=_own_tables(scores)
        | {table.name: table for each in by_section.values() for table in each},
        by_section=by_section,
        panels=panels,
        chain=chain(scores),
        cards=(("Model card", model_card(scores)), ("Data card", data_card(scores))),
        explorer=None if frame is None else explorer(scores, frame),
        gallery=shown_gallery(scores),
        differences_shown_first=None
        if scores.frame("differences").empty
        else shown_differences(scores, calibrators_shown_first(scores)),
    )


def _own_tables(scores: Scores) -> dict[str, Table]:
    """Return the tables that are no single table of `TABLES`, or stand on a study's page."""
    shown = [
        comparison_table(scores),
        *(metrics_table(scores, kind) for kind in KINDS),
        shown_operating_points(scores, [scores.record["headline_target"]], name="headline_points"),
        shown_calibrator_notes(scores),
        provenance_table(scores),
        class_counts_table(scores),
        published_table(scores),
    ]
    return {table.name: table for table in shown if table is not None}


def _tables_by_section(scores: Scores) -> dict[str, list[Table]]:
    """Return what pages show of each of `TABLES`, by the section that it names."""
    found: dict[str, list[Table]] = {}
    for spec in TABLES.values():
        if shown := spec.tables(scores):
            found.setdefault(spec.section, []).extend(shown)
    return found

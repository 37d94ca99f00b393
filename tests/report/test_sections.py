from pipeline.report.sections import FOR_THE_STATISTICIAN, TO_DECIDE
from pipeline.report.views import experiment_view
from pipeline.tables import TABLES

ELSEWHERE = {
    "headline_points", "calibrator_notes", "class_counts", "provenance", "published",
    "differences", "selection", "metrics_accuracy", "metrics_calibration", "metrics_selective",
}  # fmt: skip
"""Tables of the study's page, of the cards, and of the pages that compare."""


def shown(view):
    return [*view.sections, *view.for_the_statistician]


def test_every_table_and_figure_has_one_place(screening, digits):
    for scores in (screening, digits):
        view = experiment_view(scores)
        tables = [table.name for section in shown(view) for table in section.tables]
        panels = [panel.name for section in shown(view) for panel in section.panels]
        panels += [panel.name for panel in view.panels if view.explorer and panel.frame]
        assert sorted([*tables, *(ELSEWHERE & set(view.tables))]) == sorted(view.tables)
        assert sorted(panels) == sorted(panel.name for panel in view.panels)


def test_what_an_experiment_has_nothing_of_has_no_heading(digits):
    view = experiment_view(digits.having(groups=None, group_curves=None))
    assert "groups" not in {section.key for section in shown(view)}


def test_every_table_names_a_section_that_there_is():
    keys = {section.key for section in (*TO_DECIDE, *FOR_THE_STATISTICIAN)}
    assert {spec.section for spec in TABLES.values()} <= keys | {""}


def test_every_section_says_in_one_sentence_what_it_shows():
    for section in (*TO_DECIDE, *FOR_THE_STATISTICIAN):
        assert section.sentence[-1] in ".?"
        assert section.sentence[:-1].count(".") == 0

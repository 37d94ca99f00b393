"""A study as files: pages with everything inlined, tables, figures and headline metrics."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.plots.style import DARK
from pipeline.report.answers import operating_points_table, per_class_table
from pipeline.report.calibration import calibrators_table
from pipeline.report.cards import Item, class_counts_table, data_card, model_card
from pipeline.report.comparison import comparison_table
from pipeline.report.explorer import Explorer, explorer
from pipeline.report.first_screen import FirstScreen, first_screen
from pipeline.report.levels import class_calibration_table, levels_table
from pipeline.report.panels import Panel, experiment_panels
from pipeline.report.provenance import chain, fingerprint_line, provenance_table
from pipeline.report.scores import Scores
from pipeline.report.table import Table

REM_PER_UNIT = 0.094
"""Width of one unit of a figure (a point, 1/72 inch) on a page, so 9-point text has 13 pixels."""

ON_THE_STUDY_PAGE = ("exact_band", "risk_coverage", "reliability")


@dataclass(frozen=True)
class ExperimentTables:
    """The tables that stand by themselves; a panel's own table hangs on its panel."""

    comparison: Table
    operating_points: Table
    per_class: Table
    calibrators: Table
    provenance: Table
    class_counts: Table
    levels: Table | None
    class_calibration: Table | None


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

    @property
    def name(self) -> str:
        """The experiment's key in its study."""
        return self.scores.name

    @property
    def all_tables(self) -> list[Table]:
        """Every table, whether or not it belongs to a panel."""
        every = [getattr(self.tables, field.name) for field in fields(self.tables)]
        own = [table for table in every if table is not None]
        if self.explorer is not None:
            own += [self.explorer.workload, self.explorer.every]
        return own + [panel.table for panel in self.panels if panel.table is not None]


def experiment_view(scores: Scores) -> ExperimentView:
    """Return everything that the pages show of one experiment."""
    tables = ExperimentTables(
        comparison=comparison_table(scores),
        operating_points=operating_points_table(scores, scores.record["risk_targets"]),
        per_class=per_class_table(scores),
        calibrators=calibrators_table(scores),
        provenance=provenance_table(scores),
        class_counts=class_counts_table(scores),
        levels=levels_table(scores),
        class_calibration=class_calibration_table(scores),
    )
    panels = experiment_panels(scores)
    frame = next((panel.frame for panel in panels if panel.frame is not None), None)
    return ExperimentView(
        scores=scores,
        screen=first_screen(scores),
        tables=tables,
        panels=panels,
        chain=chain(scores),
        cards=(("Model card", model_card(scores)), ("Data card", data_card(scores))),
        explorer=None if frame is None else explorer(scores, frame),
    )


def study_files(study: str, title: str, every: Sequence[Scores]) -> dict[str, str]:
    """Return a study's report as text by path, relative to the study's folder.

    Parameters
    ----------
    study, title : str
        The study's key and its heading.
    every : sequence of Scores
        Its experiments, in the plan's order.

    Returns
    -------
    dict of str to str
        ``index.html``, ``experiments/NAME.html``, ``tables/NAME/*.csv`` and
        ``figures/NAME/*.svg``. Equal scores give equal text.
    """
    views = [experiment_view(scores) for scores in every]
    shared = {"study": study, "title": title, "views": views}
    texts = {"index.html": render("study.html.jinja", prefix="", every=every, **shared)}
    for view in views:
        texts[f"experiments/{view.name}.html"] = render(
            "experiment.html.jinja", prefix="../", every=[view.scores], view=view, **shared
        )
        for table in view.all_tables:
            text = table.frame.to_csv(index=False, lineterminator="\n")
            texts[f"tables/{view.name}/{table.name}.csv"] = text
        for panel in view.panels:
            texts[f"figures/{view.name}/{panel.name}.svg"] = panel.svg
    return texts


def render(template: str, *, every: Sequence[Scores], **values: object) -> str:
    """Return a page: a template with its values, styles and scripts in it.

    Every value is escaped unless it is markup of ours. The page's own policy lets it load nothing
    and run no script but the ones that are named by their hash.
    """
    environment = Environment(
        loader=PackageLoader("pipeline.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inlined"] = inlined
    foot = fingerprint_line(every)
    script = _asset("report.js")
    page = environment.get_template(template).render(
        css=Markup(_asset("report.css").replace("PRINT-FOOT", _css_safe(foot))),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=_script_hash(script),
        foot=foot,
        figure_colours=DARK,
        on_the_study_page=ON_THE_STUDY_PAGE,
        **values,
    )
    return page.rstrip() + "\n"


def inlined(panel: Panel) -> Markup:
    """Return a figure to stand in a page: its colours and font become the page's own."""
    svg = re.sub(r" width=\"([\d.]+)pt\"", _scaled_width, panel.svg, count=1)
    for colour in DARK:
        svg = svg.replace(colour, f"var(--figure-{colour[1:]})")
    svg = svg.replace("'DejaVu Sans'", "var(--sans)")
    return Markup(svg)  # noqa: S704 - our own figure, whose texts to_svg and matplotlib escaped


def _scaled_width(match: re.Match[str]) -> str:
    """Let one unit of every figure be the same size, however wide the figure is."""
    return f' style="max-width: {float(match[1]) * REM_PER_UNIT:.1f}rem"'


def _asset(name: str) -> str:
    return (files("pipeline.report") / "assets" / name).read_text(encoding="utf-8")


def _script_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _css_safe(text: str) -> str:
    """Keep what can stand inside a quoted string of a style sheet."""
    return re.sub(r"[^\w ,.·-]", "", text)

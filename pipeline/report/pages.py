"""A study as files: pages with everything inlined, and every table and figure by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.method_names import legend
from pipeline.outgoing_text import csv_text, printable
from pipeline.report.curves import curve_tables
from pipeline.report.formats import parquet_bytes
from pipeline.report.overview import StudyLine, headings
from pipeline.report.provenance import fingerprint_line
from pipeline.report.rendering import render
from pipeline.report.views import experiment_view
from pipeline.tables.derived.ranking import ranking_tables
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table

ON_THE_STUDY_PAGE = ("exact_band", "risk_coverage", "reliability")
ON_A_LONG_PAGE = ("exact_band", "risk_coverage")
LONG_FROM = 6
"""With so many experiments a study's page shows less of each, to stay under two megabytes."""


def study_files(study: str, title: str, every: Sequence[Scores]) -> dict[str, bytes]:
    """Return a study's report as files: bytes by path, relative to the study's folder.

    Parameters
    ----------
    study, title : str
        The study's key and its heading.
    every : sequence of Scores
        Its experiments, in the plan's order.

    Returns
    -------
    dict of str to bytes
        ``index.html``, ``comparison.html``, ``experiments/NAME.html`` with pages of its metrics
        and pictures beside it, ``tables/NAME/*`` as CSV and Parquet,
        ``figures/NAME/*.svg``, and ``plots/CURVE/NAME.csv``. Equal scores give equal bytes.
    """
    views = [experiment_view(scores) for scores in every]
    rankings = ranking_tables(every)
    foot = fingerprint_line(every)
    shared: dict[str, Any] = {
        "study": study,
        "title": printable(title),
        "views": views,
        "rankings": rankings,
        "names": headings(every),
        "legend": methods_legend(every),
    }
    shown: dict[str, Any] = {
        "on_the_study_page": ON_A_LONG_PAGE if len(every) >= LONG_FROM else ON_THE_STUDY_PAGE
    }
    texts = {
        "index.html": render("study.html.jinja", foot, prefix="", **shared, **shown),
        "comparison.html": render("comparison.html.jinja", foot, prefix="", **shared),
    }
    contents: dict[str, bytes] = {}
    for view in views:
        texts[f"experiments/{view.name}.html"] = render(
            "experiment.html.jinja", fingerprint_line([view.scores]), prefix="../", view=view,
            **shared,
        )  # fmt: skip
        texts[f"experiments/{view.name}-comparison.html"] = render(
            "metrics.html.jinja", fingerprint_line([view.scores]), prefix="../", view=view,
            **shared,
        )  # fmt: skip
        if view.gallery:
            texts[f"experiments/{view.name}-gallery.html"] = render(
                "gallery.html.jinja", fingerprint_line([view.scores]), view=view
            )
        texts |= {f"figures/{view.name}/{each.name}.svg": each.svg for each in view.panels}
        for name, curve in curve_tables(view.scores).items():
            texts[f"plots/{name}/{view.name}.csv"] = csv_text(curve)
        for table in view.all_tables:
            contents |= _table_files(f"tables/{view.name}/{table.name}", table)
    for table in rankings:
        contents |= _table_files(f"tables/{table.name}", table)
    return {name: text.encode() for name, text in texts.items()} | contents


def methods_legend(every: Sequence[Scores]) -> str:
    """Return what the keys of all losses and calibrators stand for."""
    return legend(
        name
        for kind in ("losses", "calibrators")
        for scores in every
        for name in scores.record[kind]
    )


def _table_files(stem: str, table: Table) -> dict[str, bytes]:
    return {
        f"{stem}.csv": csv_text(table.frame).encode(),
        f"{stem}.parquet": parquet_bytes(table),
    }


def overview_page(lines: Sequence[StudyLine], *, findings: str | None = None) -> bytes:
    """Return the front page of all tracked studies, to stand beside the studies' folders.

    `findings` is the file beside it that says what the studies show together, if there is one.
    """
    foot = fingerprint_line([each.scores for line in lines for each in line.experiments])
    return render("overview.html.jinja", foot, lines=lines, findings=findings).encode()

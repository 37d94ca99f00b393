"""A page as text: a template with its values, styles, scripts and figures in it."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.figures.style import DARK
from pipeline.method_names import NAMES, heading, named
from pipeline.report.panels import Panel

REM_PER_UNIT = 0.094
"""Width of one unit of a figure (a point, 1/72 inch) on a page, so 9-point text has 13 pixels."""


def render(template: str, foot: str, *, legend: str = "", **values: object) -> str:
    """Return a page: a template with its values, styles and scripts in it.

    `foot` stands at the foot of the page and of every printed sheet, `legend` (what the keys of
    losses and calibrators stand for) at that of the page. Every value is escaped unless
    it is markup of ours. The page's own policy lets it load nothing and run no script but the ones
    that are named by their hash.
    """
    environment = Environment(
        loader=PackageLoader("pipeline.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"inlined": inlined, "named": named, "heading": heading}
    environment.globals["method_names"] = NAMES
    script = _asset("report.js")
    page = environment.get_template(template).render(
        css=Markup(_asset("report.css").replace("PRINT-FOOT", _css_safe(foot))),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=_script_hash(script),
        foot=foot,
        legend=legend,
        figure_colours=DARK,
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

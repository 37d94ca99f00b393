"""A figure as SVG text: the same bits every time, named for screen readers, text kept as text."""

from __future__ import annotations

import io
import re
from html import escape

import matplotlib
from matplotlib.figure import Figure

from pipeline.figures.style import house_style

NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}


def to_svg(figure: Figure, *, name: str, title: str, description: str) -> str:
    """Return a figure as an SVG element.

    Parameters
    ----------
    figure : Figure
        Drawn by one of this package's functions.
    name : str
        Unique on a page: it salts and begins every id, so inlined figures never share one.
    title, description : str
        What a screen reader says; any text, escaped here.

    Returns
    -------
    str
        ``<svg role="img">`` without date or metadata; equal arrays give equal text.
    """
    buffer = io.StringIO()
    with house_style(), matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata=NO_METADATA)
    drawing = buffer.getvalue()
    body = drawing[drawing.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    return _with_names(_with_own_ids(_rounded(body), name), name, title, description)


def _rounded(body: str) -> str:
    """Round every coordinate to a hundredth of a point, and leave words as they are."""
    numbers = re.compile(r"-?\d+\.\d{3,}")

    def rounded(tag: re.Match[str]) -> str:
        return numbers.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), tag[0])

    lines = (line.strip() for line in re.sub(r"<[^>]+>", rounded, body).splitlines())
    return "\n".join(lines)


def _with_own_ids(body: str, name: str) -> str:
    """Drop the ids that nothing refers to and put the figure's name before the others."""
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", body))

    def renamed(match: re.Match[str]) -> str:
        return f' id="{name}-{match[1]}"' if match[1] in used else ""

    body = re.sub(r"\sid=\"([^\"]*)\"", renamed, body)
    return re.sub(r"(url\(#|href=\"#)", rf"\g<1>{name}-", body)


def _with_names(body: str, name: str, title: str, description: str) -> str:
    start, rest = body.split(">", maxsplit=1)
    view_box = re.search(r"viewBox=\"[^\"]*\"", start)
    size = re.search(r"width=\"([\d.]+)pt\"", start)
    if view_box is None or size is None:
        message = f"matplotlib wrote no viewBox and width in pt for {name}"
        raise RuntimeError(message)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{view_box[0]} width="{size[1]}pt" role="img" '
        f'aria-labelledby="{name}-title {name}-description">\n'
        f'<title id="{name}-title">{escape(title)}</title>\n'
        f'<desc id="{name}-description">{escape(description)}</desc>{rest}'
    )

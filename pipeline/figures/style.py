"""One look for every figure: readable at half size, told apart without colour, fixed to the bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#1b242e"
MUTED = "#5b6672"
RULE = "#d5dae0"
PAPER = "#ffffff"
SERIES = ("#0067a6", "#c24a00", "#007a58", "#94458a", "#7d6200", "#566070")
"""Okabe and Ito's hues, darkened until each stands 3:1 and more against white."""
DARK = {
    INK: "#e6eaef",
    MUTED: "#9aa6b3",
    RULE: "#36414d",
    PAPER: "#12171d",
    "#0067a6": "#5cb4ea",
    "#c24a00": "#ff9c5b",
    "#007a58": "#44c79c",
    "#94458a": "#dc9bd4",
    "#7d6200": "#d9b949",
    "#566070": "#aab5c2",
}
"""What each colour becomes on a dark page; everything drawn uses these keys alone."""
DASHES = ("-", "--", "-.", ":", (0, (6, 1.5, 1, 1.5, 1, 1.5)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P")

LEGEND_CHARACTER, LEGEND_KEY = 0.055, 0.5
"""Width in inches of a character of a legend, and of what stands before its text."""

TITLE_CHARACTERS = 24
"""A title above one of several axes breaks here."""

STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.8,
    "lines.markersize": 5.0,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}

Parameters = ParamSpec("Parameters")


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house's style, whatever the user's own matplotlib settings are."""
    with matplotlib.style.context(STYLE, after_reset=True):
        yield


def styled(draw: Callable[Parameters, Figure]) -> Callable[Parameters, Figure]:
    """Make a function that returns a figure draw it in the house's style."""

    @wraps(draw)
    def drawn(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Figure:
        with house_style():
            return draw(*args, **kwargs)

    return drawn


@dataclass(frozen=True)
class Look:
    """How one of several series is drawn: colour, dash and marker all differ."""

    colour: str
    dash: str | tuple
    marker: str


def look(index: int) -> Look:
    """Return the look of the series with this index; after six the looks repeat.

    >>> look(1) == look(7), look(1).dash
    (True, '--')
    """
    which = index % len(SERIES)
    return Look(SERIES[which], DASHES[which], MARKERS[which])


def single_axes(width_inches: float = 5.4, height_inches: float = 3.6) -> tuple[Figure, Axes]:
    """Return a figure with one pair of axes."""
    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    return figure, figure.subplots()


def percent_axis(axes: Axes, which: str, label: str, *, highest: float | None = 100.0) -> None:
    """Let an axis run from 0 to a percentage, 100 unless said, and name its unit."""
    getattr(axes, f"set_{which}lim")(0, highest)
    getattr(axes, f"set_{which}label")(label)
    getattr(axes, f"{which}axis").set_major_formatter("{x:g}%")


def shade(
    axes: Axes,
    x: pd.Series | pd.Index | np.ndarray,
    ends: tuple[pd.Series, pd.Series],
    colour: str,
    *,
    alpha: float = 0.14,
    **more: Any,
) -> None:
    """Shade what lies between the lower and the upper ends."""
    axes.fill_between(x, *ends, color=colour, alpha=alpha, lw=0, **more)


def legend_beneath(figure: Figure, *, columns: int = 6) -> None:
    """Name once, beneath all axes, what any of them shows, in as many columns as there is room."""
    entries: dict[str, Artist] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    figure.legend(
        list(entries.values()), list(entries), loc="outside lower center",
        ncols=_columns(list(entries), min(len(entries), columns), figure.get_figwidth()),
    )  # fmt: skip


def _columns(labels: Sequence[str], most: int, width: float) -> int:
    """Return how many columns of a legend fit into so many inches, at most as many as given."""
    for number in range(most, 1, -1):
        columns = np.array_split(np.array([len(label) for label in labels]), number)
        if sum(LEGEND_KEY + LEGEND_CHARACTER * int(each.max()) for each in columns) <= width:
            return number
    return 1

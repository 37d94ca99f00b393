"""What a release's monitor has seen: the risk so far, and evidence that grows or does not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from pipeline.figures.style import INK, look, percent_axis, shade, single_axes, styled

MOST_POINTS = 400
"""Of a line: more are not seen."""

LOWEST, HIGHEST = 1e-4, 1e6
"""e-values; those beyond are drawn here."""


@styled
def risk_so_far_figure(rows: pd.DataFrame, *, target: float) -> Figure:
    """Draw the share of wrong answers after each label, with its confidence sequence.

    Parameters
    ----------
    rows : DataFrame
        ``labels``, ``risk``, ``lower`` and ``upper``, shares; a row a label.
    target : float
    """
    figure, axes = single_axes()
    rows = rows.iloc[_thinned(len(rows))]
    style = look(0)
    shade(axes, rows["labels"], (100 * rows["lower"], 100 * rows["upper"]), style.colour)
    axes.plot(rows["labels"], 100 * rows["risk"], color=style.colour, label="wrong so far")
    axes.axhline(100 * target, color=INK, linestyle=(0, (2, 2)), linewidth=1.1, label="target")
    # Wide at first: what matters is near the target.
    percent_axis(axes, "y", "wrong among labelled answers", highest=min(100.0, 500 * target))
    axes.set_xlabel("labelled answers")
    axes.legend(loc="upper right")
    return figure


@styled
def evidence_figure(
    paths: Mapping[str, Float[np.ndarray, "times"]], *, enough: float, units: str
) -> Figure:
    """Draw e-values after each patient, on a logarithmic scale.

    Parameters
    ----------
    paths : mapping of str to float array, (times,)
        By what is told of each line, natural logarithms of its e-values.
    enough : float
        The e-value at which something is found.
    units : str
        What is counted.
    """
    figure, axes = single_axes()
    for number, (name, path) in enumerate(paths.items()):
        at = _thinned(len(path))
        style = look(number)
        values = np.exp(np.clip(path[at], np.log(LOWEST), np.log(HIGHEST)))
        axes.plot(at + 1, values, color=style.colour, linestyle=style.dash, label=name)
    axes.axhline(enough, color=INK, linestyle=(0, (2, 2)), linewidth=1.1, label="enough")
    axes.set_yscale("log")
    axes.set_ylim(LOWEST, HIGHEST)
    axes.yaxis.set_major_formatter("{x:,.10g}")
    axes.set_ylabel("e-value")
    axes.set_xlabel(units)
    axes.legend(loc="best")
    return figure


def _thinned(number: int) -> np.ndarray:
    """Return the places of points enough to draw a line, the first and the last among them."""
    return np.unique(np.linspace(0, max(number - 1, 0), min(number, MOST_POINTS)).astype(int))

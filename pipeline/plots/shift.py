"""What a model does on damaged images and at other sites: small multiples, one column a shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.plots.style import INK, look, styled

Places = Float[np.ndarray, "places"]


@dataclass(frozen=True)
class ShiftSeries:
    """One quantity of one method along a shift: shares in [0, 1]; NaN where there is none.

    `lower` and `upper` are the ends of a band or an interval.
    """

    label: str
    series: int
    value: Places
    lower: Places
    upper: Places


@dataclass(frozen=True)
class ShiftColumn:
    """One shift: what stands above it and under its places, and the series of each quantity.

    `joined` places are steps of one scale, such as severities; others are drawn apart.
    """

    title: str
    places: Sequence[str]
    quantities: Sequence[Sequence[ShiftSeries]]
    joined: bool


@styled
def shift_figure(
    columns: Sequence[ShiftColumn],
    *,
    labels: Sequence[str],
    x_label: str,
    target: float | None = None,
) -> Figure:
    """Draw one row a quantity and one column a shift, in percent on axes shared along a row.

    The first row runs to 100 %, the others as far as they must.

    Parameters
    ----------
    columns : sequence of ShiftColumn
    labels : sequence of str
        The rows' axis labels.
    x_label : str
        What the places are.
    target : float, optional
        A share in [0, 1] that the last row must not exceed.
    """
    size = (max(5.4, 2.5 * len(columns)), 2.3 * len(labels) + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(labels), len(columns), squeeze=False, sharex="col", sharey="row")
    for place, column in enumerate(columns):
        axes[0, place].set_title(column.title)
        for row, series in enumerate(column.quantities):
            for number, each in enumerate(series):
                _draw(axes[row, place], column, each, (number - (len(series) - 1) / 2) * 0.12)
        axes[-1, place].set_xticks(np.arange(len(column.places)), column.places)
        axes[-1, place].set_xlabel(x_label)
        if target is not None:
            axes[-1, place].axhline(100 * target, color=INK, linewidth=1.1, linestyle=(0, (2, 2)),
                                    label=f"target {100 * target:g}%")  # fmt: skip
    for row, label in enumerate(labels):
        axes[row, 0].set_ylabel(label)
        axes[row, 0].set_ylim(bottom=0, top=102 if row == 0 else None)
        axes[row, 0].yaxis.set_major_formatter("{x:g}%")
    handles, names = axes[-1, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))
    return figure


def _draw(axes: Axes, column: ShiftColumn, each: ShiftSeries, shifted: float) -> None:
    style = look(each.series)
    x = np.arange(len(column.places), dtype=float)
    y, lower, upper = (100 * values for values in (each.value, each.lower, each.upper))
    marks: dict[str, Any] = {"color": style.colour, "marker": style.marker, "label": each.label}
    if column.joined:
        axes.plot(x, y, linestyle=style.dash, **marks)
        axes.fill_between(x, lower, upper, color=style.colour, alpha=0.14, lw=0)
        return
    known = np.isfinite(lower)
    axes.vlines((x + shifted)[known], lower[known], upper[known], color=style.colour, linewidth=1.4)
    axes.plot(x + shifted, y, linestyle="none", **marks)
    axes.set_xlim(-0.5, len(x) - 0.5)

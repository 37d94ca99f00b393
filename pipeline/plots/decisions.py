"""What deciding costs: policies over the weight of an error, and over a threshold probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from pipeline.plots.style import INK, MUTED, look, percent_axis, single_axes, styled

Grid = Float[np.ndarray, "points"]

REFERENCE_DASHES = ((0, (1, 1.5)), (0, (6, 2)), (0, (3, 1.5, 1, 1.5)), (0, (2, 4)))

MOST_INSIDE = 4
"""Curves whose names have room beside them; of more the names stand beneath."""


@dataclass(frozen=True)
class DecisionCurve:
    """One policy over a grid; limits are NaN where none are known.

    `series` is None for a policy that needs no model: drawn in grey.
    """

    label: str
    series: int | None
    grid: Grid
    value: Grid
    lower: Grid
    upper: Grid


@styled
def costs_figure(curves: Sequence[DecisionCurve], *, unit: str) -> Figure:
    """Draw the cost per 1,000 arriving against how many referrals one wrong answer is worth."""
    figure, axes = single_axes()
    _draw(axes, curves)
    axes.set_xscale("log")
    weights = curves[0].grid
    axes.set_xticks(weights, [f"{weight:g}" for weight in weights], minor=False)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(weights.min(), weights.max())
    axes.set_xlabel("one wrong answer is as bad as so many referrals")
    axes.set_ylabel(f"cost per 1,000 {unit} arriving,\nin referrals")
    # Answering all soon costs more than anything else: let the others be seen.
    others = [curve.value.max() for curve in curves if curve.label != "answer all"]
    axes.set_ylim(0, 1.25 * max(others))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.legend(loc="best")
    return figure


@styled
def net_benefit_figure(curves: Sequence[DecisionCurve], *, positive: str, unit: str) -> Figure:
    """Draw net benefit against the probability at which one would act."""
    figure, axes = single_axes()
    _draw(axes, [_in_percent(curve) for curve in curves])
    highest = 100 * max(curve.value.max() for curve in curves)
    percent_axis(axes, "x", "preference: probability at which one would act, %",
                 highest=100 * curves[0].grid.max())  # fmt: skip
    axes.set_ylim(-0.25 * highest, 1.15 * highest)
    axes.set_ylabel(f"benefit: true {positive} found,\nnet of false alarms, per 100 {unit}")
    if len(curves) > MOST_INSIDE:
        figure.legend(loc="outside lower center", ncols=2)
    else:
        axes.legend(loc="upper right")
    return figure


def _in_percent(curve: DecisionCurve) -> DecisionCurve:
    arrays = (100 * each for each in (curve.grid, curve.value, curve.lower, curve.upper))
    return DecisionCurve(curve.label, curve.series, *arrays)


def _draw(axes: Axes, curves: Sequence[DecisionCurve]) -> None:
    references = iter(REFERENCE_DASHES)
    for curve in curves:
        if curve.series is None:
            axes.plot(curve.grid, curve.value, color=MUTED, linestyle=next(references),
                      linewidth=1.3, label=curve.label)  # fmt: skip
            continue
        style = look(curve.series)
        axes.plot(curve.grid, curve.value, color=style.colour, linestyle=style.dash,
                  label=curve.label)  # fmt: skip
        band: dict[str, Any] = {"color": style.colour, "alpha": 0.14, "lw": 0}
        axes.fill_between(curve.grid, curve.lower, curve.upper, **band)
    axes.axhline(0, color=INK, linewidth=0.8)

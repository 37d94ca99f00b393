"""Selective prediction: what a model that may refer cases answers, and how wrong it then is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures.style import (
    INK,
    MUTED,
    PAPER,
    legend_beneath,
    look,
    percent_axis,
    shade,
    single_axes,
    styled,
)
from pipeline.method_names import titled

APPROVED = "approved threshold"


@styled
def risk_coverage_figure(
    rows: pd.DataFrame,
    *,
    losses: Sequence[str],
    target: float,
    unit: str,
    risk: str = "wrong, % of the answered",
) -> Figure:
    """Draw risk against coverage, the mean over seeds with a band of one standard deviation.

    Parameters
    ----------
    rows : DataFrame
        Of ``risk_coverage`` or ``cost_coverage`` after one calibrator.
    losses : sequence of str
        One curve each.
    target : float
        The risk that must not be exceeded, in [0, 1].
    unit : str
        What is answered, with its number.
    risk : str
        What the risk is, for its axis.
    """
    figure, axes = single_axes()
    highest = 1.4 * target
    for number, loss in enumerate(losses):
        own, style = rows[rows["loss"] == loss], look(number)
        x, y, sd = (100 * own[name] for name in ("coverage", "risk_mean", "risk_sd"))
        sd = sd.fillna(0.0)
        every = max(1, len(x) // 8)
        marks: dict[str, Any] = {
            "marker": style.marker,
            "markevery": (every // 2, every),
            "markersize": 4.5,
        }
        axes.plot(x, y, color=style.colour, linestyle=style.dash, label=titled(loss), **marks)
        shade(axes, x, ((y - sd).clip(lower=0), y + sd), style.colour)
        highest = max(highest, float(((y + sd) / 100).max()))
    draw_target(axes, target)
    percent_axis(axes, "x", f"answered, % of {unit}")
    percent_axis(axes, "y", risk, highest=105 * highest)
    axes.legend(loc="upper left", ncols=2 if len(losses) > 3 else 1)
    return figure


@styled
def exact_band_figure(
    band: pd.DataFrame, joint: pd.DataFrame, point: pd.Series, *, unit: str
) -> Figure:
    """Draw one model's risk at its attained thresholds with pointwise exact 95 % limits.

    Parameters
    ----------
    band : DataFrame
        Of ``exact_band``, from 30 answered on.
    joint : DataFrame
        A few of its rows, with limits that hold at all of them together.
    point : Series
        Of ``operating_points``: where the threshold that was fixed beforehand came out.
    unit : str
        What is answered, in the plural.
    """
    figure, axes = single_axes()
    colour = look(0).colour
    x, risk, lower, upper = (100 * band[name] for name in ("coverage", "risk", "lower", "upper"))
    label = "exact 95% limits, pointwise"
    shade(axes, x, (lower, upper), colour, alpha=0.16, step="post", label=label)
    axes.step(x, risk, where="post", color=colour, label="observed")
    ends = (100 * joint["lower"], 100 * joint["upper"])
    label = f"95% limits, {len(joint)} points at once"
    axes.vlines(100 * joint["coverage"], *ends, color=MUTED, linewidth=1.3, label=label)
    marks: dict[str, Any] = {"linestyle": "none", "zorder": 5, "color": INK}
    axes.plot(x[-1:], risk[-1:], marker="s", label="answer all", clip_on=False, **marks)
    if point["answered"]:
        place = (point["answered"] / point["num_test"], point["wrong"] / point["answered"])
        axes.plot(*(100 * each for each in place), marker="D", markersize=8, label=APPROVED,
                  **marks)  # fmt: skip
    draw_target(axes, point["target"])
    percent_axis(axes, "x", f"answered, % of {point['num_test']:,} {unit}")
    highest = max(140 * point["target"], float(upper.max()))
    percent_axis(axes, "y", "wrong, % of the answered", highest=1.05 * highest)
    axes.legend(loc="upper left")
    return figure


@styled
def workload_figure(band: pd.DataFrame, point: pd.Series, *, unit: str) -> Figure:
    """Draw what becomes of 1,000 arriving at each threshold: right, wrong, referred.

    Parameters
    ----------
    band, point : DataFrame, Series
        As for `exact_band_figure`.
    unit : str
        What arrives, in the plural.
    """
    figure, axes = single_axes()
    threshold = 100 * band["threshold"]
    wrong = 1000 * band["wrong"] / point["num_test"]
    right = 1000 * (band["answered"] - band["wrong"]) / point["num_test"]
    parts = {"answered rightly": right, "answered wrongly": wrong,
             "referred": 1000 - right - wrong}  # fmt: skip
    colours = (look(0).colour, look(1).colour, PAPER)
    layers = axes.stackplot(
        threshold, *parts.values(), colors=colours, labels=list(parts), edgecolor=INK, lw=0.5
    )
    # In grey the two colours look alike.
    layers[1].set(hatch="\\\\\\\\", edgecolor=PAPER)
    layers[-1].set(hatch="////", edgecolor=MUTED)
    if point["answered"]:
        axes.axvline(100 * point["threshold"], color=INK, linestyle=(0, (2, 2)), label=APPROVED)
    axes.set_xlim(threshold.min(), threshold.max())
    axes.set_xlabel(f"answered from this confidence on, %; {point['num_test']:,} {unit}")
    axes.set_ylim(0, 1000)
    axes.set_ylabel(f"of 1,000 {unit} arriving")
    legend_beneath(figure, columns=2)
    return figure


@styled
def silent_errors_figure(band: pd.DataFrame, point: pd.Series, *, unit: str) -> Figure:
    """Draw how many of 1,000 arriving cases are answered wrongly, by the share answered.

    `band` and `point` are as for `exact_band_figure`; `unit` is what arrives, in the plural.
    """
    figure, axes = single_axes()
    num_test = point["num_test"]
    wrong = 1000 * band["wrong"] / num_test
    axes.step(100 * band["coverage"], wrong, where="post", color=look(0).colour, label="this model")
    everyone = wrong.iloc[-1]
    axes.plot((0, 100), (0, everyone), color=MUTED, linestyle="--", label="refer at random")
    if point["answered"]:
        place = (100 * point["answered"] / num_test, 1000 * point["wrong"] / num_test)
        axes.plot(*place, "D", markersize=8, color=INK, label=APPROVED)
    percent_axis(axes, "x", f"answered, % of {num_test:,} {unit}")
    axes.set_ylim(0, 1.08 * max(everyone, 1.0))
    axes.set_ylabel(f"answered wrongly,\nper 1,000 {unit} arriving")
    axes.legend(loc="upper left")
    return figure


def draw_target(axes: Axes, target: float, *, side: Literal["left", "right"] = "right") -> None:
    """Draw the risk that must not be exceeded across a pair of axes in percent, named at a side."""
    axes.axhline(100 * target, color=INK, linewidth=1.1, linestyle=(0, (2, 2)))
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "bottom", "ha": side}
    text = f"target {100 * target:g}%"
    at = 0.995 if side == "right" else 0.005
    halo = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0.6}
    axes.annotate(
        text, (at, 100 * target), textcoords="offset points", xytext=(0, 2), bbox=halo, **place
    )

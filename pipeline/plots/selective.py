"""Selective prediction: what a model that may refer cases answers, and how wrong it then is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.plots.style import INK, MUTED, PAPER, look, percent_axis, single_axes, styled

Grid = Float[np.ndarray, "points"]


@dataclass(frozen=True)
class RiskCurve:
    """One risk-coverage curve; `risk_sd` is NaN where there is a single seed."""

    label: str
    series: int
    coverage: Grid
    risk: Grid
    risk_sd: Grid


@dataclass(frozen=True)
class JointLimits:
    """Limits that hold at a few thresholds together: answered (a count) and shares in [0, 1]."""

    answered: Grid
    lower: Grid
    upper: Grid


@dataclass(frozen=True)
class ExactBand:
    """One model's risk at each attained threshold, with pointwise exact 95 % limits.

    `answered` and `wrong` are counts out of `num_cases`; the limits are shares in [0, 1]. `joint`
    limits are drawn as bars.
    """

    answered: Grid
    wrong: Grid
    lower: Grid
    upper: Grid
    num_cases: int

    joint: JointLimits | None = None

    @property
    def coverage(self) -> Grid:
        """Share of the cases that is answered, in [0, 1]."""
        return self.answered / self.num_cases

    @property
    def risk(self) -> Grid:
        """Share of the answered cases that is wrong, in [0, 1]."""
        return self.wrong / self.answered


@styled
def risk_coverage_figure(
    curves: Sequence[RiskCurve],
    *,
    target: float,
    unit: str,
    risk: str = "wrong, % of the answered",
) -> Figure:
    """Draw risk against coverage, the mean over seeds with a band of one standard deviation.

    Parameters
    ----------
    curves : sequence of RiskCurve
        One a loss; shares in [0, 1].
    target : float
        The risk that must not be exceeded, in [0, 1].
    unit : str
        What is answered, with its number.
    risk : str
        What the risk is, for its axis.
    """
    figure, axes = single_axes()
    highest = 1.4 * target
    for curve in curves:
        style = look(curve.series)
        x, y = 100 * curve.coverage, 100 * curve.risk
        sd = 100 * np.nan_to_num(curve.risk_sd)
        every = max(1, len(x) // 8)
        marks: dict[str, Any] = {
            "marker": style.marker,
            "markevery": (every // 2, every),
            "markersize": 4.5,
        }
        axes.plot(x, y, color=style.colour, linestyle=style.dash, label=curve.label, **marks)
        axes.fill_between(x, np.maximum(0, y - sd), y + sd, color=style.colour, alpha=0.14, lw=0)
        highest = max(highest, float(np.max((y + sd) / 100)))
    draw_target(axes, target)
    percent_axis(axes, "x", f"answered, % of {unit}")
    percent_axis(axes, "y", risk, highest=105 * highest)
    axes.legend(loc="upper left", ncols=2 if len(curves) > 3 else 1)
    return figure


@styled
def exact_band_figure(
    band: ExactBand, *, target: float, chosen: tuple[int, int] | None, unit: str
) -> Figure:
    """Draw one model's risk at its attained thresholds with pointwise exact 95 % limits.

    Parameters
    ----------
    band : ExactBand
        From 30 answered on.
    target : float
        The risk that must not be exceeded, in [0, 1].
    chosen : (answered, wrong), optional
        What the threshold that was fixed beforehand gave on the test cases.
    unit : str
        What is answered, in the plural.
    """
    figure, axes = single_axes()
    style = look(0)
    x, risk = 100 * band.coverage, 100 * band.risk
    lower, upper = 100 * band.lower, 100 * band.upper
    axes.fill_between(
        x, lower, upper, step="post", color=style.colour, alpha=0.16, lw=0,
        label="exact 95% limits, pointwise",
    )  # fmt: skip
    axes.step(x, risk, where="post", color=style.colour, label="observed")
    if band.joint is not None:
        at = 100 * band.joint.answered / band.num_cases
        ends = (100 * band.joint.lower, 100 * band.joint.upper)
        label = f"95% limits, {len(at)} points at once"
        axes.vlines(at, *ends, color=MUTED, linewidth=1.3, label=label)
    marks: dict[str, Any] = {"linestyle": "none", "zorder": 5, "color": INK}
    axes.plot(x[-1:], risk[-1:], marker="s", label="answer all", clip_on=False, **marks)
    if chosen is not None:
        point = (100 * chosen[0] / band.num_cases, 100 * chosen[1] / chosen[0])
        axes.plot(*point, marker="D", markersize=8, label="approved threshold", **marks)
    draw_target(axes, target)
    percent_axis(axes, "x", f"answered, % of {band.num_cases:,} {unit}")
    highest = max(140 * target, float(upper.max()))
    percent_axis(axes, "y", "wrong, % of the answered", highest=1.05 * highest)
    axes.legend(loc="upper left")
    return figure


@styled
def workload_figure(band: ExactBand, threshold: Grid, *, chosen: float | None, unit: str) -> Figure:
    """Draw what becomes of 1,000 arriving at each threshold: right, wrong, referred.

    Parameters
    ----------
    band : ExactBand
    threshold : float array
        Confidence from which on each row of the band answers, in [0, 1].
    chosen : float, optional
        The threshold that was fixed beforehand.
    unit : str
        What arrives, in the plural.
    """
    figure, axes = single_axes()
    right, wrong = (1000 * counts / band.num_cases for counts in (band.answered - band.wrong,
                                                                  band.wrong))  # fmt: skip
    parts = {"answered rightly": right, "answered wrongly": wrong,
             "referred": 1000 - right - wrong}  # fmt: skip
    colours = (look(0).colour, look(1).colour, PAPER)
    layers = axes.stackplot(
        100 * threshold, *parts.values(), colors=colours, labels=list(parts), edgecolor=INK, lw=0.5
    )
    # In grey the two colours look alike.
    layers[1].set(hatch="\\\\\\\\", edgecolor=PAPER)
    layers[-1].set(hatch="////", edgecolor=MUTED)
    if chosen is not None:
        axes.axvline(100 * chosen, color=INK, linestyle=(0, (2, 2)), label="approved threshold")
    axes.set_xlim(100 * threshold.min(), 100 * threshold.max())
    axes.set_xlabel(f"answered from this confidence on, %; {band.num_cases:,} {unit}")
    axes.set_ylim(0, 1000)
    axes.set_ylabel(f"of 1,000 {unit} arriving")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@styled
def silent_errors_figure(band: ExactBand, *, chosen: tuple[int, int] | None, unit: str) -> Figure:
    """Draw how many of 1,000 arriving cases are answered wrongly, by the share answered."""
    figure, axes = single_axes()
    style = look(0)
    x, y = 100 * band.coverage, 1000 * band.wrong / band.num_cases
    axes.step(x, y, where="post", color=style.colour, label="this model")
    everyone = 1000 * band.wrong[-1] / band.num_cases
    axes.plot((0, 100), (0, everyone), color=MUTED, linestyle="--", label="refer at random")
    if chosen is not None:
        point = (100 * chosen[0] / band.num_cases, 1000 * chosen[1] / band.num_cases)
        axes.plot(*point, "D", markersize=8, color=INK, label="approved threshold")
    percent_axis(axes, "x", f"answered, % of {band.num_cases:,} {unit}")
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

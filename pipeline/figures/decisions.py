"""What deciding costs: policies over the weight of an error, and over a threshold probability."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from pipeline.figures.style import (
    INK,
    MUTED,
    legend_beneath,
    look,
    percent_axis,
    shade,
    single_axes,
    styled,
)

Curves = Mapping[str, pd.DataFrame]

REFERENCE_DASHES = ((0, (1, 1.5)), (0, (6, 2)), (0, (3, 1.5, 1, 1.5)), (0, (2, 4)))

MOST_INSIDE = 4
"""Curves whose names have room beside them; of more the names stand beneath."""


@styled
def costs_figure(rows: pd.DataFrame, *, names: Mapping[str, str], unit: str) -> Figure:
    """Draw the cost per 1,000 arriving against how many referrals one wrong answer is worth.

    Parameters
    ----------
    rows : DataFrame
        Of ``costs``; the policy ``model`` is drawn with its limits, the others in grey.
    names : mapping of str to str
        The policies in words.
    unit : str
        What arrives, in the plural.
    """
    figure, axes = single_axes()
    curves = {names[str(key)]: part for key, part in rows.groupby("policy", sort=False)}
    _draw(axes, curves, {names["model"]: 0}, ("weight", "cost"))
    axes.set_xscale("log")
    weights = rows["weight"].unique()
    axes.set_xticks(weights, [f"{weight:g}" for weight in weights], minor=False)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(weights.min(), weights.max())
    axes.set_xlabel("one wrong answer is as bad as so many referrals")
    axes.set_ylabel(f"cost per 1,000 {unit} arriving,\nin referrals")
    # Answering all soon costs more than anything else: let the others be seen.
    axes.set_ylim(0, 1.25 * rows.loc[rows["policy"] != "answer_all", "cost"].max())
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.legend(loc="best")
    return figure


@styled
def net_benefit_figure(
    curves: Curves, *, series: Mapping[str, int], positive: str, unit: str
) -> Figure:
    """Draw net benefit against the probability at which one would act.

    Parameters
    ----------
    curves : mapping of str to DataFrame
        Rows of ``net_benefit`` or ``referral_benefit`` by their label.
    series : mapping of str to int
        The looks of those curves that a model has a part in; the others are drawn in grey.
    positive : str
        The class on which one would act.
    unit : str
        What arrives, in the plural.
    """
    figure, axes = single_axes()
    _draw(axes, curves, series, ("threshold_probability", "net_benefit"), factor=100)
    every = pd.concat(list(curves.values()))
    highest = 100 * every["net_benefit"].max()
    percent_axis(axes, "x", "preference: probability at which one would act, %",
                 highest=100 * every["threshold_probability"].max())  # fmt: skip
    axes.set_ylim(-0.25 * highest, 1.15 * highest)
    axes.set_ylabel(f"benefit: true {positive} found,\nnet of false alarms, per 100 {unit}")
    if len(curves) > MOST_INSIDE:
        legend_beneath(figure, columns=2)
    else:
        axes.legend(loc="upper right")
    return figure


def _draw(
    axes: Axes,
    curves: Curves,
    series: Mapping[str, int],
    columns: tuple[str, str],
    *,
    factor: float = 1,
) -> None:
    """Draw a column against another, both times a factor."""
    references = iter(REFERENCE_DASHES)
    for label, rows in curves.items():
        x, y, lower, upper = (factor * rows[name] for name in (*columns, "lower", "upper"))
        if label not in series:
            dashes = next(references)
            axes.plot(x, y, color=MUTED, linestyle=dashes, linewidth=1.3, label=label)
            continue
        style = look(series[label])
        axes.plot(x, y, color=style.colour, linestyle=style.dash, label=label)
        shade(axes, x, (lower, upper), style.colour)
    axes.axhline(0, color=INK, linewidth=0.8)

"""Where a figure's axes lie, so that a page can put a mark of its own on them."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

from matplotlib.figure import Figure

from pipeline.figures.style import house_style


@dataclass(frozen=True)
class Frame:
    """The first axes of a figure: its edges as shares of the figure, from the top left corner.

    `highest` is the value at the upper edge; the axes begin at 0 on both sides and end at 100 on
    the right.
    """

    left: float
    right: float
    top: float
    bottom: float
    highest: float


def axes_frame(figure: Figure) -> Frame:
    """Return where the first axes of a figure lie once it is laid out."""
    with house_style():
        # The layout depends on how a format measures text, so it must be made for this one.
        figure.savefig(StringIO(), format="svg")
    axes = figure.axes[0]
    box = axes.get_position()
    return Frame(
        left=round(box.x0, 5),
        right=round(box.x1, 5),
        top=round(1 - box.y1, 5),
        bottom=round(1 - box.y0, 5),
        highest=round(axes.get_ylim()[1], 5),
    )

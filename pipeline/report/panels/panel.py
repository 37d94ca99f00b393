"""A panel: a figure, the sentence beneath it, and the table that holds its numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from pipeline.figures import Frame, to_svg
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table

MOST_CURVES = 6
"""More lines than this cannot be told apart."""


@dataclass(frozen=True)
class Panel:
    """A figure with its title, the sentence beneath it and, where there is one, its table.

    `table_elsewhere` names the table that holds the numbers of a figure without one of its own.
    """

    name: str
    title: str
    sentence: str
    svg: str
    table: Table | None = None
    wide: bool = False
    frame: Frame | None = None
    table_elsewhere: str = ""

    @property
    def numbers(self) -> str:
        """The name of the table that holds the figure's numbers; empty where there is none."""
        return self.table_elsewhere if self.table is None else self.table.name


def make_panel(
    scores: Scores, name: str, title: str, sentence: str, figure: Figure, **more: Any
) -> Panel:
    """Return the panel of a figure, with `more` of its attributes.

    The figure's ids begin with the experiment's and the panel's name.
    """
    unique = re.sub(r"[^\w-]", "-", f"{scores.name}-{name}")
    whole_title = f"{title}: {scores.dataset['title']}"
    svg = to_svg(figure, name=unique, title=whole_title, description=sentence)
    return Panel(name=name, title=title, sentence=sentence, svg=svg, **more)


def shown_losses(scores: Scores) -> list[str]:
    """Return the losses that figures draw, six at most: headline, baseline, then the study's order.

    A loss's place here is its colour, dash and marker in every figure of the experiment.
    """
    record = scores.record
    first = [record["headline_loss"], record["baseline"]]
    return list(dict.fromkeys([*first, *record["losses"]]))[:MOST_CURVES]

"""The order in which a page tells of an experiment: what to decide with first, the rest folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.report.panels import Panel
from pipeline.tables.parts.shown import Table


@dataclass(frozen=True)
class Section:
    """A part of the page: its heading, what it shows, and which figures.

    `panels` are beginnings of their names. Tables say in which section they stand
    (`TableSpec.section`); `first` are those of the report itself, before them.
    """

    key: str
    title: str
    sentence: str
    panels: tuple[str, ...] = ()
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class ShownSection:
    """A section with what an experiment has of it."""

    key: str
    title: str
    sentence: str
    panels: tuple[Panel, ...]
    tables: tuple[Table, ...]


TO_DECIDE = (
    Section(
        "answered",
        "What is answered, and what is referred",
        "How far the answers can be trusted at each threshold, and what becomes of each class.",
        ("exact_band", "workload"),
    ),
    Section(
        "classes",
        "Class by class",
        "Which class is missed how often, and how training cases and misses go together.",
        ("long_tail",),
    ),
    Section(
        "groups",
        "Groups of patients",
        "Who is referred more often, and who is answered wrongly more often, at one threshold.",
        ("groups", "group_curves"),
    ),
    Section(
        "calibration",
        "Whether confidence can be trusted",
        "Of 100 images read with 90% confidence, are 90 read rightly?",
        ("reliability",),
    ),
    Section(
        "decisions",
        "What deciding by the model costs",
        "Answering, referring and acting, weighed against each other.",
        ("costs", "cost_coverage", "net_benefit", "referral_benefit"),
    ),
    Section(
        "elsewhere",
        "Images from elsewhere",
        "Other sites, damaged images, and images of something the model has never seen.",
        ("shift", "frozen", "ood"),
    ),
)
"""What a reader decides with, in reading order."""

FOR_THE_STATISTICIAN = (
    Section(
        "methods",
        "Losses and calibrators",
        "Every loss and calibrator of the experiment, in the metrics of the first page.",
        ("risk_coverage", "silent_errors"),
        ("comparison",),
    ),
    Section(
        "by_class",
        "Calibration of each class",
        "Intercept and slope of each class against the rest.",
    ),
    Section(
        "sets",
        "Prediction sets",
        "Sets of classes that contain the true one as often as promised, instead of one answer.",
    ),
    Section(
        "scores",
        "Every metric of every group",
        "Metrics of each group and class, and other scores that could decide what is answered.",
    ),
    Section(
        "training", "Training", "How the validation cases fared, epoch by epoch.", ("training",)
    ),
)
"""What stands folded beneath."""


def shown_sections(
    sections: Sequence[Section],
    panels: Sequence[Panel],
    tables: Mapping[str, Table],
    by_section: Mapping[str, Sequence[Table]],
) -> list[ShownSection]:
    """Return the sections that an experiment has something of; a figure stands in its first."""
    shown = []
    left = list(panels)
    for each in sections:
        own = [panel for panel in left if panel.name.startswith(each.panels or ("\0",))]
        left = [panel for panel in left if panel not in own]
        mine = [tables[name] for name in each.first] + [*by_section.get(each.key, ())]
        if own or mine:
            shown.append(ShownSection(each.key, each.title, each.sentence, tuple(own), tuple(mine)))
    return shown

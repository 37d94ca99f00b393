"""The front page: every tracked study and experiment in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.report.first_screen import FirstScreen, first_screen
from pipeline.report.scores import Scores


@dataclass(frozen=True)
class StudyLine:
    """A study's entry on the front page."""

    study: str
    title: str
    experiments: tuple[tuple[Scores, FirstScreen], ...]


def study_line(study: str, title: str, every: Sequence[Scores]) -> StudyLine:
    """Return a study's entry: each experiment with what its first screen says."""
    return StudyLine(study, title, tuple((scores, first_screen(scores)) for scores in every))

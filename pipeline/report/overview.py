"""The front page: every tracked study and experiment in one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.outgoing_text import printable
from pipeline.report.first_screen import FirstScreen, first_screen
from pipeline.tables.parts.scores import Scores


@dataclass(frozen=True)
class ExperimentLine:
    """An experiment's entry on the front page: its heading and what its first screen says."""

    heading: str
    scores: Scores
    screen: FirstScreen


@dataclass(frozen=True)
class StudyLine:
    """A study's entry on the front page."""

    study: str
    title: str
    experiments: tuple[ExperimentLine, ...]

    @property
    def num_runs(self) -> int:
        """How many networks were trained."""
        return sum(len(each.scores.provenance["runs"]) for each in self.experiments)


def study_line(study: str, title: str, every: Sequence[Scores]) -> StudyLine:
    """Return a study's entry: each experiment with what its first screen says."""
    names = headings(every)
    entries = (ExperimentLine(names[each.name], each, first_screen(each)) for each in every)
    return StudyLine(study, printable(title), tuple(entries))


def headings(every: Sequence[Scores]) -> dict[str, str]:
    """Return each experiment's heading by its name: its data set's title, told apart if need be."""
    times = Counter(scores.dataset["title"] for scores in every)
    return {
        scores.name: scores.dataset["title"]
        if times[scores.dataset["title"]] == 1
        else f"{scores.dataset['title']} · {scores.name}"
        for scores in every
    }

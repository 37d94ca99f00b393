"""Find the files whose header disagrees with the rest of their series."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator

from pipeline.adapters.case import Quarantined
from pipeline.adapters.file_facts import FileFacts


def agreeing(files: list[FileFacts], *, volumes: bool) -> Iterator[FileFacts | Quarantined]:
    """Yield every file, in order, as it is or as the reason why it is left out.

    The files of a series must be one patient's, of one study; those of a volume must also agree in
    size, spacing and orientation. Who is in the minority is left out.
    """
    series: dict[str, list[FileFacts]] = defaultdict(list)
    for facts in files:
        series[facts.series or facts.file].append(facts)
    odd: dict[str, str] = {}
    for members in series.values():
        odd |= dict.fromkeys(_minority(members, lambda each: (each.patient, each.study)), "patient")
        if volumes:
            odd |= dict.fromkeys(_minority(members, _geometry), "geometry")
    for facts in files:
        if (what := odd.get(facts.file)) is not None:
            reason = f"{what} disagrees with the series"
            yield Quarantined(facts.source, reason, "correct its header or take it out")
        else:
            yield facts


def _geometry(facts: FileFacts) -> Hashable:
    orientation = tuple(round(each, 3) for each in facts.orientation)
    spacing = tuple(round(each, 4) for each in facts.pixel_spacing)
    return facts.num_rows, facts.num_columns, facts.num_samples, orientation, spacing


def _minority(members: list[FileFacts], trait: Callable[[FileFacts], Hashable]) -> list[str]:
    """Return the files whose trait is not the series' most frequent; the first wins a tie."""
    usual = Counter(map(trait, members)).most_common(1)[0][0]
    return [each.file for each in members if trait(each) != usual]

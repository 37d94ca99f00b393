"""Sort out the files that give no case, each with its reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator

from pipeline.adapters.case import Quarantined
from pipeline.adapters.dicom.arguments import ReadingArguments
from pipeline.adapters.dicom.header import FileFacts
from pipeline.adapters.dicom.opening import too_large


def screen(
    files: Iterable[FileFacts], arguments: ReadingArguments, *, volumes: bool
) -> Iterator[FileFacts | Quarantined]:
    """Yield every file, in order, as it is or as the reason why it is left out.

    Parameters
    ----------
    files : iterable of FileFacts
        In the order of the index: of two duplicates the first stays.
    arguments : ReadingArguments
        The limits.
    volumes : bool
        Whether the images of a series must also agree in size, spacing and orientation.
    """
    seen: set[str] = set()
    usable: list[FileFacts] = []
    for facts in files:
        reason = _fault_of(facts, arguments, seen)
        if reason is not None:
            yield Quarantined(facts.source, *reason)
        else:
            usable.append(facts)
            seen |= {facts.sha256, facts.sop} - {""}
    yield from _agreeing(usable, volumes=volumes)


def _fault_of(
    facts: FileFacts, arguments: ReadingArguments, seen: set[str]
) -> tuple[str, str] | None:
    if facts.fault:
        return facts.fault, facts.advice
    if facts.num_pixels > arguments.max_pixels:
        refused = too_large(facts.num_pixels, "values")
        return refused.reason, refused.advice
    if facts.burned_in and not arguments.allow_burned_in:
        advice = "its pixels may show who it is: look, then clean it or set 'allow_burned_in'"
        return "burned-in annotation", advice
    if facts.sha256 in seen:
        return "duplicate file", "keep one copy"
    if facts.sop in seen:
        return "duplicate SOP instance UID", "keep the right one of the two images"
    return None


def _agreeing(files: list[FileFacts], *, volumes: bool) -> Iterator[FileFacts | Quarantined]:
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

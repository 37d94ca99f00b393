"""Find the files that disagree with the rest of their series, and the stacks that lost a slice.

What is left of such a stack would be thicker, shorter or torn, unseen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from math import cos, radians

import numpy as np

from pipeline.adapters.case import Quarantined
from pipeline.adapters.dicom.geometry import same_orientation, same_spacing
from pipeline.adapters.dicom.series import (
    SAME_PLACE_MM,
    UNEVEN_SHARE,
    normal_of,
    places_of,
    source_of,
)
from pipeline.adapters.folder_index import FileFacts

_Same = Callable[[FileFacts, FileFacts], bool]
_PARALLEL = cos(radians(10))
"""Scouts stand upright on the slices; what is turned by less was to be one of them."""


def agreeing(files: list[FileFacts], *, stacked: bool) -> Iterator[FileFacts | Quarantined]:
    """Yield every file, in order, as it is or as the reason why it is left out.

    The files of a series must be one patient's, of one study; where a series is one case
    (`stacked`) they must also agree in size, spacing and orientation. Whoever is not of the
    majority is left out: all are where there is none.
    """
    series: dict[str, list[FileFacts]] = defaultdict(list)
    for facts in files:
        series[facts.series or facts.file].append(facts)
    odd: dict[str, str] = {}
    for members in series.values():
        odd |= dict.fromkeys(_minority(members, _same_patient), "patient")
        if stacked:
            odd |= dict.fromkeys(_minority(members, same_geometry), "geometry")
    for facts in files:
        if (what := odd.get(facts.file)) is not None:
            reason = f"{what} disagrees with the series"
            yield Quarantined(facts.source, reason, "correct its header or take it out")
        else:
            yield facts


def same_geometry(one: FileFacts, other: FileFacts) -> bool:
    """Return whether two files could be slices of one stack."""
    return (
        (one.num_rows, one.num_columns) == (other.num_rows, other.num_columns)
        and one.num_samples == other.num_samples
        and same_orientation(one.orientation, other.orientation)
        and same_spacing(one.pixel_spacing, other.pixel_spacing)
    )


def _same_patient(one: FileFacts, other: FileFacts) -> bool:
    return (one.patient, one.study) == (other.patient, other.study)


def _minority(members: list[FileFacts], same: _Same) -> list[str]:
    """Return the files that are not as the most are, all of them where no half is exceeded."""
    groups: list[list[FileFacts]] = []
    for each in members:
        group = next((group for group in groups if same(group[0], each)), None)
        if group is None:
            groups.append([each])
        else:
            group.append(each)
    usual = max(groups, key=len)
    if 2 * len(usual) <= len(members):
        return [each.file for each in members]
    return [each.file for each in members if not same(usual[0], each)]


def complete(kept: list[FileFacts], files: list[FileFacts]) -> Iterator[FileFacts | Quarantined]:
    """Yield the kept files of every series, or why a series is left out.

    A series is, if one of its `files` that was not kept would have been a slice of its stack. What
    costs nothing: another copy, a file without an image, a scout, another image of a slice's place.
    A slice that bears another's UID is one all the same, where it has a place of its own.
    """
    usable = {facts.source for facts in kept}
    left_out: dict[str, list[FileFacts]] = defaultdict(list)
    for facts in files:
        if facts.source not in usable:
            left_out[facts.series].append(facts)
    series: dict[str, list[FileFacts]] = defaultdict(list)
    for facts in kept:
        series[facts.series or facts.file].append(facts)
    for name, members in series.items():
        lost = [each for each in left_out[name] if _is_slice_of(each, members)]
        if lost:
            yield _dropped(members, lost)
        else:
            yield from members


def _dropped(members: list[FileFacts], lost: list[FileFacts]) -> Quarantined:
    advice = (
        f"{len(lost)} of its {len(members) + len(lost)} slices cannot be used: see what is listed "
        "of them, and correct them or take the series out"
    )
    reason = "slices of the series left out"
    source = source_of(members[0].source, len(members))
    return Quarantined(source, reason, advice, len(members))


def _is_slice_of(facts: FileFacts, members: list[FileFacts]) -> bool:
    """Return whether a file that was left out leaves a gap in a stack, as far as can be told."""
    if facts.num_rows == 0 or any(facts.sha256 == each.sha256 for each in members):
        return False
    first = members[0]
    normal = normal_of(first) if len(first.orientation) == 6 else np.zeros(3)
    stack = [places_of(each, normal) for each in members]
    if any(places is None for places in stack):
        is_twin = bool(facts.sop) and any(facts.sop == each.sop for each in members)
        return not facts.positions and facts.num_rows == first.num_rows and not is_twin
    if facts.fault and not facts.orientation:
        return True  # what is wrong with it is its place
    places = places_of(facts, normal)
    if places is None or abs(normal_of(facts) @ normal) < _PARALLEL:
        return False
    taken = np.sort(np.concatenate([each for each in stack if each is not None]))
    step = np.median(np.diff(taken)) if len(taken) > 1 else 0.0
    apart = np.abs(places[:, None] - taken).min(axis=1)
    return bool(apart.max() > max(UNEVEN_SHARE * step, SAME_PLACE_MM))

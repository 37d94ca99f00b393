"""Find the files whose header disagrees with the rest of their series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from pipeline.adapters.case import Quarantined
from pipeline.adapters.dicom.geometry import same_orientation, same_spacing
from pipeline.adapters.file_facts import FileFacts

_Same = Callable[[FileFacts, FileFacts], bool]


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

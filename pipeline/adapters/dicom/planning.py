"""Decide which slices of which files make which case, before any pixel is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.adapters.case import NOT_RECORDED, Quarantined
from pipeline.adapters.dicom.arguments import ReadingArguments
from pipeline.adapters.dicom.header import FileFacts
from pipeline.adapters.dicom.opening import too_large
from pipeline.adapters.dicom.series import Slice, affine_of, ordered_slices
from pipeline.adapters.label_table import KeyKind, Labelled
from pipeline.adapters.refused import Refused


@dataclass(frozen=True)
class Planned:
    """The slices that are read together.

    Without an affine every slice is a case of its own; with one they are a volume, and it maps
    (column, row, slice) to RAS+ coordinates in mm.
    """

    name: str
    slices: tuple[Slice, ...]
    labelled: Labelled
    affine: np.ndarray | None = None

    @property
    def first(self) -> FileFacts:
        """The file that stands for the case."""
        return self.slices[0].facts

    @property
    def patient(self) -> str:
        """The table's patient, else the header's, else what comes nearest to one."""
        first = self.first
        return self.labelled.patient or first.patient or first.study or first.series or first.file

    @property
    def site(self) -> str:
        """The table's site, else the header's."""
        return self.labelled.site if self.labelled.site != NOT_RECORDED else self.first.site

    @property
    def sex(self) -> str:
        """The table's sex, else the header's."""
        return self.labelled.sex if self.labelled.sex != NOT_RECORDED else self.first.sex

    @property
    def age(self) -> float | None:
        """The table's age, else the header's; years."""
        return self.labelled.age if self.labelled.age is not None else self.first.age


@dataclass(frozen=True)
class Planner:
    """Plan a folder's cases.

    Attributes
    ----------
    labels : dict
        What the table says, by hashed key.
    key : str
        What kind of key that is.
    arguments : ReadingArguments
        What is a case.
    volumes : bool
        Whether a series becomes a volume rather than a slice.
    """

    labels: dict[str, Labelled]
    key: KeyKind
    arguments: ReadingArguments
    volumes: bool

    def __call__(self, files: Iterable[FileFacts]) -> Iterator[Planned | Quarantined]:
        """Yield every case of some screened files, or why it is left out."""
        by_series = self.volumes or self.arguments.case == "series"
        cases: dict[str, list[FileFacts]] = defaultdict(list)
        for facts in files:
            cases[(facts.series if by_series else facts.sop) or facts.file].append(facts)
        for name, members in cases.items():
            try:
                yield self._planned(name, members, by_series=by_series)
            except Refused as refused:
                yield Quarantined(_source(members), refused.reason, refused.advice)

    def _planned(self, name: str, members: list[FileFacts], *, by_series: bool) -> Planned:
        labelled = self._label(members)
        slices = ordered_slices(members)
        if not by_series:
            return Planned(name, tuple(slices), labelled)
        if not self.volumes:
            return Planned(name, (self._chosen(slices),), labelled)
        claimed = sum(each.num_pixels for each in members)
        if claimed > self.arguments.max_pixels:
            raise too_large(claimed, "values")
        return Planned(name, tuple(slices), labelled, affine_of(slices))

    def _chosen(self, slices: list[Slice]) -> Slice:
        wanted = self.arguments.slice
        if wanted == "middle":
            return slices[len(slices) // 2]
        if not 0 <= wanted < len(slices):
            advice = f"slice {wanted} is asked for, the series has {len(slices)}"
            raise Refused(reason="slice not in the series", advice=advice)
        return slices[wanted]

    def _label(self, members: list[FileFacts]) -> Labelled:
        """Return the one label of a case's files."""
        keys = {getattr(facts, self.key) for facts in members}
        found = [self.labels[key] for key in sorted(keys) if key in self.labels]
        if not found:
            advice = f"add its {self.key} to the table of labels, or take it out"
            raise Refused(reason="no label", advice=advice)
        if fault := next((each for each in found if each.fault), None):
            raise Refused(reason=fault.fault, advice=fault.advice)
        if len({(each.label, each.split, each.patient) for each in found}) > 1:
            advice = "give all files of the series one label"
            raise Refused(reason="conflicting labels", advice=advice)
        return found[0]


def _source(members: list[FileFacts]) -> str:
    first = members[0].source
    return first if len(members) == 1 else f"{first} (and {len(members) - 1} more of its series)"

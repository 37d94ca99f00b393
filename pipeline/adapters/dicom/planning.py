"""Decide which slices of which files make which case, before any pixel is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from pipeline.adapters.case import Quarantined
from pipeline.adapters.dicom.arguments import ReadingArguments
from pipeline.adapters.dicom.series import (
    Slice,
    affine_of,
    knows_spacing,
    ordered_slices,
    require_stack,
    source_of,
)
from pipeline.adapters.folder_cases import label_of
from pipeline.adapters.folder_index import FileFacts
from pipeline.adapters.label_table import KeyKind, Labelled
from pipeline.adapters.refused import Refused, too_large


@dataclass(frozen=True)
class Planned:
    """The slices that are read together.

    Without an affine every slice is a case of its own; with one they are a volume, and it maps
    (column, row, slice) to RAS+ coordinates, in mm if `knows_spacing`.
    """

    name: str
    slices: tuple[Slice, ...]
    labelled: Labelled
    num_files: int = 1
    affine: np.ndarray | None = None
    knows_spacing: bool = False


@dataclass(frozen=True)
class Planner:
    """Plan a folder's cases."""

    labels: dict[str, Labelled]
    """What the table says, by hashed key."""
    key: KeyKind
    """What kind of key that is."""
    arguments: ReadingArguments
    """What is a case."""
    volumes: bool
    """Whether a series becomes a volume rather than a slice."""

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
                source = source_of(members[0].source, len(members))
                yield Quarantined(source, refused.reason, refused.advice, len(members))

    def _planned(self, name: str, members: list[FileFacts], *, by_series: bool) -> Planned:
        labelled = label_of(members, self.labels, self.key)
        slices = ordered_slices(members)
        if not by_series:
            return Planned(name, tuple(slices), labelled)
        require_stack(slices)
        if not self.volumes:
            return Planned(name, (self._chosen(slices),), labelled, len(members))
        claimed = sum(each.num_pixels for each in members)
        if claimed > self.arguments.max_pixels:
            raise too_large(claimed, "values")
        known = knows_spacing(slices)
        if self.arguments.spacing_mm is not None and not known:
            advice = "it needs two slices, positions and pixel spacing: or leave 'spacing_mm' out"
            raise Refused(reason="spacing unknown", advice=advice)
        placed = affine_of(slices)
        return Planned(
            name, tuple(slices), labelled, len(members), affine=placed, knows_spacing=known
        )

    def _chosen(self, slices: list[Slice]) -> Slice:
        wanted = self.arguments.slice
        if wanted == "middle":
            return slices[len(slices) // 2]
        if not 0 <= wanted < len(slices):
            advice = f"slice {wanted} is asked for, the series has {len(slices)}"
            raise Refused(reason="slice not in the series", advice=advice)
        return slices[wanted]


def named_by_their_studies(plans: list[Planned]) -> list[Planned]:
    """Return cases of which those without a patient have the one whom others of their study name.

    A study is of one patient (DICOM PS3.3 A.1.2.2), who would else be in two splits.
    """
    named: dict[str, set[str]] = defaultdict(set)
    for plan in plans:
        named[plan.slices[0].facts.study].add(_patient_of(plan))
    return [_named(plan, named[plan.slices[0].facts.study] - {""}) for plan in plans]


def _named(plan: Planned, candidates: set[str]) -> Planned:
    if _patient_of(plan) or not plan.slices[0].facts.study or len(candidates) != 1:
        return plan
    return replace(plan, labelled=replace(plan.labelled, patient=min(candidates)))


def _patient_of(plan: Planned) -> str:
    return plan.labelled.patient or plan.slices[0].facts.patient

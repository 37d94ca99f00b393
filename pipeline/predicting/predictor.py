"""From files to decisions: every file read, every study decided, nothing lost."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np

from pipeline.adapters import Case, Quarantined
from pipeline.adapters.identity import Pseudonyms, load_pseudonyms
from pipeline.errors import InputError
from pipeline.metrics.patient_units import whole_patients
from pipeline.predicting.accounting import FileFate, fates_of, gathered
from pipeline.predicting.deciding import Evidence, Image, Rule
from pipeline.predicting.decisions import Decision
from pipeline.predicting.dicom_files import read_dicom
from pipeline.predicting.inputs import InputFile, find_files
from pipeline.predicting.nifti_files import read_nifti
from pipeline.predicting.picture_files import read_pictures
from pipeline.predicting.reading import Reader, Study, masked
from pipeline.preparing.collecting import case_fault
from pipeline.releasing import Released
from pipeline.releasing.exporting import VALUES_AT_ONCE, Runner, run_module
from pipeline.releasing.model import restore_model

READERS: dict[str, Reader] = {
    "dicom": read_dicom,
    "nifti": read_nifti,
    "picture": read_pictures,
}
"""By what a release says of its preprocessing."""


@dataclass(frozen=True)
class Decided:
    """A decision, the images that it rests on, and the files that these were read from."""

    decision: Decision
    images: tuple[Image, ...]
    sources: tuple[Path, ...]


@dataclass(frozen=True)
class Predicted:
    """Decisions in the order of patients and studies, and every file's fate."""

    decided: list[Decided]
    fates: list[FileFate]

    @property
    def decisions(self) -> list[Decision]:
        """The decisions alone."""
        return [each.decision for each in self.decided]


class Predictor:
    """A release with its program loaded.

    Parameters
    ----------
    released : Released
    pseudonyms : Pseudonyms, optional
        What identifiers leave as; those of this place by default, as `prepare` has them.
    without_guarantee : bool
        Answer with the threshold that proves nothing where none was found.
    """

    def __init__(
        self,
        released: Released,
        *,
        pseudonyms: Pseudonyms | None = None,
        without_guarantee: bool = False,
    ) -> None:
        self.released = released
        self.pseudonyms = pseudonyms or load_pseudonyms()
        self.rule = Rule(released.release, released.sha256, without_guarantee)

    @cached_property
    def program(self) -> Runner:
        """The program, put together when it is first needed.

        From weights and numbers, not from the exported file: `torch.export.load` runs what a
        stranger's file says, pickle or not, and hashes alone do not tell a stranger.
        """
        release = self.released.release
        model = restore_model(self.released)
        program = model.program(
            threshold=release.rule.threshold, scope_threshold=release.scope.threshold
        )
        return run_module(program.eval())

    def decide(self, paths: Sequence[Path]) -> list[Decision]:
        """Return a decision on every study among files, folders and zip archives."""
        with tempfile.TemporaryDirectory() as scratch:
            return self.predict(find_files(paths, Path(scratch))).decisions

    def decide_with_sources(self, paths: Sequence[Path]) -> list[tuple[Decision, tuple[Path, ...]]]:
        """Return decisions with the files that each is about, which must lie in no archive."""
        with tempfile.TemporaryDirectory() as scratch:
            decided = self.predict(find_files(paths, Path(scratch))).decided
        return [(each.decision, each.sources) for each in decided]

    def predict(self, files: Sequence[InputFile]) -> Predicted:
        """Return decisions on some files, and what became of each.

        Raises
        ------
        InputError
            If there is nothing to decide upon: no image, or none that the release reads.
        """
        release = self.released.release
        named = masked(list(files), self.pseudonyms)
        reader = READERS[release.preprocessing.reader]
        reading = reader(named, release, self.pseudonyms)
        images: list[Image] = []
        faults: list[Quarantined] = []
        for each in self._seen(reading.cases):
            if isinstance(each, Image):
                images.append(each)
            else:
                faults.append(each)
        fates = list(fates_of(named, reading, faults))
        evidence = gathered(fates, images, reading)
        _require_something_to_decide(evidence, fates, release.preprocessing.reader)
        return Predicted(list(self._decided(evidence, fates)), fates)

    def _seen(self, cases: Iterable[Case | Quarantined]) -> Iterator[Image | Quarantined]:
        """Yield what the program makes of images, in batches; memory holds one of them."""
        release = self.released.release
        size = max(1, VALUES_AT_ONCE // (prod(release.image_size) * release.channels))
        waiting: list[Case] = []
        seen: set[str] = set()
        for each in cases:
            fault = each if isinstance(each, Quarantined) else case_fault(each, seen)
            if fault is not None:
                yield fault
            elif isinstance(each, Case):
                seen.add(each.case)
                waiting.append(each)
            if len(waiting) == size:
                yield from self._images(waiting)
                waiting = []
        if waiting:
            yield from self._images(waiting)

    def _images(self, cases: list[Case]) -> Iterator[Image | Quarantined]:
        stated = self.released.release.preprocessing.dtype
        if (found := cases[0].image.dtype.name) != stated:
            message = f"the release reads images of type {stated}, got {found}"
            raise InputError(message)
        outputs = self.program(np.stack([each.image for each in cases]))
        rows = zip(cases, outputs["probabilities"], outputs["scope_score"], strict=True)
        for case, probabilities, scope_score in rows:
            if np.isfinite(probabilities).all() and np.isfinite(scope_score):
                yield Image(
                    case.source, case.site, case.sex, case.age, probabilities, float(scope_score)
                )
            else:
                yield Quarantined(case.source, "values beyond the program's", "check its pixels")

    def _decided(self, evidence: list[Evidence], fates: list[FileFate]) -> Iterator[Decided]:
        lowest = _lowest_confidence(evidence)
        by_study: dict[Study | None, list[FileFate]] = defaultdict(list)
        for fate in fates:
            by_study[fate.study].append(fate)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for each in evidence:
            decision = self.rule.decide(each, lowest.get(each.patient), now)
            study = (each.patient, each.study)
            yield Decided(decision, tuple(each.images), _sources(by_study[study], each))


def _sources(fates: list[FileFate], evidence: Evidence) -> tuple[Path, ...]:
    """Return the files that a decision is about: without those of another kind, if there are more.

    What is said of those is in the evidence, word by word.
    """
    own = [each for each in fates if each.fate not in evidence.of_another_kind]
    return tuple(each.file.path for each in own or fates)


def _lowest_confidence(evidence: Iterable[Evidence]) -> dict[str, float]:
    """Return each patient's lowest confidence, by the units that the threshold was found on."""
    known = [(image.confidence, each.patient) for each in evidence for image in each.images]
    if not known:
        return {}
    confidence, patients = map(np.array, zip(*known, strict=True))
    units = whole_patients(confidence, np.zeros(len(confidence)), patients)
    return dict(zip(units.patients.tolist(), units.confidence.tolist(), strict=True))


def _require_something_to_decide(
    evidence: list[Evidence], fates: list[FileFate], reader: str
) -> None:
    if not evidence:
        message = f"no image to decide upon: {len(fates)} files, of which none is a {reader} image"
        raise InputError(message)
    if not any(each.images or each.faults for each in evidence):
        message = f"nothing that the release can decide upon: {evidence[0].of_another_kind[0]}"
        raise InputError(message)

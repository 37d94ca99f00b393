"""From a quiet study to its decisions and reports: whatever is wrong with it, it gets one."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Protocol

from pydicom.uid import generate_uid

from pipeline.adapters.identity import Pseudonyms
from pipeline.errors import InputError
from pipeline.node.queue import Quiet, Report
from pipeline.predicting.decisions import REFERRED, Decision, decision_line
from pipeline.predicting.report_headers import patient_named_by, referable, reference_to
from pipeline.predicting.structured_report import structured_report
from pipeline.releasing import Released

LOG = logging.getLogger("pipeline.node")

MOST_ATTEMPTS = 3
"""A study that ended the process so often, as one that fills the memory does, is referred."""

Decided = tuple[Decision, Sequence[Path]]


class Predictor(Protocol):
    """What decides studies: a release that is loaded."""

    def decide_with_sources(self, paths: Sequence[Path]) -> Sequence[Decided]:
        """Return each patient's and study's decision and the files that it speaks of."""


@dataclass(frozen=True)
class Decider:
    """Decides a study, and refers what the predictor cannot.

    Attributes
    ----------
    predictor : Predictor
    released : Released
        The release that it holds.
    pseudonyms : Pseudonyms
    """

    predictor: Predictor
    released: Released
    pseudonyms: Pseudonyms

    def __call__(self, quiet: Quiet, before: Sequence[Report]) -> list[Report]:
        """Return a study's reports; none if they would say what its last ones say.

        Parameters
        ----------
        quiet : Quiet
        before : sequence of Report
            Those of its last decision, whose place these take.
        """
        decided = self._decide(quiet)
        lines = [decision_line(decision) for decision, _ in decided]
        if sorted(map(_undated, lines)) == sorted(_undated(each.decision) for each in before):
            return []
        patients = {decision.patient for decision, _ in decided}
        return [
            self._report(
                decision, line, sources, _replaced(before, others=patients - {decision.patient})
            )
            for (decision, sources), line in zip(decided, lines, strict=True)
        ]

    def _decide(self, quiet: Quiet) -> Sequence[Decided]:
        if quiet.num_missing:
            detail = "Earlier images of it are kept no more: send the whole study again."
            return self._referrals(quiet, "missing image", detail)
        if quiet.attempts >= MOST_ATTEMPTS:
            detail = f"Deciding it was begun {quiet.attempts} times and never ended."
            return self._referrals(quiet, "unreadable", detail)
        try:
            if decided := self.predictor.decide_with_sources(quiet.paths):
                return decided
            detail = "It holds no image that the release reads."
        except InputError as error:
            # In our own words: it is of another kind than the release reads.
            return self._referrals(quiet, "out of scope", f"{error}.")
        except Exception as error:
            # No fault of one study stops the others. Not its message, which may quote a header.
            LOG.error("study %s: could not be decided: %s", quiet.study, type(error).__name__)
            detail = f"It could not be decided: {type(error).__name__}."
        return self._referrals(quiet, "unreadable", detail)

    def _referrals(self, quiet: Quiet, reason: str, detail: str) -> list[Decided]:
        """Return a referral of each patient whom the files of a study name, with these files.

        A study's UID may be two patients': none gets the other's images.
        """
        stated = {path: patient_named_by(path) for path in quiet.paths}
        keys = {path: name and self.pseudonyms("patient", name) for path, name in stated.items()}
        # As the predictor has it: who is named stands for files that name nobody, else the study.
        named = set(keys.values()) - {""}
        nameless = min(named) if len(named) == 1 else quiet.study
        files: dict[str, list[Path]] = {} if quiet.paths else {nameless: []}
        for path, key in keys.items():
            files.setdefault(key or nameless, []).append(path)
        return [
            (self._referral(patient, quiet.study, len(paths), reason, detail), paths)
            for patient, paths in sorted(files.items())
        ]

    def _referral(
        self, patient: str, study: str, num_images: int, reason: str, detail: str
    ) -> Decision:
        return Decision(
            patient=patient,
            study=study,
            outcome=REFERRED,
            reason=reason,
            detail=detail,
            predicted="",
            probabilities={},
            confidence=None,
            threshold=self.released.release.rule.threshold,
            site="",
            num_images=num_images,
            decided_at=datetime.now(UTC).isoformat(timespec="seconds"),
            release=self.released.sha256,
        )

    def _report(
        self, decision: Decision, line: str, paths: Sequence[Path], replaced: Sequence[Report]
    ) -> Report:
        sources = referable(paths)
        if not sources:
            # Damaged or removed by hand, or of a maker's own class: trying again mends nothing.
            LOG.error("study %s: no report: none of its files can be referred to", decision.study)
            return Report(line, generate_uid(), series="", dicom=b"")
        study = str(sources[0].StudyInstanceUID)
        predecessors = [
            reference_to(study, each.series, each.instance) for each in replaced if each.series
        ]
        report = structured_report(decision, self.released, sources, predecessors=predecessors)
        buffer = BytesIO()
        report.save_as(buffer, enforce_file_format=True)
        return Report(line, report.SOPInstanceUID, report.SeriesInstanceUID, buffer.getvalue())


def _replaced(before: Sequence[Report], *, others: Set[str]) -> list[Report]:
    """Return the reports whose place one takes: not those of the study's other patients."""
    return [each for each in before if json.loads(each.decision)["patient"] not in others]


def _undated(line: str) -> str:
    decision = json.loads(line)
    del decision["decided_at"]
    return json.dumps(decision, sort_keys=True)

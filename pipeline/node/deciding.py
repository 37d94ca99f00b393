"""From a quiet study to its decisions and reports: whatever is wrong with it, it gets one."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Protocol

from pydicom import Dataset
from pydicom.uid import generate_uid

from pipeline.adapters.identity import Pseudonyms
from pipeline.errors import InputError
from pipeline.node.queue import Quiet, Report
from pipeline.predicting.decisions import REFERRED, Decision, decision_line
from pipeline.predicting.report_headers import headers_of, referable, reference_to
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
        return [
            self._report(decision, line, sources or quiet.paths, before)
            for (decision, sources), line in zip(decided, lines, strict=True)
        ]

    def _decide(self, quiet: Quiet) -> Sequence[Decided]:
        if quiet.num_missing:
            detail = "Earlier images of it are kept no more: send the whole study again."
            return [(self._referral(quiet, "missing image", detail), quiet.paths)]
        if quiet.attempts >= MOST_ATTEMPTS:
            detail = f"Deciding it was begun {quiet.attempts} times and never ended."
            return [(self._referral(quiet, "unreadable", detail), quiet.paths)]
        try:
            if decided := self.predictor.decide_with_sources(quiet.paths):
                return decided
            detail = "It holds no image that the release reads."
        except InputError as error:
            # In our own words: it is of another kind than the release reads.
            return [(self._referral(quiet, "out of scope", f"{error}."), quiet.paths)]
        except Exception as error:
            # No fault of one study stops the others. Not its message, which may quote a header.
            LOG.error("study %s: could not be decided: %s", quiet.study, type(error).__name__)
            detail = f"It could not be decided: {type(error).__name__}."
        return [(self._referral(quiet, "unreadable", detail), quiet.paths)]

    def _referral(self, quiet: Quiet, reason: str, detail: str) -> Decision:
        header = next(headers_of(quiet.paths), Dataset())
        return Decision(
            patient=self.pseudonyms("patient", str(header.get("PatientID") or "")),
            study=quiet.study,
            outcome=REFERRED,
            reason=reason,
            detail=detail,
            predicted="",
            probabilities={},
            confidence=None,
            threshold=self.released.release.rule.threshold,
            site="",
            num_images=len(quiet.paths),
            decided_at=datetime.now(UTC).isoformat(timespec="seconds"),
            release=self.released.sha256,
        )

    def _report(
        self, decision: Decision, line: str, paths: Sequence[Path], before: Sequence[Report]
    ) -> Report:
        sources = referable(paths)
        if not sources:
            # Damaged or removed by hand, or of a maker's own class: trying again mends nothing.
            LOG.error("study %s: no report: none of its files can be referred to", decision.study)
            return Report(line, generate_uid(), series="", dicom=b"")
        study = str(sources[0].StudyInstanceUID)
        predecessors = [
            reference_to(study, each.series, each.instance) for each in before if each.series
        ]
        report = structured_report(decision, self.released, sources, predecessors=predecessors)
        buffer = BytesIO()
        report.save_as(buffer, enforce_file_format=True)
        return Report(line, report.SOPInstanceUID, report.SeriesInstanceUID, buffer.getvalue())


def _undated(line: str) -> str:
    decision = json.loads(line)
    del decision["decided_at"]
    return json.dumps(decision, sort_keys=True)

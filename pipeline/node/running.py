"""The node's work: decide what is quiet, log it, send it, and remove what was sent."""

from __future__ import annotations

import logging
import sqlite3
import threading
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.node.backoff import BackOff
from pipeline.node.deciding import Decider
from pipeline.node.log import DECISIONS, log_decisions
from pipeline.node.queue import Queue, Report
from pipeline.node.sending import Sender, UnreachableError

LOG = logging.getLogger("pipeline.node")

PACS = "PACS"
SECONDS_BETWEEN_STEPS = 0.5
SECONDS_BETWEEN_REMINDERS = 60.0
"""Of a fault that lasts, as a full disk does."""
MOST_AT_ONCE = 50
"""Studies to decide, and reports to send, before it is the others' turn."""


@dataclass(frozen=True)
class Work:
    """All that a node does but receive.

    Attributes
    ----------
    queue : Queue
    decider : Decider
    sender : Sender
    quiet_seconds : float
        How long nothing may have come for a study that is complete.
    keep_seconds : float
        How long a study's files stay after the PACS accepted its reports, in case it grows.
    waits : BackOff
    """

    queue: Queue
    decider: Decider
    sender: Sender
    quiet_seconds: float
    keep_seconds: float
    waits: BackOff = field(default_factory=BackOff)

    def run(self, stopped: threading.Event) -> None:
        """Work until told to stop; the study that is begun is ended first."""
        told: dict[str, float] = {}
        while not stopped.is_set():
            try:
                if self.step(stopped):
                    continue
            except (OSError, sqlite3.Error) as error:
                # A full disk, most likely: nothing is lost, and it may be mended.
                kind, now = _kind(error), self.waits.clock()
                if now - told.get(kind, float("-inf")) >= SECONDS_BETWEEN_REMINDERS:
                    LOG.error("the queue cannot be written: %s", kind)
                    told[kind] = now
            stopped.wait(SECONDS_BETWEEN_STEPS)

    def step(self, stopped: threading.Event | None = None) -> bool:
        """Do what is due now until told to stop; return whether there was anything to decide."""
        stopped = stopped or threading.Event()
        quiet = [each for each in self.queue.quiet(self.quiet_seconds) if self.waits.is_due(each)]
        for study in quiet[:MOST_AT_ONCE]:
            if not stopped.is_set():
                self._decide(study)
        log_decisions(self.queue, self.decisions)
        if not stopped.is_set():
            self._send()
        if removed := self.queue.remove_sent(self.keep_seconds):
            LOG.info("removed the files of %d studies", removed)
        return bool(quiet)

    def _decide(self, study: str) -> None:
        quiet = self.queue.begin(study)
        try:
            reports = self.decider(quiet, self.queue.last_reports(study))
        except Exception as error:
            # It stays in the queue, and stops no other. Its message may quote a header.
            seconds = self.waits.failed(study)
            LOG.error("study %s: no report: %s; next try in %.0f s", study, _kind(error), seconds)
            return
        self.waits.succeeded(study)
        try:
            was_kept = self.queue.decide(quiet, reports)
        except sqlite3.Error:
            self.queue.forget_attempt(quiet)
            raise
        if was_kept:
            LOG.info("study %s: decided by its %d objects", study, len(quiet.paths))

    @property
    def decisions(self) -> Path:
        """The log that `pipeline monitor` reads."""
        return self.queue.folder / DECISIONS

    def _send(self) -> None:
        if not self.waits.is_due(PACS):
            return
        due = [number for number in self.queue.unsent() if self.waits.is_due(number)]
        if not due:
            return
        due.sort(key=self.waits.num_failures)
        try:
            self.sender(self.queue.reports(due[:MOST_AT_ONCE]), self._answered)
            self.waits.succeeded(PACS)
        except UnreachableError as error:
            seconds = self.waits.failed(PACS)
            LOG.warning("the PACS: %s; next try in %.0f s", error, seconds)

    def _answered(self, report: Report, was_accepted: bool) -> None:  # noqa: FBT001
        if was_accepted:
            self.queue.accepted(report)
            self.waits.succeeded(report.number)
            self.waits.succeeded(PACS)
            LOG.info("study %s: the PACS accepted a report", report.study)
        else:
            self.waits.failed(report.number)


def _kind(error: Exception) -> str:
    return type(error).__name__

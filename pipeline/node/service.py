"""The node as a process: it listens and works until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.silence import silenced
from pipeline.errors import InputError
from pipeline.node.addresses import Address, Tls, is_loopback, require_ae_title
from pipeline.node.connections import end_all
from pipeline.node.deciding import Decider
from pipeline.node.log import begin_log
from pipeline.node.queue import Queue
from pipeline.node.receiving import Receiver, serve
from pipeline.node.running import Work
from pipeline.node.sending import Sender
from pipeline.node.storage import lock_folder, private_folder

LOG = logging.getLogger("pipeline.node")

ENDING_SECONDS = 3.0
"""That a PACS may still take to answer when the node is told to stop."""


@dataclass(frozen=True)
class Settings:
    """What the command line states of a node.

    Attributes
    ----------
    folder : Path
        For the queue, the files and the log.
    host, port, aet
        Where it listens, and its AE title.
    pacs : Address
        Where reports are sent.
    allowed : list of str
        AE titles that may call; anybody on this machine may if there are none.
    quiet_seconds, keep_seconds : float
        See `pipeline.node.running.Work`.
    max_bytes : int
        Of one object.
    tls : Tls, optional
        For both directions.
    """

    folder: Path
    host: str
    port: int
    aet: str
    pacs: Address
    allowed: list[str]
    quiet_seconds: float
    keep_seconds: float
    max_bytes: int
    tls: Tls | None = None

    def __post_init__(self) -> None:
        """Raise `InputError` for an AE title that is none, or a node that is open to a network."""
        for title, option in [(self.aet, "--aet"), *((each, "--allow") for each in self.allowed)]:
            require_ae_title(title, option)
        if not is_loopback(self.host) and not self.allowed:
            message = f"--host {self.host} can be reached from elsewhere: say who may call, --allow"
            raise InputError(message)


def run_node(settings: Settings, decider: Decider, pseudonyms: Pseudonyms) -> None:
    """Receive, decide and send until SIGTERM or SIGINT; nothing is lost by any other end."""
    # All that is written below, whoever writes it, is the owner's alone.
    os.umask(0o077)
    lock_folder(private_folder(settings.folder))
    # What libraries log or warn of quotes headers.
    with silenced("pynetdicom"), silenced("pydicom"), silenced("highdicom"):
        _log_to_stderr()
        threading.excepthook = _log_kind
        queue = Queue(settings.folder)
        tls = settings.tls
        server = serve(
            Receiver(queue, pseudonyms, settings.max_bytes),
            host=settings.host,
            port=settings.port,
            aet=settings.aet,
            allowed=settings.allowed,
            tls=tls.for_listening() if tls else None,
        )
        sender = Sender(settings.pacs, settings.aet, tls.for_sending() if tls else None)
        LOG.info("%s listens at %s, port %d", settings.aet, *server.server_address[:2])
        work = Work(queue, decider, sender, settings.quiet_seconds, settings.keep_seconds)
        if earlier := begin_log(queue, work.decisions, decider.released.sha256):
            LOG.info("the log of another release is %s now", earlier.name)
        stopped = _stopped_by_signals()
        threading.Thread(target=_end_sending, args=(sender, stopped), daemon=True).start()
        try:
            work.run(stopped)
        finally:
            # Associations too: one that says nothing would hold up the end.
            end_all(server)
            queue.close()
        LOG.info("stopped; the queue keeps what is not done")


def _end_sending(sender: Sender, stopped: threading.Event) -> None:
    """Let what is being sent end once the node is to stop, and then wait for the PACS no more."""
    stopped.wait()
    time.sleep(ENDING_SECONDS)
    sender.end()


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    form = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    handler.setFormatter(form)
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def _log_kind(fault: threading.ExceptHookArgs) -> None:
    """Log what ended a thread; its message and traceback may quote a header."""
    LOG.error("a thread ended: %s", fault.exc_type.__name__)


def _stopped_by_signals() -> threading.Event:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped

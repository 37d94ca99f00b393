"""Nodes and PACS as processes of their own."""

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

from pipeline.node.addresses import Address
from tests.node.senders import association
from tests.predicting.examples import make_released

WITHOUT_MODEL = """
import json, sys
from pathlib import Path
from pipeline.node import Decider, Settings, backoff, run_node
from pipeline.node.addresses import Address, Tls
from pipeline.releasing import Release, Released
from tests.node.senders import PSEUDONYMS, Predictor
from tests.predicting.examples import ANSWERED

folder, port, pacs, tls, options, release = map(json.loads, sys.argv[1:])
backoff.FIRST_SECONDS = 0.1
settings = Settings(
    folder=Path(folder), host="127.0.0.1", port=port, aet="NODE",
    pacs=Address("127.0.0.1", pacs, "PACS"), max_bytes=10**7,
    tls=Tls(*map(Path, tls)) if tls else None,
    **{"allowed": [], "quiet_seconds": 0.2, "keep_seconds": 3600} | options,
)
released = Released(Path("release"), Release.model_validate(release), ANSWERED.release)
run_node(settings, Decider(Predictor(), released, PSEUDONYMS), PSEUDONYMS)
"""
"""A node whose predictor needs no model, and so no torch: it starts fast."""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(true, seconds=120):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


class Node:
    """A node's process, which can be started again at the same port and folder."""

    def __init__(self, folder, command, port=None):
        self.folder, self.log, self.command = folder, folder.with_suffix(".log"), command
        self.address = Address("127.0.0.1", port or free_port(), "NODE")

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(self), stderr=log, stdout=log)
        wait_until(lambda: self.process.poll() is not None or is_open(self.address.port))
        assert self.process.poll() is None, self.log.read_text()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(60)

    def num_lines(self):
        """How many lines it has logged, in all its lives."""
        return self.log.read_bytes().count(b"\n")

    def decisions(self):
        path = self.folder / "decisions.jsonl"
        lines = path.read_text().splitlines() if path.is_file() else []
        return [json.loads(line) for line in lines]


def without_model(pacs, *, tls=(), **options):
    """The command of a node without a model."""

    def command(node):
        release = make_released().release.model_dump()
        files = list(map(str, tls))
        stated = (str(node.folder), node.address.port, pacs.port, files, options, release)
        return [sys.executable, "-c", WITHOUT_MODEL, *map(json.dumps, stated)]

    return command


def released(release, pacs, *options):
    """The command of a node with a release."""

    def command(node):
        return [
            sys.executable, "-m", "pipeline", "node", release, "--data", node.folder,
            "--port", str(node.address.port), "--aet", "NODE",
            "--send", f"127.0.0.1:{pacs.port}:{pacs.aet}", *options,
        ]  # fmt: skip

    return command


@contextmanager
def running(folder, command, port=None):
    node = Node(folder, command, port)
    node.start()
    try:
        yield node
    finally:
        node.process.kill()
        node.process.wait()


def send_all(address, images):
    """Send images until each is acknowledged, as a PACS does, whatever becomes of the node."""
    waiting = list(images)
    while waiting:
        with association(address) as found:
            while waiting and found.is_established:
                try:
                    status = found.send_c_store(waiting[0]).get("Status")
                except (RuntimeError, ValueError):
                    break
                if status != 0x0000:
                    break
                waiting.pop(0)
        if waiting:
            time.sleep(0.2)

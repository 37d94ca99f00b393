"""The node as a process: killed, drowned, stopped and called by strangers."""

import gc
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random

import pytest

from pipeline.errors import InputError
from pipeline.node.addresses import Address, Tls, parse_address, tls_of
from pipeline.node.queue import Queue
from pipeline.node.service import Settings
from tests.node.senders import NAMES, Pacs, association, image, study_key

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.usefixtures("unclosed_sockets"),
]

PACS = Address("127.0.0.1", 104, "PACS")

RUN = """
import json, sys
from pathlib import Path
from pipeline.node import Decider, Settings, run_node
from pipeline.node import backoff
from pipeline.node.addresses import Address, Tls
from tests.node.senders import PSEUDONYMS, Predictor
from tests.predicting.examples import make_released

folder, port, pacs, tls, options = map(json.loads, sys.argv[1:])
backoff.FIRST_SECONDS = 0.1
settings = Settings(
    folder=Path(folder), host="127.0.0.1", port=port, aet="NODE",
    pacs=Address("127.0.0.1", pacs, "PACS"), max_bytes=10**7,
    tls=Tls(*map(Path, tls)) if tls else None,
    **{"allowed": [], "quiet_seconds": 0.2, "keep_seconds": 3600} | options,
)
run_node(settings, Decider(Predictor(), make_released(), PSEUDONYMS), PSEUDONYMS)
"""


@pytest.fixture
def unclosed_sockets():
    """Collect the sockets that pynetdicom leaves open when they do not connect."""
    yield
    gc.collect()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Node:
    """A node's process, which can be started again at the same port and folder."""

    def __init__(self, tmp_path, pacs, *, tls=(), **options):
        self.folder, self.log = tmp_path / "node", tmp_path / "log"
        self.address = Address("127.0.0.1", free_port(), "NODE")
        stated = (str(self.folder), self.address.port, pacs.port, list(map(str, tls)), options)
        self.arguments = [json.dumps(each) for each in stated]

    def start(self):
        with self.log.open("ab") as log:
            command = [sys.executable, "-c", RUN, *self.arguments]
            self.process = subprocess.Popen(command, stderr=log, stdout=log)
        while self.process.poll() is None and not self.is_listening():
            time.sleep(0.05)
        assert self.process.poll() is None, self.log.read_text()

    def is_listening(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.address.port)) == 0

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(60)

    def decisions(self):
        path = self.folder / "decisions.jsonl"
        lines = path.read_text().splitlines() if path.is_file() else []
        return [json.loads(line) for line in lines]


@contextmanager
def running(tmp_path, pacs, **options):
    node = Node(tmp_path, pacs, **options)
    node.start()
    try:
        yield node
    finally:
        node.process.kill()
        node.process.wait()


def wait_until(true, seconds=120):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


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


@pytest.mark.slow
def test_a_node_that_is_killed_again_and_again_decides_each_study_once(tmp_path):
    pacs, draw = Pacs(), Random(0)
    names = [str(number) for number in range(40)]
    images = [image(name, number) for name in names for number in range(2)]
    with pacs.listening() as address, running(tmp_path, address) as node:
        with ThreadPoolExecutor() as pool:
            sending = pool.submit(send_all, node.address, images)
            for _ in range(12):
                time.sleep(draw.uniform(0.05, 1.5))
                node.stop(signal.SIGKILL)
                node.start()
            sending.result()
        wait_until(lambda: len(node.decisions()) >= len(names))
        wait_until(lambda: {each["num_images"] for each in latest(node).values()} == {2})
        wait_until(lambda: len(pacs.reports) >= len(node.decisions()))
        assert node.stop() == 0
    decided = [(each["study"], each["num_images"]) for each in node.decisions()]
    # A study may grow while the node is down, and is then decided on each of its sizes, once.
    assert len(decided) == len(set(decided))
    assert {study for study, _ in decided} == {study_key(name) for name in names}
    assert len(pacs.reports) == len(decided)
    queue = Queue(node.folder)
    assert queue.counts() == {"sent": len(names)}
    queue.close()


def latest(node):
    return {each["study"]: each for each in node.decisions()}


@pytest.mark.slow
def test_a_thousand_studies_at_once_are_decided_once_each(tmp_path):
    pacs = Pacs()
    names = [str(number) for number in range(1000)]
    with pacs.listening() as address, running(tmp_path, address) as node:
        with ThreadPoolExecutor(4) as pool:
            parts = [[image(name) for name in names[i::4]] for i in range(4)]
            list(pool.map(lambda part: send_all(node.address, part), parts))
        wait_until(lambda: len(pacs.reports) == 1000, seconds=400)
        assert node.stop() == 0
    assert sorted(each["study"] for each in node.decisions()) == sorted(map(study_key, names))
    assert len(pacs.received) == 1000


@pytest.mark.slow
def test_a_pacs_that_comes_back_gets_every_report(tmp_path):
    pacs = Pacs()
    address = Address("127.0.0.1", free_port(), "PACS")
    with running(tmp_path, address) as node:
        send_all(node.address, [image(str(number)) for number in range(5)])
        wait_until(lambda: len(node.decisions()) == 5)
        node.stop(signal.SIGKILL)
        node.start()
        with pacs.listening(address.port):
            wait_until(lambda: len(pacs.reports) == 5)
            assert node.stop() == 0


@pytest.mark.slow
def test_what_a_node_writes_holds_no_identity(tmp_path):
    pacs = Pacs()
    with pacs.listening() as address, running(tmp_path, address, keep_seconds=0) as node:
        send_all(node.address, [image(), image("two", PatientName="^^^^^^^=a=b=c=d=e")])
        with association(node.address, aet="DOE^JANE") as found:
            found.send_c_store(image("three", StudyInstanceUID=""))
        wait_until(lambda: len(pacs.reports) == 2)
        wait_until(lambda: not list(node.folder.rglob("*.dcm")))
        assert node.stop() == 0
    written = {path: path.read_bytes() for path in [node.log, *node.folder.rglob("*.*")]}
    assert b"study" in written[node.log]
    for path, content in written.items():
        for planted in (*NAMES, "DOE", image().StudyInstanceUID, image().SOPInstanceUID):
            assert planted.encode() not in content, (path.name, planted)


@pytest.fixture
def certificates(tmp_path):
    """A certificate for this machine, its key, and itself as the authority; another's of both."""
    made = []
    for name in ("ours", "strangers"):
        key, certificate = tmp_path / f"{name}.key", tmp_path / f"{name}.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "1", "-subj", f"/CN={name}", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        made.append(Tls(certificate, key, certificate))
    return made


@pytest.mark.slow
def test_with_tls_nobody_gets_in_without_a_certificate_and_reports_are_sent_with_it(
    tmp_path, certificates
):
    pacs, (ours, strangers) = Pacs(), certificates
    files = (ours.certificate, ours.key, ours.authorities)
    with (
        pacs.listening(tls=ours.for_listening()) as address,
        running(tmp_path, address, tls=files) as node,
        socket.create_connection((node.address.host, node.address.port)),
    ):
        # Somebody has connected and says nothing.
        stranger = strangers.for_sending()
        stranger.load_verify_locations(ours.authorities)
        nobody = ssl.create_default_context(cafile=str(ours.authorities))
        for context in (None, stranger, nobody):
            with association(node.address, tls=context) as found:
                assert not found.is_established
        with association(node.address, tls=ours.for_sending()) as found:
            assert found.is_established
            assert found.send_c_store(image()).Status == 0x0000
        wait_until(lambda: len(pacs.reports) == 1)
        assert node.stop() == 0


@pytest.mark.slow
def test_two_nodes_do_not_share_a_folder(tmp_path):
    pacs = Address("127.0.0.1", 1, "PACS")
    with running(tmp_path, pacs) as node:
        second = Node(tmp_path, pacs)
        command = [sys.executable, "-c", RUN, *second.arguments]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert found.returncode != 0
        assert "another node works in this folder" in found.stderr
        assert node.stop() == 0


def settings(tmp_path, **stated):
    defaults = {
        "folder": tmp_path, "host": "127.0.0.1", "port": 0, "aet": "NODE", "pacs": PACS,
        "allowed": [], "quiet_seconds": 1, "keep_seconds": 1, "max_bytes": 1,
    }  # fmt: skip
    return Settings(**defaults | stated)


def test_a_node_that_others_can_reach_says_who_may_call(tmp_path):
    for host in ("0.0.0.0", "::", "192.0.2.1", "pacs.example"):
        with pytest.raises(InputError, match="say who may call, --allow"):
            settings(tmp_path, host=host)
        assert settings(tmp_path, host=host, allowed=["PACS"]).host == host
    assert settings(tmp_path, host="localhost").allowed == []


@pytest.mark.parametrize("title", ["", " ", "A" * 17, "A\\B", "Ä", "A\n"])
def test_refuses_what_is_no_ae_title(tmp_path, title):
    with pytest.raises(InputError, match="--aet: an AE title of 1 to 16 characters expected"):
        settings(tmp_path, aet=title)
    with pytest.raises(InputError, match="--allow: an AE title"):
        settings(tmp_path, allowed=["PACS", title])


@pytest.mark.parametrize(
    "text", ["", "pacs", "pacs:104", "pacs:0:A", "pacs:65536:A", "pacs:x:A", ":104:A", "pacs:104:"]
)
def test_refuses_what_is_no_address(text):
    with pytest.raises(InputError, match="--send: HOST:PORT:AET expected"):
        parse_address(text)


def test_refuses_half_of_what_tls_needs(tmp_path):
    assert tls_of(None, None, None) is None
    with pytest.raises(InputError, match="go together: state all three, or none"):
        tls_of(tmp_path / "cert", tmp_path / "key", None)
    with pytest.raises(InputError, match="no PEM files that go together"):
        tls_of(tmp_path / "a", tmp_path / "b", tmp_path / "c").for_listening()

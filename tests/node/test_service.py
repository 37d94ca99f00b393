"""The node as a process: killed, drowned, stopped and called by strangers."""

import gc
import json
import signal
import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from random import Random

import pytest
from pydicom import dcmread
from pydicom.uid import RLELossless

from pipeline.adapters.identity import KEY_VARIABLE
from pipeline.adapters.silence import silenced
from pipeline.errors import InputError
from pipeline.node.addresses import Address, Tls
from pipeline.node.queue import Queue
from pipeline.node.service import Settings
from pipeline.predicting.predictor import Predictor
from pipeline.releasing import read_release
from tests.node.processes import (
    Node,
    free_port,
    released,
    running,
    send_all,
    wait_until,
    without_model,
)
from tests.node.senders import NAMES, PSEUDONYMS, Pacs, association, image, study_key

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.usefixtures("unclosed_sockets"),
]

PACS = Address("127.0.0.1", 104, "PACS")


@pytest.fixture
def unclosed_sockets():
    """Collect the sockets that pynetdicom leaves open when they do not connect."""
    yield
    gc.collect()


@pytest.mark.slow
def test_a_node_that_is_killed_again_and_again_decides_each_study_once(tmp_path):
    pacs, draw = Pacs(), Random(0)
    names = [str(number) for number in range(40)]
    images = [image(name, number) for name in names for number in range(2)]
    with pacs.listening() as address, running(tmp_path / "node", without_model(address)) as node:
        with ThreadPoolExecutor() as pool:
            sending = pool.submit(send_all, node.address, images)
            for _ in range(20):
                # By what it has done, since a loaded machine may do nothing in a second.
                lines = node.num_lines() + draw.randrange(8)
                wait_until(lambda lines=lines: node.num_lines() > lines or sending.done())
                time.sleep(draw.uniform(0, 0.05))
                node.stop(signal.SIGKILL)
                node.start()
            sending.result()
        wait_until(lambda: len(latest(node)) == len(names))
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
    with pacs.listening() as address, running(tmp_path / "node", without_model(address)) as node:
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
    with running(tmp_path / "node", without_model(address)) as node:
        send_all(node.address, [image(str(number)) for number in range(5)])
        wait_until(lambda: len(node.decisions()) == 5)
        node.stop(signal.SIGKILL)
        node.start()
        with pacs.listening(address.port):
            wait_until(lambda: len(pacs.reports) == 5)
            assert node.stop() == 0


@pytest.mark.slow
def test_a_pacs_that_says_nothing_does_not_hold_up_the_end(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        pacs = Address("127.0.0.1", server.getsockname()[1], "PACS")
        with running(tmp_path / "node", without_model(pacs)) as node:
            send_all(node.address, [image()])
            connection, _ = server.accept()
            began = time.monotonic()
            assert node.stop() == 0
            # It waits 3 seconds of the 30 that a PACS has; the rest is for a loaded machine.
            assert time.monotonic() - began < 15
            connection.close()


@pytest.mark.slow
def test_what_a_node_writes_holds_no_identity(tmp_path):
    pacs = Pacs()
    with (
        pacs.listening() as address,
        running(tmp_path / "node", without_model(address, keep_seconds=0)) as node,
    ):
        # highdicom and pydicom would quote such a name in a warning.
        with silenced("pydicom"):
            odd = image("two", PatientName="Doe^Jane^^^^^^=a=b=c=d")
        send_all(node.address, [image(), odd])
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
        running(tmp_path / "node", without_model(address, tls=files)) as node,
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
def test_the_command_decides_as_predict_does(tmp_path, small_study, small_release, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, PSEUDONYMS.key.decode())
    folders = sorted((small_study / "data/raw/phantom/images").glob("*/*"))[:8]
    predictor = Predictor(read_release(small_release), pseudonyms=PSEUDONYMS)
    expected = [asdict(decision) for each in folders for decision in predictor.decide([each])]
    pacs = Pacs()
    with (
        pacs.listening() as address,
        running(tmp_path / "node", released(small_release, address, "--quiet-seconds=1")) as node,
    ):
        images = [dcmread(path) for each in folders for path in sorted(each.glob("*.dcm"))]
        for each in images:
            if each.file_meta.TransferSyntaxUID == RLELossless:
                each.decompress(generate_instance_uid=False)
        send_all(node.address, images)
        wait_until(lambda: len(pacs.reports) == len(expected))
        assert node.stop() == 0
    assert sorted(map(undated, node.decisions())) == sorted(map(undated, expected))
    assert {each.PatientID for each in pacs.reports.values()} == {each.PatientID for each in images}


def undated(decision):
    return json.dumps(decision | {"decided_at": ""}, sort_keys=True)


@pytest.mark.slow
def test_two_nodes_do_not_share_a_folder(tmp_path):
    pacs = Address("127.0.0.1", 1, "PACS")
    with running(tmp_path / "node", without_model(pacs)) as node:
        second = without_model(pacs)(Node(tmp_path / "node", without_model(pacs)))
        found = subprocess.run(second, capture_output=True, text=True, check=False)
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

"""A sender is told what became of each object, and success means that it is on the disk."""

import shutil
import socket
import sqlite3
from collections import namedtuple
from contextlib import contextmanager
from io import BytesIO

import pytest
from pydicom.uid import (
    Comprehensive3DSRStorage,
    CTImageStorage,
    JPEG2000Lossless,
    MRImageStorage,
    generate_uid,
)
from pynetdicom import AE
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode

from pipeline.adapters.silence import silenced
from pipeline.errors import InputError
from pipeline.node import receiving
from pipeline.node.addresses import Address
from pipeline.node.queue import Queue
from pipeline.node.receiving import Receiver, serve
from pipeline.predicting.structured_report import structured_report
from tests.node.senders import NAMES, PSEUDONYMS, association, image, study_key
from tests.predicting.examples import ANSWERED, headers, make_released

MAX_BYTES = 100_000


@pytest.fixture
def queue(tmp_path):
    queue = Queue(tmp_path / "node")
    yield queue
    queue.close()


@contextmanager
def listening(queue, *, allowed=(), max_bytes=MAX_BYTES):
    server = serve(
        Receiver(queue, PSEUDONYMS, max_bytes),
        host="127.0.0.1", port=0, aet="NODE", allowed=list(allowed),
    )  # fmt: skip
    try:
        # As the running node does: pydicom warns of what is odd in a header.
        with silenced("pydicom"):
            yield Address("127.0.0.1", server.server_address[1], "NODE")
    finally:
        server.shutdown()


@pytest.fixture
def node(queue):
    with listening(queue) as address:
        yield address


def send(node, dataset, **how):
    with association(node, **how) as found:
        assert found.is_established
        return found.send_c_store(dataset).get("Status")


def kept(queue):
    return sorted(queue.folder.glob("studies/*/*.dcm"))


def test_answers_an_echo(node):
    with association(node) as found:
        assert found.send_c_echo().Status == 0x0000


def test_an_object_is_kept_as_it_was_sent(node, queue):
    sent = image()
    assert send(node, sent) == 0x0000
    (path,) = kept(queue)
    assert path.parent.name == study_key()
    assert path.stem == PSEUDONYMS("sop", sent.SOPInstanceUID)
    assert sent.PixelData in path.read_bytes()
    assert queue.quiet(0) == [study_key()]


def test_success_is_answered_only_for_what_the_queue_knows(node, queue, monkeypatch):
    def broken(*_):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(queue, "_note_received", broken)
    assert send(node, image()) == 0x0110
    assert queue.quiet(0) == []


def test_an_object_that_is_too_large_is_refused_and_the_next_is_taken(node, queue):
    large = image(number=1, PixelData=bytes(5 * MAX_BYTES))
    with association(node) as found:
        assert found.send_c_store(large).Status == 0xA700
        assert found.send_c_store(image(number=2)).Status == 0x0000
        assert found.send_c_store(large).Status == 0xA700
    assert len(kept(queue)) == 1


def test_of_an_object_that_is_too_large_no_more_than_the_limit_is_held(node, queue, monkeypatch):
    held = []
    store = Receiver._store

    def watched(self, event):
        held.append(event.request.DataSet.getbuffer().nbytes)
        return store(self, event)

    monkeypatch.setattr(Receiver, "_store", watched)
    assert send(node, image(PixelData=bytes(50 * MAX_BYTES))) == 0xA700
    # One fragment beyond it, of what the node asks senders to keep to.
    assert MAX_BYTES < held[0] <= MAX_BYTES + 2**17


def test_a_disk_that_is_nearly_full_takes_no_more(node, queue, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, receiving.FREE_BYTES))
    assert send(node, image()) == 0xA700
    assert kept(queue) == []


def test_a_disk_that_fails_takes_no_more_and_leaves_no_half(node, queue, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert send(node, image()) == 0xA700
    assert not [
        each for each in queue.folder.rglob("*") if each.is_file() and "sq" not in each.name
    ]


@pytest.mark.parametrize(
    ("elements", "status"),
    [
        ({"StudyInstanceUID": None}, 0xC000),
        ({"StudyInstanceUID": ""}, 0xC000),
        ({"StudyInstanceUID": "../../etc/passwd"}, 0xC000),
        ({"SeriesInstanceUID": None}, 0xC000),
        ({"StudyInstanceUID": "1.2.840.00.1"}, 0x0000),
    ],
)
def test_an_object_without_the_uids_of_its_study_is_not_understood(node, queue, elements, status):
    assert send(node, image(**elements)) == status
    assert len(kept(queue)) == (status == 0x0000)


def raw_store(node, data, *, sop_class=CTImageStorage, instance="1.2.3"):
    """Send bytes that need be no data set; return the status."""
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = sop_class, instance
    request.DataSet = BytesIO(data)
    with association(node) as found:
        found._reactor_checkpoint.clear()
        found.dimse.send_msg(request, found.accepted_contexts[1].context_id)
        _, answer = found.dimse.get_msg(block=True)
        found._reactor_checkpoint.set()
        return answer.Status


@pytest.mark.parametrize(
    "data", [b"no data set", b"\x08\x00\x05\x00CS\xff\xff", bytes(100), b"\xff" * 1000]
)
def test_bytes_that_are_no_data_set_are_not_understood(node, queue, data):
    assert raw_store(node, data) == 0xC000
    assert kept(queue) == []
    assert send(node, image()) == 0x0000


def test_an_object_that_is_another_than_announced_is_refused(node, queue):
    encoded = node_encoding(image())
    assert raw_store(node, encoded, instance=generate_uid()) == 0x0117
    same = image().SOPInstanceUID
    changed = node_encoding(image(SOPClassUID=MRImageStorage))
    assert raw_store(node, changed, instance=same) == 0xA900
    assert kept(queue) == []


def node_encoding(dataset):
    return encode(dataset, is_implicit_vr=False, is_little_endian=True)


def test_an_object_whose_pixels_are_damaged_is_kept_to_be_referred(node, queue):
    assert send(node, image(PixelData=b"\0\0", Rows=512)) == 0x0000
    assert len(kept(queue)) == 1


def test_a_report_is_taken_and_not_kept_so_that_none_leads_to_another(node, queue):
    report = structured_report(ANSWERED, make_released(), headers())
    assert send(node, report, classes=[Comprehensive3DSRStorage]) == 0x0000
    assert kept(queue) == []
    assert queue.counts() == {}


def test_a_compressed_object_is_kept_compressed(node, queue):
    entity = AE("SENDER")
    entity.add_requested_context(CTImageStorage, JPEG2000Lossless)
    found = entity.associate(node.host, node.port, ae_title="NODE")
    assert found.is_established
    assert found.accepted_contexts[0].transfer_syntax == [JPEG2000Lossless]
    found.release()


@pytest.mark.parametrize(("called", "calling"), [("OTHER", "SENDER"), ("NODE", "STRANGER")])
def test_nobody_gets_in_under_another_title(queue, called, calling):
    with listening(queue, allowed=["SENDER"]) as node:
        other = Address(node.host, node.port, called)
        with association(other, aet=calling) as found:
            assert found.is_rejected
        with association(node, aet="SENDER") as found:
            assert found.is_established


def test_no_log_line_holds_identity(node, queue, caplog):
    caplog.set_level("INFO", logger="pipeline.node")
    send(node, image())
    send(node, image(StudyInstanceUID=""))
    send(node, image(number=1, PixelData=bytes(5 * MAX_BYTES)))
    lines = [record for record in caplog.records if record.name == "pipeline.node"]
    assert len(lines) == 3
    for planted in (*NAMES, image().SOPInstanceUID, image().StudyInstanceUID):
        assert not [each for each in lines if planted in each.getMessage()]


def test_refuses_a_port_that_is_taken(queue):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"cannot listen at 127.0.0.1, port {port}"):
            serve(
                Receiver(queue, PSEUDONYMS, 1),
                host="127.0.0.1", port=port, aet="NODE", allowed=[],
            )  # fmt: skip

"""A PACS that says nothing holds up nobody: what is being sent can be cut."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.node.addresses import Address
from pipeline.node.queue import Report
from pipeline.node.sending import Sender, UnreachableError
from pipeline.predicting.structured_report import structured_report
from tests.node.senders import Pacs, encoded
from tests.predicting.examples import ANSWERED, headers, make_released

AT_ONCE = 5
"""Seconds, of the 30 that a PACS may take: this machine may be loaded."""


def report():
    dataset = structured_report(ANSWERED, make_released(), headers())
    return Report("", dataset.SOPInstanceUID, dataset.SeriesInstanceUID, encoded(dataset))


def send(sender, began):
    """Send a report, end it once the PACS has begun with it; return what was told of it."""
    told = []
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(sender, [report()], lambda _, was_accepted: told.append(was_accepted))
        began()
        sender.end()
        with pytest.raises(UnreachableError):
            sending.result(timeout=AT_ONCE)
    return told


def test_a_report_that_the_pacs_does_not_answer_can_be_cut():
    began, ends = threading.Event(), threading.Event()

    class Mute(Pacs):
        def store(self, event):
            began.set()
            ends.wait()
            return super().store(event)

    try:
        with Mute().listening() as address:
            told = send(Sender(address, "NODE"), began.wait)
            ends.set()
    finally:
        ends.set()
    assert told == [False]


def test_a_pacs_that_takes_the_connection_and_says_nothing_can_be_left():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address("127.0.0.1", server.getsockname()[1], "PACS")
        kept = []

        def began():
            connection, _ = server.accept()
            connection.recv(1)
            kept.append(connection)

        assert send(Sender(address, "NODE"), began) == []
        kept[0].close()

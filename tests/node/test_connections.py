"""No peer holds a place or the memory for ever."""

import socket
import time
from contextlib import ExitStack, suppress

import pytest

from pipeline.node import connections
from pipeline.node.addresses import Address
from pipeline.node.connections import end_all
from pipeline.node.queue import Queue
from pipeline.node.receiving import MOST_ASSOCIATIONS, Receiver, serve
from tests.node.processes import wait_until
from tests.node.senders import PSEUDONYMS, association


@pytest.fixture
def server(tmp_path):
    queue = Queue(tmp_path / "node")
    server = serve(
        Receiver(queue, PSEUDONYMS, 1000), host="127.0.0.1", port=0, aet="NODE", allowed=[]
    )
    yield server
    if server.socket.fileno() >= 0:
        end_all(server)
    queue.close()


def echo(server):
    with association(Address(*server.server_address, "NODE")) as found:
        return found.is_established and found.send_c_echo().Status == 0x0000


def test_callers_that_end_no_pdu_are_left_and_others_get_in(server, monkeypatch):
    monkeypatch.setattr(connections, "PDU_SECONDS", 0.1)
    with ExitStack() as opened:
        for begun in (b"\1", b"\1\0\0\0\0\x44", b"\4\0\0\0\0\x0a\0") * 4:
            caller = opened.enter_context(socket.create_connection(server.server_address))
            caller.sendall(begun)
        # Well before the half a minute after which one that says nothing at all is left.
        wait_until(lambda: not server.active_associations, seconds=15)
        assert echo(server)


def test_a_pdu_that_claims_to_be_long_ends_the_association_unread(server):
    with socket.create_connection(server.server_address) as caller:
        caller.sendall(b"\1\0\xff\xff\xff\xff" + bytes(1000))
        caller.settimeout(15)
        with suppress(ConnectionResetError):
            assert caller.recv(1) == b""
    assert echo(server)


def test_ports_may_be_probed_without_keeping_others_out(server):
    for _ in range(MOST_ASSOCIATIONS + 1):
        socket.create_connection(server.server_address).close()
    wait_until(lambda: not server.active_associations, seconds=15)
    assert echo(server)


def opened(server):
    """Return the node's end of the connection that it has."""
    wait_until(lambda: server.active_associations)
    return server.active_associations[0].dul.socket.socket


@pytest.mark.parametrize("sent", [b"", b"\1"])
def test_the_connection_of_a_caller_that_has_gone_is_closed(server, sent):
    with socket.create_connection(server.server_address) as caller:
        caller.sendall(sent)
        connected = opened(server)
    wait_until(lambda: connected.fileno() == -1)


def test_the_end_waits_for_no_caller_in_the_midst_of_a_pdu(server):
    with socket.create_connection(server.server_address) as caller:
        caller.sendall(b"\1")
        connected = opened(server)
        begun = time.monotonic()
        end_all(server)
        # A quarter of what such a caller may take.
        assert time.monotonic() - begun < 15
    assert connected.fileno() == -1

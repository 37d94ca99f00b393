"""What a connection may cost the node: no peer holds a place or the memory for ever.

pynetdicom reads a PDU of any length, waits for its end without limit, and keeps the place of a
caller that has gone for as long as it would have waited for its first word.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from pynetdicom import Association, evt
from pynetdicom.transport import ThreadedAssociationServer

MOST_PDU_BYTES = 2**20
"""The longest association request has fewer; objects come in pieces that the node asks for."""

PDU_SECONDS = 60.0
"""For a whole PDU, from its first bytes on, and for the peer to take an answer."""


@dataclass(frozen=True)
class _Bounded:
    """Reads from a socket what a PDU still lacks, as pynetdicom's ``AssociationSocket.recv``."""

    connected: socket.socket

    def __call__(self, num_bytes: int) -> bytearray:
        """Return so many bytes, fewer if the peer has gone; `OSError` ends the association."""
        if num_bytes > MOST_PDU_BYTES:
            message = "a longer PDU than any peer needs"
            raise OSError(message)
        data, until = bytearray(), monotonic() + PDU_SECONDS
        while len(data) < num_bytes:
            if (seconds := until - monotonic()) <= 0:
                raise TimeoutError
            self.connected.settimeout(seconds)
            piece = self.connected.recv(num_bytes - len(data))
            if not piece:
                break
            data += piece
        self.connected.settimeout(PDU_SECONDS)
        return data


def bound(event: evt.Event) -> None:
    """Bound what is read from a connection that was opened."""
    connection: Any = event.assoc.dul.socket
    connection.socket.settimeout(PDU_SECONDS)
    connection.recv = _Bounded(connection.socket)


def give_up_place(event: evt.Event) -> None:
    """Wait no longer for the first word of a caller that has gone, as one who probes a port."""
    if event.assoc.requestor.primitive is None:
        event.assoc.dul.to_user_queue.put(None)


def end_all(server: ThreadedAssociationServer) -> None:
    """Take no more callers, and end the associations, those too that wait in the midst of a PDU."""
    entity = server.ae
    server.shutdown()
    associations = entity.active_associations
    for association in associations:
        cut(association)
    entity.shutdown()
    for association in associations:
        close(association)


def cut(association: Association) -> None:
    """End a connection, whatever its association waits for."""
    connection = _connected(association)
    with suppress(OSError):
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)


def close(association: Association) -> None:
    """Close the connection of an association that has ended in the midst, as by `cut`.

    Nobody else does, and the garbage collector only some day.
    """
    connection = _connected(association)
    if connection is not None:
        connection.close()


def _connected(association: Association) -> socket.socket | None:
    connection = association.dul.socket
    return None if connection is None else connection.socket

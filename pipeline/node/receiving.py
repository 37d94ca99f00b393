"""Receive studies: C-STORE and C-ECHO, answered with what became of each object."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import ssl
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, cast
from weakref import WeakKeyDictionary

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, Association, evt
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.transport import ThreadedAssociationServer

from pipeline.adapters.dicom.opening import parse
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.refused import Refused
from pipeline.errors import InputError
from pipeline.node.connections import bound, give_up_place
from pipeline.node.queue import Queue

LOG = logging.getLogger("pipeline.node")

VERIFICATION = UID("1.2.840.10008.1.1")
"""The service that answers a C-ECHO."""

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
INVALID_INSTANCE = 0x0117
OUT_OF_RESOURCES = 0xA700
WRONG_CLASS = 0xA900
CANNOT_UNDERSTAND = 0xC000

FREE_BYTES = 2**28
"""Of the disk, left for the queue's own files and for the reports."""

MOST_ASSOCIATIONS = 10

UID_CHARACTERS = re.compile(r"[0-9.]{1,64}")
"""Devices write zeros in front of components, which the standard forbids: that hurts nobody."""

TAGS = ["SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"]


def is_image(sop_class: str) -> bool:
    """Return whether objects of a class are images, which alone are decided on.

    A PACS that sends a study sends its reports with it, those of this node among them: they are
    taken without fault, and not kept, so that no report leads to another.

    >>> is_image("1.2.840.10008.5.1.4.1.1.2"), is_image("1.2.840.10008.5.1.4.1.1.88.34")
    (True, False)
    """
    return "Image Storage" in UID(sop_class).name


@dataclass(frozen=True)
class Receiver:
    """What becomes of an object that is sent.

    Attributes
    ----------
    queue : Queue
    pseudonyms : Pseudonyms
        Which name studies and objects, everywhere but in the files themselves.
    max_bytes : int
        The most that an object may have.
    """

    queue: Queue
    pseudonyms: Pseudonyms
    max_bytes: int

    def __call__(self, event: evt.Event) -> int:
        """Return the status of a C-STORE request (PS3.4, table B.2-1); success means: on disk."""
        try:
            return self._store(event)
        except OSError as error:
            LOG.error("refused an object: %s", error.strerror)
            return OUT_OF_RESOURCES
        except Exception as error:
            # The sender is told, and the node goes on. Not its message, which may quote the object.
            LOG.error("refused an object: %s", type(error).__name__)
            return PROCESSING_FAILURE

    def _store(self, event: evt.Event) -> int:
        request: Any = event.request
        if not is_image(request.AffectedSOPClassUID):
            return SUCCESS
        num_bytes = request.DataSet.getbuffer().nbytes
        free = shutil.disk_usage(self.queue.folder).free
        if num_bytes > self.max_bytes or num_bytes + FREE_BYTES > free:
            LOG.warning("refused an object of %d bytes, %d free", num_bytes, free)
            return OUT_OF_RESOURCES
        data = event.encoded_dataset()
        try:
            header = parse(BytesIO(data), max_pixels=self.max_bytes // 4, tags=TAGS)
            return self._keep(header, request, data)
        except Refused as error:
            LOG.warning("refused an object: %s", error.reason)
            return CANNOT_UNDERSTAND

    def _keep(self, header: Dataset, request: Any, data: bytes) -> int:
        study, instance = (_uid(header, tag) for tag in ("StudyInstanceUID", "SOPInstanceUID"))
        if not study or not _uid(header, "SeriesInstanceUID"):
            LOG.warning("refused an object: no UID of its study or series")
            return CANNOT_UNDERSTAND
        if instance != request.AffectedSOPInstanceUID:
            LOG.warning("refused an object: another SOPInstanceUID than was announced")
            return INVALID_INSTANCE
        if _uid(header, "SOPClassUID") != request.AffectedSOPClassUID:
            LOG.warning("refused an object: another SOPClassUID than was announced")
            return WRONG_CLASS
        key = self.pseudonyms("study", study)
        content = self.pseudonyms.of_content(hashlib.sha256(data).hexdigest())
        if self.queue.receive(key, self.pseudonyms("sop", instance), content, data):
            LOG.info("study %s: received an object", key)
        return SUCCESS


def _uid(header: Dataset, keyword: str) -> str:
    value = header.get(keyword)
    return value if isinstance(value, UID) and UID_CHARACTERS.fullmatch(value) else ""


@dataclass
class _Cut:
    """Throw away what an object has beyond a limit while it comes, so that none fills the memory.

    The object is then longer than `max_bytes` all the same, and so is refused with its status.
    """

    max_bytes: int
    received: WeakKeyDictionary[Association, int] = field(default_factory=WeakKeyDictionary)

    def __call__(self, event: evt.Event) -> None:
        """Shorten the fragments of a message that has had its share."""
        if not isinstance(event.pdu, P_DATA_TF):
            return
        for item in event.pdu.presentation_data_value_items:
            fragment = item.presentation_data_value or b"\0"
            had = self.received.get(event.assoc, 0)
            if had > self.max_bytes:
                item.presentation_data_value = fragment[:1]
            # The second bit marks a message's last fragment (PS3.8, E.2).
            self.received[event.assoc] = 0 if fragment[0] & 2 else had + len(fragment)


def serve(
    receiver: Receiver,
    *,
    host: str,
    port: int,
    aet: str,
    allowed: list[str],
    tls: ssl.SSLContext | None = None,
) -> ThreadedAssociationServer:
    """Start to listen, in threads of its own; the server's `shutdown` ends it.

    Parameters
    ----------
    receiver : Receiver
    host, port
        Where to listen; port 0 takes a free one.
    aet : str
        The node's own AE title; associations that call another are rejected.
    allowed : list of str
        AE titles that may call; anybody may if there are none.
    tls : SSLContext, optional

    Raises
    ------
    InputError
        If the address cannot be listened at.
    """
    entity = AE(ae_title=aet)
    entity.require_called_aet = True
    entity.require_calling_aet = allowed
    entity.maximum_associations = MOST_ASSOCIATIONS
    entity.maximum_pdu_size = 2**17
    entity.add_supported_context(VERIFICATION)
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(cast(UID, context.abstract_syntax), ALL_TRANSFER_SYNTAXES)
    handlers: list[Any] = [
        (evt.EVT_C_STORE, receiver),
        (evt.EVT_CONN_OPEN, bound),
        (evt.EVT_CONN_CLOSE, give_up_place),
        (evt.EVT_PDU_RECV, _Cut(receiver.max_bytes)),
        (evt.EVT_REJECTED, _note_rejected),
    ]
    try:
        server = entity.start_server(
            (host, port), block=False, ssl_context=tls, evt_handlers=handlers
        )
    except OSError as error:
        message = f"cannot listen at {host}, port {port}: {error.strerror}"
        raise InputError(message) from error
    return cast(ThreadedAssociationServer, server)


def _note_rejected(event: evt.Event) -> None:
    LOG.warning("rejected an association from %s", event.assoc.requestor.address)

"""Send reports to the PACS; it has one when it says so, and not before."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from weakref import WeakSet

from pydicom import Dataset, dcmread
from pydicom.uid import Comprehensive3DSRStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, Association, evt
from pynetdicom.status import STATUS_SUCCESS, STATUS_WARNING, code_to_category

from pipeline.node.addresses import Address
from pipeline.node.connections import close, cut
from pipeline.node.queue import Report

LOG = logging.getLogger("pipeline.node")

STORED = (STATUS_SUCCESS, STATUS_WARNING)
"""With any warning an object is stored all the same (PS3.7, annex C)."""

DUPLICATE = 0x0111
"""It has the object: a report's UID follows from what it says, so that it is the same."""

SECONDS = 30.0
"""That the PACS may take to answer; an hour's outage costs this much a try, at most."""

CONNECTION_SECONDS = 5.0
"""That it may take to let the node in: nothing ends this wait, so it also delays the node's end."""


class UnreachableError(Exception):
    """The PACS takes no association, or none for reports; the message is ours alone."""


@dataclass(frozen=True)
class Sender:
    """A C-STORE user.

    Attributes
    ----------
    pacs : Address
    aet : str
        The node's AE title.
    tls : SSLContext, optional
    """

    pacs: Address
    aet: str
    tls: ssl.SSLContext | None = None
    _opened: WeakSet[Association] = field(default_factory=WeakSet, repr=False, compare=False)

    def __call__(self, reports: Sequence[Report], answered: Callable[[Report, bool], None]) -> None:
        """Send reports over one association, telling after each whether the PACS accepted it.

        Raises
        ------
        UnreachableError
            If the association fails; of those that nothing was told of, nothing is known: the PACS
            may have one, and takes it again as the same object.
        """
        association = self._associate()
        try:
            for report in reports:
                try:
                    was_accepted = _store(association, report)
                except UnreachableError:
                    # It may be for this one that the PACS ended it: the others' turn comes first.
                    answered(report, False)
                    raise
                answered(report, was_accepted)
        finally:
            if association.is_established:
                association.release()
            close(association)

    def end(self) -> None:
        """Cut what is being sent, from another thread: it is sent again later."""
        for association in list(self._opened):
            cut(association)

    def _note_opened(self, event: evt.Event) -> None:
        self._opened.add(event.assoc)

    def _associate(self) -> Association:
        entity = AE(ae_title=self.aet)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = SECONDS
        entity.connection_timeout = CONNECTION_SECONDS
        syntaxes = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
        entity.add_requested_context(Comprehensive3DSRStorage, syntaxes)
        tls = (self.tls, self.pacs.host) if self.tls else None
        association = entity.associate(
            self.pacs.host, self.pacs.port, ae_title=self.pacs.aet, tls_args=tls,
            evt_handlers=[(evt.EVT_CONN_OPEN, self._note_opened)],
        )  # fmt: skip
        if association.is_established:
            return association
        close(association)
        if association.is_rejected:
            message = "it rejected the association: does it know this node's AE title?"
        else:
            message = "no connection, or it takes no Comprehensive 3D SR"
        raise UnreachableError(message)


def _store(association: Association, report: Report) -> bool:
    if not association.is_established:
        message = "the association ended"
        raise UnreachableError(message)
    try:
        status: Dataset = association.send_c_store(dcmread(BytesIO(report.dicom)))
    except RuntimeError as error:
        # It ended between that look and this.
        message = "the association ended"
        raise UnreachableError(message) from error
    except ValueError:
        # It keeps no other waiting. Not the message, which may quote a header.
        LOG.error("study %s: a report could not be encoded", report.study)
        return False
    if "Status" not in status:
        message = "it did not answer"
        raise UnreachableError(message)
    if status.Status == DUPLICATE or code_to_category(status.Status) in STORED:
        return True
    LOG.warning("study %s: the PACS refused a report: 0x%04X", report.study, status.Status)
    return False

"""Studies to send to a node, a PACS that keeps or refuses reports, and a predictor of no model."""

import hashlib
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO

import numpy as np
from pydicom import dcmread
from pydicom.uid import (
    Comprehensive3DSRStorage,
    CTImageStorage,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification

from pipeline.adapters.identity import Pseudonyms
from pipeline.node.addresses import Address
from pipeline.node.backoff import BackOff
from pipeline.node.deciding import Decider
from pipeline.node.running import Work
from pipeline.node.sending import Sender, UnreachableError
from tests.dicom_files import image_dataset, uid
from tests.predicting.examples import ANSWERED, make_released

PSEUDONYMS = Pseudonyms(b"a key for tests alone")
IMAGES = (CTImageStorage, SecondaryCaptureImageStorage)
NAMES = ("Doe^Jane", "P-0042", "19700630", "ACC42")
"""Planted in every header: none may be in a log."""


def image(study="one", number=0, **elements):
    """A data set of one image of a study; elements given win."""
    stated = {
        "StudyInstanceUID": uid("study", study), "SeriesInstanceUID": uid("series", study),
        "PatientName": NAMES[0], "PatientID": NAMES[1], "PatientBirthDate": NAMES[2],
        "AccessionNumber": NAMES[3],
    }  # fmt: skip
    pixels = np.full((4, 4), number, dtype=np.uint16)
    return image_dataset(pixels, name=f"{study}/{number}", **(stated | elements))


def study_key(study="one"):
    return PSEUDONYMS("study", uid("study", study))


class Predictor:
    """Answers every study with the number of its images; `fails` may raise something instead."""

    def __init__(self, fails=None):
        self.fails = fails
        self.calls = []

    def decide_with_sources(self, paths):
        self.calls.append([path.name for path in paths])
        if self.fails:
            raise self.fails
        header = dcmread(paths[0])
        study = PSEUDONYMS("study", header.StudyInstanceUID)
        decision = replace(ANSWERED, study=study, num_images=len(paths))
        return [(decision, paths)]


class Pacs:
    """Keeps reports by their UIDs; `status` answers, and says what a refusal is."""

    def __init__(self):
        self.status = 0x0000
        self.received = []
        self.reports = {}

    def store(self, event):
        report = event.dataset
        report.file_meta = event.file_meta
        self.received.append(report.SOPInstanceUID)
        if self.status in (0x0000, 0xB000):
            self.reports[report.SOPInstanceUID] = report
        return self.status

    @contextmanager
    def listening(self, port=0, tls=None):
        """The PACS at a port of this machine, as an address."""
        entity = AE("PACS")
        entity.add_supported_context(Comprehensive3DSRStorage)
        entity.add_supported_context(Verification)
        server = entity.start_server(
            ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, self.store)],
            ssl_context=tls,
        )  # fmt: skip
        try:
            yield Address("127.0.0.1", server.server_address[1], "PACS")
        finally:
            server.shutdown()


class Clock:
    """Seconds that pass when a test says so."""

    now = 1e9

    def __call__(self):
        return self.now


def make_work(queue, pacs=None, predictor=None, *, keep_seconds=3600, waits=None):
    """All that a node does but receive, with a predictor and a PACS of tests."""
    sender = Sender(pacs, "NODE") if pacs else nobody
    decider = Decider(predictor or Predictor(), make_released(), PSEUDONYMS)
    return Work(queue, decider, sender, 10, keep_seconds, waits or BackOff())


def nobody(reports, answered):
    """A PACS that is not there."""
    message = "no connection"
    raise UnreachableError(message)


def encoded(dataset):
    """A data set as the bytes of a file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def receive(queue, dataset):
    """Put a data set into a queue as if it had been sent."""
    data = encoded(dataset)
    return queue.receive(
        PSEUDONYMS("study", dataset.StudyInstanceUID),
        PSEUDONYMS("sop", dataset.SOPInstanceUID),
        PSEUDONYMS.of_content(hashlib.sha256(data).hexdigest()),
        data,
    )


@contextmanager
def association(
    address, *, aet="SENDER", classes=(CTImageStorage, SecondaryCaptureImageStorage), tls=None
):
    """An association with a node, established or not."""
    entity = AE(aet)
    entity.acse_timeout = 5
    for sop_class in (Verification, *classes):
        entity.add_requested_context(sop_class, ExplicitVRLittleEndian)
    found = entity.associate(
        address.host, address.port, ae_title=address.aet,
        tls_args=(tls, address.host) if tls else None,
    )  # fmt: skip
    try:
        yield found
    finally:
        if found.is_established:
            found.release()

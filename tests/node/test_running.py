"""Each study ends answered or referred exactly once, whatever fails and whenever it is killed."""

import errno
import gc
import json
import os
import sqlite3
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from pydicom import dcmread
from pydicom.uid import Comprehensive3DSRStorage
from pynetdicom import Association

import pipeline.node.log
from pipeline.errors import InputError
from pipeline.node.backoff import BackOff
from pipeline.node.log import DECISIONS
from pipeline.node.queue import Queue, Report
from pipeline.node.running import Work
from pipeline.node.sending import UnreachableError
from pipeline.predicting.structured_report import structured_report
from tests.node.senders import (
    PSEUDONYMS,
    Clock,
    Pacs,
    Predictor,
    encoded,
    image,
    make_work,
    receive,
    study_key,
)

RETIRED = "1.2.840.10008.5.1.4.1.1.6"
"""Ultrasound Image Storage, as devices wrote it before 1998."""


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queue(tmp_path, clock):
    queue = Queue(tmp_path / "node", clock)
    yield queue
    queue.close()


@pytest.fixture
def pacs():
    return Pacs()


def logged(queue):
    path = queue.folder / DECISIONS
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def step(work, clock):
    clock.now += 10
    work.step()


def test_a_quiet_study_is_decided_logged_and_its_report_sent(queue, clock, pacs):
    for number in range(2):
        receive(queue, image(number=number))
    with pacs.listening() as address:
        step(make_work(queue, address), clock)
    (report,) = pacs.reports.values()
    assert report.SOPClassUID == Comprehensive3DSRStorage
    assert report.PatientName == "Doe^Jane"
    assert [each["num_images"] for each in logged(queue)] == [2]
    assert logged(queue)[0]["study"] == study_key()
    assert queue.counts() == {"sent": 1}


def test_a_study_is_decided_once_however_often_it_is_sent(queue, clock, pacs):
    with pacs.listening() as address:
        work = make_work(queue, address)
        for _ in range(3):
            receive(queue, image())
            step(work, clock)
    assert len(logged(queue)) == len(pacs.received) == 1


def test_a_study_that_grows_gets_a_second_report_that_names_the_first(queue, clock, pacs):
    with pacs.listening() as address:
        work = make_work(queue, address)
        for number in range(2):
            receive(queue, image(number=number))
            step(work, clock)
    first, second = pacs.reports.values()
    assert "PredecessorDocumentsSequence" not in first
    (study,) = second.PredecessorDocumentsSequence
    (series,) = study.ReferencedSeriesSequence
    assert study.StudyInstanceUID == first.StudyInstanceUID
    assert series.SeriesInstanceUID == first.SeriesInstanceUID == second.SeriesInstanceUID
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert (first.InstanceNumber, second.InstanceNumber) == (1, 2)
    assert [each["num_images"] for each in logged(queue)] == [1, 2]


def test_a_study_that_grows_after_its_images_are_gone_is_referred(queue, clock, pacs):
    with pacs.listening() as address:
        work = make_work(queue, address, keep_seconds=0)
        for number in range(2):
            receive(queue, image(number=number))
            step(work, clock)
        for number in range(2):
            receive(queue, image(number=number))
        step(work, clock)
    found = [(each["outcome"], each["reason"]) for each in logged(queue)]
    assert found == [("answered", ""), ("referred", "missing image"), ("answered", "")]
    assert logged(queue)[-1]["num_images"] == 2
    assert len(pacs.reports) == 3


def test_the_same_decision_of_a_changed_image_is_not_reported_again(queue, clock, pacs):
    """A PACS may send an object in another transfer syntax: other bytes, the same image."""
    with pacs.listening() as address:
        work = make_work(queue, address)
        receive(queue, image())
        step(work, clock)
        assert receive(queue, image(ImageComments="compressed and unfolded"))
        step(work, clock)
    assert len(logged(queue)) == len(pacs.received) == 1
    assert queue.counts() == {"sent": 1}


# pynetdicom leaves a socket that did not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_reports_wait_for_a_pacs_that_is_down(queue, clock, pacs):
    receive(queue, image())
    with pacs.listening() as address:
        down = address
    work = make_work(queue, down, waits=BackOff(clock))
    for _ in range(6):
        clock.now += 600
        work.step()
    assert queue.counts() == {"decided": 1}
    assert not pacs.received
    gc.collect()
    with pacs.listening(down.port):
        clock.now += 600
        work.step()
    assert len(pacs.received) == 1
    assert queue.counts() == {"sent": 1}


def test_an_hour_s_outage_costs_few_tries(queue, clock):
    receive(queue, image())
    tries = []

    def sender(reports, answered):
        tries.append(clock.now)
        raise UnreachableError("no connection")

    decider = make_work(queue).decider
    work = Work(queue, decider, sender, 10, 3600, BackOff(clock))
    for _ in range(3600):
        clock.now += 1
        work.step()
    assert len(tries) <= 15
    assert max(b - a for a, b in zip(tries, tries[1:], strict=False)) <= 602


@pytest.mark.parametrize("status", [0x0001, 0x0107, 0x0111, 0x0116, 0xB000, 0xB006, 0xB123])
def test_a_report_that_the_pacs_has_is_not_sent_again(queue, clock, pacs, status):
    """With a warning it was stored; as a duplicate it had been, before a kill."""
    receive(queue, image())
    pacs.status = status
    with pacs.listening() as address:
        step(make_work(queue, address, waits=BackOff(clock)), clock)
    assert queue.counts() == {"sent": 1}


def test_a_report_on_which_the_pacs_aborts_keeps_no_other_from_it(queue, clock, pacs):
    for number in range(3):
        receive(queue, image(str(number)))
    hated = []
    store = pacs.store

    def abort(event):
        hated.append(event.request.AffectedSOPInstanceUID)
        if hated[-1] != hated[0]:
            return store(event)
        event.assoc.abort()
        return 0x0000

    pacs.store = abort
    with pacs.listening() as address:
        work = make_work(queue, address, waits=BackOff(clock))
        for _ in range(2):
            step(work, clock)
    assert queue.counts() == {"decided": 1, "sent": 2}
    assert work.waits.num_failures("PACS") == 1


@pytest.mark.parametrize("refusal", [0xA700, 0xC000, 0x0122])
def test_a_report_that_the_pacs_refuses_is_sent_again_later(queue, clock, pacs, refusal):
    receive(queue, image())
    with pacs.listening() as address:
        pacs.status = refusal
        work = make_work(queue, address, waits=BackOff(clock))
        step(work, clock)
        work.step()
        assert queue.counts() == {"decided": 1}
        assert len(pacs.received) == 1
        pacs.status = 0xB000
        step(work, clock)
    assert len(pacs.reports) == 1
    assert queue.counts() == {"sent": 1}


def test_one_refused_report_keeps_no_other_from_the_pacs(queue, clock, pacs):
    for name in ("one", "two"):
        receive(queue, image(name))
    refused = []

    def sender(reports, answered):
        for each in reports:
            refused.append(each.instance)
            answered(each, each.instance != refused[0])

    work = Work(queue, make_work(queue).decider, sender, 10, 3600, BackOff(clock))
    step(work, clock)
    assert queue.counts() == {"decided": 1, "sent": 1}


@pytest.mark.parametrize("fault", [RuntimeError("Doe^Jane"), MemoryError(), KeyError("P-0042")])
def test_a_study_that_the_predictor_fails_on_is_referred(queue, clock, pacs, fault, caplog):
    for name in ("one", "two"):
        receive(queue, image(name))
    with pacs.listening() as address:
        step(make_work(queue, address, Predictor(fails=fault)), clock)
    assert [each["reason"] for each in logged(queue)] == ["unreadable", "unreadable"]
    assert len(pacs.reports) == 2
    assert type(fault).__name__ in logged(queue)[0]["detail"]
    assert "Doe" not in caplog.text + str(logged(queue))


class ByPatient(Predictor):
    """Answers each patient of a study with the files that name them."""

    def decide_with_sources(self, paths):
        ((decision, _),) = super().decide_with_sources(paths)
        files = {}
        for path in paths:
            files.setdefault(dcmread(path).PatientID, []).append(path)
        return [
            (replace(decision, patient=PSEUDONYMS("patient", name), num_images=len(own)), own)
            for name, own in files.items()
        ]


def receive_two_patients(queue):
    """One study whose UID two patients share, with three images."""
    for number, name in enumerate(["jane", "jane", "john"]):
        receive(queue, image(number=number, PatientID=name))


def by_patient(queue, pacs):
    """The last decisions, and the images that the last reports refer to, by patient."""
    decisions = {each["patient"]: each for each in logged(queue)}
    images = {}
    for report in pacs.reports.values():
        (study,) = report.CurrentRequestedProcedureEvidenceSequence
        images[report.PatientID] = sorted(
            instance.ReferencedSOPInstanceUID
            for series in study.ReferencedSeriesSequence
            for instance in series.ReferencedSOPSequence
        )
    return decisions, images


@pytest.mark.parametrize(
    "fault", [RuntimeError(), InputError("of another kind"), KeyboardInterrupt()]
)
def test_of_a_study_that_two_patients_share_none_is_referred_with_the_other_s_images(
    queue, clock, pacs, fault
):
    receive_two_patients(queue)
    with pacs.listening() as address:
        work = make_work(queue, address, ByPatient(fails=fault))
        for _ in range(4):
            with suppress(KeyboardInterrupt):
                step(work, clock)
    decisions, images = by_patient(queue, pacs)
    assert {each["outcome"] for each in logged(queue)} == {"referred"}
    jane, john = (PSEUDONYMS("patient", name) for name in ("jane", "john"))
    assert (decisions[jane]["num_images"], decisions[john]["num_images"]) == (2, 1)
    own = [image(number=number).SOPInstanceUID for number in range(3)]
    assert images == {"jane": sorted(own[:2]), "john": own[2:]}


def test_a_report_takes_the_place_of_its_own_patient_s_alone(queue, clock, pacs):
    with pacs.listening() as address:
        work = make_work(queue, address, ByPatient())
        receive_two_patients(queue)
        step(work, clock)
        first = {each.PatientID: each for each in pacs.reports.values()}
        receive(queue, image(number=3, PatientID="jane"))
        step(work, clock)
    later = [each for each in pacs.reports.values() if each not in first.values()]
    for report in later:
        (study,) = report.PredecessorDocumentsSequence
        (series,) = study.ReferencedSeriesSequence
        (instance,) = series.ReferencedSOPSequence
        assert instance.ReferencedSOPInstanceUID == first[report.PatientID].SOPInstanceUID


def test_nameless_patients_whose_studies_cannot_be_decided_are_not_one(queue, clock):
    for name in ("one", "two"):
        receive(queue, image(name, PatientID=""))
    step(make_work(queue, predictor=Predictor(fails=RuntimeError())), clock)
    assert {each["patient"] for each in logged(queue)} == {study_key("one"), study_key("two")}


def test_a_study_of_another_kind_than_the_release_reads_is_referred(queue, clock):
    receive(queue, image())
    other = Predictor(fails=InputError("nothing that the release can decide upon: CT, not MR"))
    step(make_work(queue, predictor=other), clock)
    (decision,) = logged(queue)
    assert (decision["outcome"], decision["reason"]) == ("referred", "out of scope")
    assert decision["detail"] == "nothing that the release can decide upon: CT, not MR."


def test_a_study_of_which_nothing_is_decided_is_referred(queue, clock):
    class Silent:
        def decide_with_sources(self, paths):
            return []

    receive(queue, image())
    step(make_work(queue, predictor=Silent()), clock)
    assert [each["outcome"] for each in logged(queue)] == ["referred"]


def test_a_study_that_ends_the_process_three_times_is_referred(queue, clock):
    receive(queue, image())
    fatal = Predictor(fails=KeyboardInterrupt())
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            step(make_work(queue, predictor=fatal), clock)
    step(make_work(queue, predictor=fatal), clock)
    assert len(fatal.calls) == 3
    (decision,) = logged(queue)
    assert decision["detail"] == "Deciding it was begun 3 times and never ended."


@pytest.mark.parametrize(
    ("fault", "num_sent"), [(RuntimeError("ended"), 0), (ValueError("Doe^Jane"), 1)]
)
def test_what_the_dicom_library_raises_of_one_report_does_not_end_the_node(
    queue, clock, pacs, monkeypatch, caplog, fault, num_sent
):
    send = Association.send_c_store

    def failing(association, dataset, *arguments, **options):
        if len(pacs.received) == 0 and not failed:
            failed.append(dataset)
            raise fault
        return send(association, dataset, *arguments, **options)

    failed = []
    monkeypatch.setattr(Association, "send_c_store", failing)
    for study in ("one", "two"):
        receive(queue, image(study))
    with pacs.listening() as address:
        step(make_work(queue, address), clock)
    assert len(failed) == 1
    assert len(pacs.reports) == num_sent
    assert len(queue.unsent()) == 2 - num_sent
    assert "Doe" not in caplog.text


def test_a_study_whose_report_fails_stays_and_stops_no_other(queue, clock, monkeypatch):
    def failing(decision, *arguments, **options):
        if decision.study == study_key("one"):
            raise MemoryError
        return structured_report(decision, *arguments, **options)

    monkeypatch.setattr("pipeline.node.deciding.structured_report", failing)
    for name in ("one", "two"):
        receive(queue, image(name))
    work = make_work(queue, waits=BackOff(clock))
    step(work, clock)
    assert queue.counts() == {"decided": 1, "receiving": 1}
    assert [each["study"] for each in logged(queue)] == [study_key("two")]
    work.step()
    assert queue.begin(study_key("one")).attempts == 1


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(b"a disk that forgot"), "unreadable"),
        (lambda path: path.unlink(), "missing image"),
        (lambda path: path.write_bytes(encoded(image(SOPClassUID="1.2.3.4"))), ""),
        (lambda path: path.write_bytes(encoded(image(SOPClassUID=RETIRED))), ""),
    ],
)
def test_a_study_that_no_report_can_refer_to_is_decided_once_and_has_none(
    queue, clock, pacs, caplog, spoil, reason
):
    receive(queue, image())
    (path,) = queue.folder.rglob("*.dcm")
    spoil(path)
    with pacs.listening() as address:
        work = make_work(queue, address)
        step(work, clock)
        step(work, clock)
        assert [each["reason"] for each in logged(queue)] == [reason]
        assert queue.counts() == {"sent": 1}
        assert caplog.text.count("no report") == 1
    assert not pacs.reports


def test_a_study_whose_files_were_removed_is_decided_when_it_is_sent_again(queue, clock, pacs):
    receive(queue, image())
    (path,) = queue.folder.rglob("*.dcm")
    path.unlink()
    with pacs.listening() as address:
        work = make_work(queue, address)
        step(work, clock)
        receive(queue, image())
        step(work, clock)
    assert [each["outcome"] for each in logged(queue)] == ["referred", "answered"]
    (report,) = pacs.reports.values()
    assert "PredecessorDocumentsSequence" not in report


def test_a_full_disk_loses_nothing(queue, clock, monkeypatch):
    receive(queue, image())
    work = make_work(queue)

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    stopped = threading.Event()
    with monkeypatch.context() as patched:
        patched.setattr(pipeline.node.log, "append_durably", full)
        patched.setattr(stopped, "wait", lambda seconds: stopped.set())
        clock.now += 10
        work.run(stopped)
    assert logged(queue) == []
    work.step()
    assert len(logged(queue)) == 1


def test_a_disk_that_stays_full_is_told_once_a_minute(queue, clock, monkeypatch, caplog):
    work = make_work(queue, waits=BackOff(clock))
    faults = iter([OSError()] * 130 + [sqlite3.OperationalError()] * 5)
    stopped = threading.Event()

    def failing(*_):
        if (fault := next(faults, None)) is None:
            stopped.set()
            return []
        raise fault

    def wait(seconds):
        clock.now += seconds

    monkeypatch.setattr(queue, "quiet", failing)
    monkeypatch.setattr(stopped, "wait", wait)
    work.run(stopped)
    told = [each.getMessage().rsplit(" ", 1)[1] for each in caplog.records]
    # 130 steps of half a second.
    assert told == ["OSError", "OSError", "OperationalError"]


def test_of_many_studies_no_other_is_begun_once_the_node_is_to_stop(queue, clock):
    stopped = threading.Event()

    class Stopping(Predictor):
        def decide_with_sources(self, paths):
            stopped.set()
            return super().decide_with_sources(paths)

    for name in ("one", "two", "three"):
        receive(queue, image(name))
    clock.now += 10
    make_work(queue, predictor=Stopping()).run(stopped)
    assert queue.counts() == {"decided": 1, "receiving": 2}
    assert len(logged(queue)) == 1


def test_a_study_is_not_referred_for_a_disk_that_was_full_for_long(queue, clock, monkeypatch):
    receive(queue, image())
    work = make_work(queue)

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(queue, "decide", full)
        for _ in range(5):
            with pytest.raises(sqlite3.OperationalError):
                step(work, clock)
    step(work, clock)
    assert [each["outcome"] for each in logged(queue)] == ["answered"]


def test_the_log_holds_no_identity(queue, clock, pacs, caplog):
    caplog.set_level("INFO", logger="pipeline.node")
    receive(queue, image())
    with pacs.listening() as address:
        step(make_work(queue, address), clock)
    text = caplog.text + (queue.folder / DECISIONS).read_text()
    assert study_key() in text
    for planted in ("Doe", "P-0042", "19700630", "ACC42", image().StudyInstanceUID):
        assert planted not in text


class Killed(BaseException):
    """The process ends here: nothing of ours may catch it."""


class Killer:
    """Kills at one of the moments that it is called at."""

    def __init__(self, moment):
        self.moment = moment
        self.num_moments = 0

    def __call__(self):
        self.num_moments += 1
        if self.num_moments == self.moment:
            raise Killed


class KilledDatabase:
    """A database whose process may end before and after every statement."""

    def __init__(self, database, killer):
        self.database, self.killer = database, killer

    def _around(self, method, *arguments):
        self.killer()
        result = method(*arguments)
        self.killer()
        return result

    def execute(self, *arguments):
        # After a kill nobody rolls back: closing the connection does.
        if arguments[0] == "ROLLBACK":
            return None
        return self._around(self.database.execute, *arguments)

    def executemany(self, *arguments):
        return self._around(self.database.executemany, *arguments)

    def close(self):
        self.database.close()


class Life:
    """A node and what is around it, which stays when it is killed and started again."""

    def __init__(self, folder, killer):
        self.folder, self.killer, self.clock = folder, killer, Clock()
        self.acknowledged, self.stored = set(), {}
        self.queue = None

    def start(self):
        self.queue = Queue(self.folder / "node", self.clock)
        # A killed process's writes reach the disk all the same: only a power cut needs the wait.
        self.queue._database.execute("PRAGMA synchronous = OFF")
        self.queue._database = KilledDatabase(self.queue._database, self.killer)
        self.work = Work(self.queue, self.decide, self.send, 10, 3600, BackOff(self.clock))

    def decide(self, quiet, before):
        self.killer()
        instance = f"{quiet.study}.{len(quiet.paths)}"
        decision = {"study": quiet.study, "num_images": len(quiet.paths), "at": self.clock.now}
        replaced = ",".join(each.instance for each in before)
        dicom = f"{instance}<{replaced}".encode()
        return [Report(json.dumps(decision) + "\n", instance, "1", dicom)]

    def send(self, reports, answered):
        for report in reports:
            self.killer()
            self.stored.setdefault(report.instance, report.dicom)
            self.killer()
            answered(report, True)

    def live(self):
        """Two studies; one grows. Whatever is not acknowledged is sent again."""
        for images in ([("a", "1"), ("a", "2"), ("b", "1")], [("a", "3")]):
            for study, name in images:
                if (study, name) not in self.acknowledged:
                    self.queue.receive(study, name, "x", b"pixels")
                    self.acknowledged.add((study, name))
            self.settle()
        self.clock.now += 3600
        self.work.step()

    def settle(self):
        self.clock.now += 10
        self.work.step()
        self.work.step()


def live_with_a_kill(folder, moment, monkeypatch):
    """Live once, killed at some moment and started again; return the life and the moments."""
    killer = Killer(moment)

    def half_and_half(path, content):
        for part in (content[: len(content) // 2], content[len(content) // 2 :]):
            with path.open("ab") as file:
                file.write(part)
            killer()

    def synced(descriptor):
        killer()

    monkeypatch.setattr(pipeline.node.log, "append_durably", half_and_half)
    monkeypatch.setattr(os, "fsync", synced)
    life = Life(folder, killer)
    while True:
        try:
            life.start()
            life.live()
            return life, killer.num_moments
        except Killed:
            if life.queue is not None:
                life.queue.close()


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 11])
def test_a_kill_at_any_moment_loses_and_doubles_nothing(tmp_path, monkeypatch, every):
    """Before and after every statement, every write and every report that is sent."""
    _, num_moments = live_with_a_kill(tmp_path / "whole", 0, monkeypatch)
    assert num_moments > 100
    for moment in range(1, num_moments + 1, every):
        folder = tmp_path / str(moment)
        life, _ = live_with_a_kill(folder, moment, monkeypatch)
        assert life.stored == {"a.2": b"a.2<", "b.1": b"b.1<", "a.3": b"a.3<a.2"}, moment
        found = sorted((each["study"], each["num_images"]) for each in logged(life.queue))
        assert found == [("a", 2), ("a", 3), ("b", 1)], moment
        assert life.queue.counts() == {"sent": 2}, moment
        assert not list(folder.rglob("*.dcm")), moment
        life.queue.close()

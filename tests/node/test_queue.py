"""The queue keeps what was acknowledged, and counts a change once."""

import os
import shutil
import sqlite3
import stat

import pytest

from pipeline.errors import InputError
from pipeline.node.queue import Queue, Report
from pipeline.node.storage import lock_folder
from tests.node.senders import Clock

REPORT = Report("{}", "1.2.3", "1.2", b"a report")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queue(tmp_path, clock):
    queue = Queue(tmp_path / "node", clock)
    yield queue
    queue.close()


def quiet_study(queue, clock, study="a"):
    clock.now += 10
    assert queue.quiet(10) == [study]
    return queue.begin(study)


def decide_and_send(queue, clock, report=REPORT):
    assert queue.decide(quiet_study(queue, clock), [report])
    queue.accepted(queue.reports(queue.unsent())[0])


def test_a_study_is_quiet_once_nothing_came_for_so_long(queue, clock):
    queue.receive("a", "1", "x", b"1")
    clock.now += 9
    assert queue.quiet(10) == []
    queue.receive("a", "2", "x", b"2")
    clock.now += 9
    assert queue.quiet(10) == []
    assert len(quiet_study(queue, clock).paths) == 2


def test_a_clock_that_was_set_back_delays_a_study_by_its_quiet_time_alone(queue, clock):
    queue.receive("a", "1", "x", b"1")
    clock.now -= 3600
    assert queue.quiet(10) == []
    clock.now += 10
    assert queue.quiet(10) == ["a"]


def test_a_study_goes_from_receiving_to_decided_to_sent(queue, clock):
    queue.receive("a", "1", "x", b"1")
    assert queue.counts() == {"receiving": 1}
    assert queue.decide(quiet_study(queue, clock), [REPORT])
    assert queue.counts() == {"decided": 1}
    assert queue.quiet(10) == []
    queue.accepted(queue.reports(queue.unsent())[0])
    assert queue.counts() == {"sent": 1}
    assert queue.unsent() == []


def test_the_same_object_again_changes_nothing(queue, clock):
    assert queue.receive("a", "1", "x", b"1")
    decide_and_send(queue, clock)
    assert not queue.receive("a", "1", "x", b"1")
    clock.now += 100
    assert queue.quiet(10) == []
    assert queue.counts() == {"sent": 1}


@pytest.mark.parametrize("new", [("2", "x"), ("1", "another content")])
def test_a_new_object_has_the_study_decided_again(queue, clock, new):
    queue.receive("a", "1", "x", b"1")
    decide_and_send(queue, clock)
    assert queue.receive("a", *new, b"2")
    assert quiet_study(queue, clock).version == 2
    assert [each.instance for each in queue.last_reports("a")] == ["1.2.3"]


def test_a_decision_on_what_has_changed_since_does_not_count(queue, clock):
    queue.receive("a", "1", "x", b"1")
    study = quiet_study(queue, clock)
    queue.receive("a", "2", "x", b"2")
    assert not queue.decide(study, [REPORT])
    assert queue.unsent() == []
    assert queue.counts() == {"receiving": 1}


def test_a_decision_counts_once(queue, clock):
    queue.receive("a", "1", "x", b"1")
    study = quiet_study(queue, clock)
    assert queue.decide(study, [REPORT])
    assert not queue.decide(study, [REPORT])
    assert len(queue.unsent()) == 1


def test_files_are_removed_so_long_after_the_report_was_accepted(queue, clock):
    queue.receive("a", "1", "x", b"1")
    study = quiet_study(queue, clock)
    queue.decide(study, [REPORT])
    clock.now += 1e6
    assert queue.remove_sent(3600) == 0
    queue.accepted(queue.reports(queue.unsent())[0])
    clock.now += 3599
    assert queue.remove_sent(3600) == 0
    clock.now += 1
    assert queue.remove_sent(3600) == 1
    assert not study.paths[0].parent.exists()
    assert queue.last_reports("a")[0].dicom == b""
    assert queue.remove_sent(3600) == 0


def test_a_clock_that_was_set_back_delays_removal_by_the_time_that_files_stay_alone(queue, clock):
    queue.receive("a", "1", "x", b"1")
    decide_and_send(queue, clock)
    clock.now -= 1e8
    assert queue.remove_sent(3600) == 0
    clock.now += 3600
    assert queue.remove_sent(3600) == 1


def test_files_that_the_disk_does_not_let_go_are_removed_later(queue, clock, monkeypatch):
    queue.receive("a", "1", "x", b"1")
    decide_and_send(queue, clock)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
        queue.remove_sent(0)
    queue.remove_sent(0)
    assert not list(queue.folder.rglob("*.dcm"))


def test_what_was_removed_is_nowhere_in_the_database(queue, clock):
    queue.receive("a", "1", "x", b"1")
    decide_and_send(queue, clock, Report("{}", "1.2.3", "1.2", b"Doe^Jane" * 1000))
    assert queue.remove_sent(0) == 1
    queue.close()
    for path in queue.folder.glob("queue.sqlite*"):
        assert b"Doe^Jane" not in path.read_bytes()


def test_a_study_that_grows_after_its_files_are_gone_says_how_many_miss(queue, clock):
    for name in "12":
        queue.receive("a", name, "x", b"1")
    decide_and_send(queue, clock)
    queue.remove_sent(0)
    queue.receive("a", "3", "x", b"3")
    study = quiet_study(queue, clock)
    assert (len(study.paths), study.num_missing) == (1, 2)


def test_a_study_sent_again_whole_is_whole_again(queue, clock):
    """In whatever order: the old images come first, and change nothing by themselves."""
    queue.receive("a", "1", "x", b"1")
    decide_and_send(queue, clock)
    queue.remove_sent(0)
    assert not queue.receive("a", "1", "x", b"1")
    assert queue.receive("a", "2", "x", b"2")
    study = quiet_study(queue, clock)
    assert (len(study.paths), study.num_missing) == (2, 0)


def test_images_that_were_missed_have_the_study_decided_again_when_they_come(queue, clock):
    queue.receive("a", "1", "x", b"1")
    decide_and_send(queue, clock)
    queue.remove_sent(0)
    queue.receive("a", "2", "x", b"2")
    decide_and_send(queue, clock, Report("{}", "4.5.6", "1.2", b"a referral"))
    assert queue.receive("a", "1", "x", b"1")
    study = quiet_study(queue, clock)
    assert (len(study.paths), study.num_missing) == (2, 0)


def test_files_that_came_back_are_removed_again(queue, clock):
    queue.receive("a", "1", "x", b"1")
    decide_and_send(queue, clock)
    queue.remove_sent(0)
    queue.receive("a", "1", "x", b"1")
    assert list((queue.folder / "studies").glob("*/*"))
    assert queue.remove_sent(0) == 1
    assert not list((queue.folder / "studies").glob("*/*"))


def test_how_often_deciding_was_begun_survives(queue, clock, tmp_path):
    queue.receive("a", "1", "x", b"1")
    assert [quiet_study(queue, clock).attempts for _ in range(2)] == [0, 1]
    queue.close()
    assert Queue(tmp_path / "node", clock).begin("a").attempts == 2


def test_a_file_that_nobody_was_told_of_is_cleared_away(queue, clock, tmp_path):
    queue.receive("a", "1", "x", b"1")
    (tmp_path / "node/studies/a/2.dcm").write_bytes(b"renamed, and then killed")
    (tmp_path / "node/incoming/half").write_bytes(b"killed while it was written")
    queue.close()
    again = Queue(tmp_path / "node", clock)
    left = [path.name for path in (tmp_path / "node").rglob("*.dcm")]
    assert left == ["1.dcm"]
    assert not list((tmp_path / "node/incoming").iterdir())
    again.close()


def test_all_is_its_owner_s_alone(queue, tmp_path):
    umask = os.umask(0)
    try:
        queue.receive("a", "1", "x", b"1")
    finally:
        os.umask(umask)
    for path in [tmp_path / "node", *(tmp_path / "node").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_refuses_a_folder_that_another_node_works_in(tmp_path):
    lock = lock_folder(tmp_path)
    with pytest.raises(InputError, match="another node works in this folder"):
        lock_folder(tmp_path)
    os.close(lock)
    os.close(lock_folder(tmp_path))


def test_refuses_a_file_for_its_folder(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "node"):
        with pytest.raises(InputError, match="a folder expected, got a file"):
            Queue(folder)


def test_refuses_what_is_no_queue(tmp_path):
    (tmp_path / "queue.sqlite").write_bytes(b"something else" * 100)
    with pytest.raises(InputError, match="the node's queue expected, got no sound database"):
        Queue(tmp_path)


def test_refuses_a_queue_that_is_damaged(tmp_path, clock):
    queue = Queue(tmp_path / "node", clock)
    queue.receive("a", "1", "x", b"1")
    queue.close()
    path = tmp_path / "node" / "queue.sqlite"
    with path.open("r+b") as file:
        # The pages after the first two, which say what tables there are.
        file.seek(2 * 4096)
        file.write(b"\xa5" * (path.stat().st_size - 2 * 4096))
    with pytest.raises(InputError, match="the node's queue expected, got no sound database"):
        Queue(tmp_path / "node", clock)


def test_refuses_a_queue_of_another_format(tmp_path):
    Queue(tmp_path).close()
    database = sqlite3.connect(tmp_path / "queue.sqlite")
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(InputError, match="a queue of format 1 expected, got 9"):
        Queue(tmp_path)

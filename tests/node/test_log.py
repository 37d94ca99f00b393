"""The log holds every decision once, wherever a kill left it."""

import pytest

from pipeline.node.log import begin_log, log_decisions
from pipeline.node.queue import Queue, Report

LINES = [f'{{"number": {number}}}\n'.encode() for number in range(2)]


@pytest.fixture
def queue(tmp_path):
    queue = Queue(tmp_path / "node")
    yield queue
    queue.close()


def decide(queue, number):
    queue.receive(str(number), "1", "x", b"pixels")
    report = Report(LINES[number].decode(), str(number), "1", b"a report")
    assert queue.decide(queue.begin(str(number)), [report])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"".join(LINES)),
        (LINES[0][:5], b"".join(LINES)),
        (LINES[0], b"".join(LINES)),
        (b"".join(LINES), b"".join(LINES)),
        (b"another\n", b"another\n" + b"".join(LINES)),
        (b"another\nhalf", b"another\n" + b"".join(LINES)),
        (bytes(20), b"".join(LINES)),
    ],
    ids=[
        "nothing",
        "half a line",
        "a line",
        "all",
        "somebody else's line",
        "half of somebody else's",
        "a power cut's zeros",
    ],
)
def test_the_log_goes_on_from_where_a_kill_left_it(queue, tmp_path, before, after):
    for number in range(2):
        decide(queue, number)
    path = tmp_path / "log"
    path.write_bytes(before)
    assert log_decisions(queue, path) == 2
    assert path.read_bytes() == after
    assert log_decisions(queue, path) == 0


def test_a_log_that_was_moved_away_begins_anew(queue, tmp_path):
    path = tmp_path / "log"
    for number in range(2):
        decide(queue, number)
        path.unlink(missing_ok=True)
        assert log_decisions(queue, path) == 1
    assert path.read_bytes() == LINES[1]


@pytest.mark.parametrize("num_kept", [0, 5, len(LINES[0]), len(LINES[0]) + 5, 2 * len(LINES[0])])
def test_a_log_that_was_moved_away_is_whole_though_killed_when_it_began_anew(
    queue, tmp_path, num_kept
):
    path = tmp_path / "log"
    queue.receive("0", "1", "x", b"pixels")
    # As long as those to come, so that the log may reach where it was confirmed.
    assert queue.decide(queue.begin("0"), [Report('{"number": 9}\n', "9", "1", b"a report")])
    assert log_decisions(queue, path) == 1
    for number in range(2):
        queue.receive(f"{number + 1}", "1", "x", b"pixels")
        report = Report(LINES[number].decode(), str(number), "1", b"a report")
        assert queue.decide(queue.begin(f"{number + 1}"), [report])
    path.write_bytes(b"".join(LINES)[:num_kept])
    assert log_decisions(queue, path) == 2
    assert path.read_bytes() == b"".join(LINES)


def test_another_release_begins_a_log_and_leaves_the_earlier_one_whole(queue, tmp_path):
    path = tmp_path / "decisions.jsonl"
    put_away = []
    for number, release in enumerate(("aa", "bb", "aa", "bb", "bb")):
        queue.receive(str(number), "1", "x", b"pixels")
        line = f'{{"number": {number}, "release": "{release}"}}\n'
        put_away.append(begin_log(queue, path, release))
        # As if it had been killed before it could log: the next start does.
        assert queue.decide(queue.begin(str(number)), [Report(line, str(number), "1", b"a")])
    assert begin_log(queue, path, "bb") is None
    names = [each and each.name for each in put_away]
    assert names == [None, "decisions-aa.jsonl", "decisions-bb.jsonl", "decisions-aa-2.jsonl", None]
    logs = sorted(tmp_path.glob("decisions*"))
    assert [each.read_text().count("release") for each in logs] == [1, 1, 1, 2]
    assert all(len({line[-5:] for line in each.read_text().splitlines()}) == 1 for each in logs)

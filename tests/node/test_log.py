"""The log holds every decision once, wherever a kill left it."""

import pytest

from pipeline.node.log import log_decisions
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
    ],
    ids=["nothing", "half a line", "a line", "all", "somebody else's line"],
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

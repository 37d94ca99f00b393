"""Failures are tried again: soon, then seldom, never not."""

from itertools import pairwise

from pipeline.node.backoff import FIRST_SECONDS, LONGEST_SECONDS, BackOff
from tests.node.senders import Clock


def test_waits_double_up_to_the_longest():
    waits = BackOff(Clock())
    found = [waits.failed("pacs") for _ in range(100)]
    assert found[0] == FIRST_SECONDS
    assert all(b == min(2 * a, LONGEST_SECONDS) for a, b in pairwise(found))


def test_what_failed_is_due_again_after_its_wait_and_then_at_once():
    clock = Clock()
    waits = BackOff(clock)
    seconds = waits.failed("pacs")
    clock.now += seconds - 1
    assert not waits.is_due("pacs")
    clock.now += 1
    assert waits.is_due("pacs")
    waits.succeeded("pacs")
    assert waits.failed("pacs") == FIRST_SECONDS

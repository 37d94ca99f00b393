import threading

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.metrics import prepare_cases
from pipeline.metrics import side_by_side as module
from pipeline.metrics.bootstrap import resample_scores
from pipeline.metrics.side_by_side import side_by_side


@pytest.mark.parametrize("threads", [1, 3])
def test_results_stand_in_the_order_of_the_blocks(threads):
    assert side_by_side(lambda block: block**2, range(20), threads=threads) == [
        number**2 for number in range(20)
    ]


def test_no_more_blocks_are_drawn_ahead_than_there_are_threads():
    ahead, done, lock = [], [0], threading.Lock()

    def blocks():
        for number in range(30):
            ahead.append(number + 1 - done[0])
            yield number

    def compute(block):
        with lock:
            done[0] += 1
        return block

    side_by_side(compute, blocks(), threads=2)
    # A block for each thread, and the one being drawn.
    assert max(ahead) <= 3


def test_a_refusal_in_a_thread_is_the_callers():
    def refuse(block):
        message = f"block {block}"
        raise InputError(message)

    with pytest.raises(InputError, match="block 0"):
        side_by_side(refuse, range(3), threads=2)


def test_intervals_have_the_same_bits_on_any_number_of_threads(monkeypatch):
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(30_000, 2))
    log_probabilities = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    cases = prepare_cases(log_probabilities, generator.integers(2, size=len(logits)))
    found = []
    for threads in (1, 4):
        monkeypatch.setattr(module, "MOST_THREADS", threads)
        monkeypatch.setattr(module, "available_cores", lambda: 4)
        # More than one block: 2**20 weights are held at once.
        found.append(resample_scores([cases], np.arange(30_000), seed=0, num_resamples=80))
    for name, values in found[0].items():
        np.testing.assert_array_equal(values, found[1][name])

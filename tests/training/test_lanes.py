import gc
import weakref
from contextlib import contextmanager
from unittest.mock import MagicMock

import pytest
import torch

from pipeline.errors import InputError
from pipeline.training import lanes
from pipeline.training.lanes import CapturedLane, EagerLane, open_lane, say_once
from tests.training.examples import cpu_fabric


class OnCuda:
    """What `open_lane` asks of Fabric, where there is a device."""

    device = torch.device("cuda", 0)
    world_size = 1

    def __init__(self, precision="32-true", world_size=1):
        self.world_size = world_size
        self.precision = precision

    @property
    def strategy(self):
        # Fabric's own path: fabric.strategy.precision.precision.
        class Strategy:
            precision = self

        return Strategy


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch):
    say_once.cache_clear()
    monkeypatch.delenv(lanes.CAPTURE_VARIABLE, raising=False)
    monkeypatch.setattr(lanes, "CapturedLane", lambda device: f"captured on {device}")


def test_the_cpu_is_eager_and_says_nothing(capsys):
    assert isinstance(open_lane(cpu_fabric()), EagerLane)
    assert capsys.readouterr().err == ""


def test_cuda_captures():
    assert open_lane(OnCuda()) == "captured on cuda:0"


@pytest.mark.parametrize(
    ("fabric", "reason"),
    [
        (OnCuda(world_size=2), "several processes share each batch"),
        (OnCuda(precision="16-mixed"), "float16 waits for the device to scale its loss"),
    ],
)
def test_where_capture_is_impossible_it_says_so_once(fabric, reason, capsys):
    for _ in range(3):
        assert isinstance(open_lane(fabric), EagerLane)
    assert capsys.readouterr().err == f"note: steps run without capture: {reason}\n"


def test_capture_can_be_turned_off(monkeypatch, capsys):
    monkeypatch.setenv("PIPELINE_CAPTURE", "never")
    assert isinstance(open_lane(OnCuda()), EagerLane)
    assert capsys.readouterr().err == ""


@pytest.fixture
def calls(monkeypatch):
    """What is asked of a device that is not there, in order."""
    asked = []

    @contextmanager
    def graph(_graph, *, pool, stream):
        asked.append("capture")
        yield
        asked.append("captured")

    cuda = MagicMock(graph=graph, default_generators=(MagicMock(),))
    cuda.set_sync_debug_mode = lambda mode: asked.append(f"waiting: {mode}")
    cuda.get_sync_debug_mode.return_value = "allowed"
    cuda.CUDAGraph.return_value.replay = lambda: asked.append("replay")
    monkeypatch.setattr(lanes.torch, "cuda", cuda)
    return asked


def record(work):
    lane = CapturedLane(torch.device("cuda", 0))
    with lane.open():
        return lane.record(work)


def test_work_is_tried_thrice_at_last_without_waiting_then_captured_once_and_replayed(calls):
    replay = record(lambda: calls.append("work"))
    tried = ["work", "work", "waiting: error", "work", "waiting: allowed"]
    assert calls == [*tried, "capture", "work", "captured"]
    replay()
    assert calls[-1] == "replay"


@pytest.mark.usefixtures("calls")
def test_the_replay_keeps_alive_what_the_work_reads():
    def make():
        weights = torch.zeros(1)
        return record(lambda: weights.add_(1)), weakref.ref(weights)

    replay, weights = make()
    gc.collect()
    assert weights() is not None
    del replay
    gc.collect()
    assert weights() is None


@pytest.mark.usefixtures("calls")
def test_work_that_waits_for_the_device_is_left_as_it_is_and_said_so_once(capsys):
    def wait():
        message = "called a synchronizing CUDA operation"
        raise RuntimeError(message)

    assert [record(wait), record(wait)] == [wait, wait]
    said = "note: a step runs without capture: called a synchronizing CUDA operation\n"
    assert capsys.readouterr().err == said


@pytest.mark.usefixtures("calls")
def test_work_that_finds_no_memory_is_an_error():
    def fill():
        message = "CUDA out of memory"
        raise torch.OutOfMemoryError(message)

    with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
        record(fill)


def test_a_capture_that_finds_no_memory_and_therefore_cannot_end_is_an_error(calls, monkeypatch):
    class Graph:
        def __enter__(self):
            calls.append("capture")

        def __exit__(self, *_):
            message = "operation failed due to a previous error during capture"
            raise RuntimeError(message)

    def work():
        if "capture" in calls:
            message = "CUDA out of memory"
            raise torch.OutOfMemoryError(message)

    monkeypatch.setattr(lanes.torch.cuda, "graph", lambda _graph, *, pool, stream: Graph())
    # Only so does whoever starts several seeds learn that there is no room for this one.
    with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
        record(work)


def test_refuses_an_unknown_wish(monkeypatch):
    monkeypatch.setenv("PIPELINE_CAPTURE", "always")
    with pytest.raises(InputError, match="PIPELINE_CAPTURE must be one of auto, never, got 'alw"):
        open_lane(cpu_fabric())

import pytest
import torch

from pipeline.errors import InputError
from pipeline.training import lanes
from pipeline.training.lanes import EagerLane, open_lane, say_once
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


def test_refuses_an_unknown_wish(monkeypatch):
    monkeypatch.setenv("PIPELINE_CAPTURE", "always")
    with pytest.raises(InputError, match="PIPELINE_CAPTURE must be one of auto, never, got 'alw"):
        open_lane(cpu_fabric())

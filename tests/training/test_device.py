import pytest
import torch

from pipeline.errors import InputError
from pipeline.training.device import repeatable, seed_torch, start_fabric
from tests.training.examples import make_recipe

CPU = torch.device("cpu")


def test_the_environment_names_the_device(monkeypatch):
    monkeypatch.setenv("PIPELINE_DEVICE", "cpu")
    fabric = start_fabric(make_recipe())
    assert fabric.device.type == "cpu"
    assert fabric.world_size == 1


@pytest.mark.parametrize(("stated", "asked"), [(None, [1]), ("3", [])])
def test_one_thread_computes_unless_the_environment_says_otherwise(monkeypatch, stated, asked):
    found = []
    monkeypatch.setattr(torch, "set_num_threads", found.append)
    monkeypatch.setenv("PIPELINE_DEVICE", "cpu")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if stated:
        monkeypatch.setenv("OMP_NUM_THREADS", stated)
    start_fabric(make_recipe())
    assert found == asked


@pytest.mark.parametrize(
    ("precision", "expected"), [("float32", "32-true"), ("bfloat16", "bf16-mixed")]
)
def test_the_recipe_names_the_precision(monkeypatch, precision, expected):
    monkeypatch.setenv("PIPELINE_DEVICE", "cpu")
    fabric = start_fabric(make_recipe(precision=precision))
    assert fabric.strategy.precision.precision == expected


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PIPELINE_DEVICE", "gpu", "must be one of auto, cpu, cuda, got 'gpu'"),
        ("PIPELINE_DEVICES", "0", "a number of at least 1, got '0'"),
        ("PIPELINE_DEVICES", "two", "a number of at least 1, got 'two'"),
    ],
)
def test_refuses_what_names_no_device(monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"{name} must be.* got"):
        start_fabric(make_recipe())
    with pytest.raises(InputError, match=message):
        start_fabric(make_recipe())


def test_refuses_cuda_where_there_is_none(monkeypatch):
    monkeypatch.setenv("PIPELINE_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="torch finds no CUDA device"):
        start_fabric(make_recipe())


def test_refuses_float16_on_a_cpu_instead_of_training_in_another_precision(monkeypatch):
    monkeypatch.setenv("PIPELINE_DEVICE", "cpu")
    with pytest.raises(InputError, match="precision float16 needs CUDA: use float32 or bfloat16"):
        start_fabric(make_recipe(precision="float16"))


def test_the_callers_random_state_and_settings_come_back():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)

    def fail_inside():
        with repeatable(CPU):
            assert torch.are_deterministic_algorithms_enabled()
            seed_torch(5)
            raise KeyError

    with pytest.raises(KeyError):
        fail_inside()
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory
    assert torch.equal(torch.rand(3), expected)


def test_seeds_are_told_apart_by_every_number():
    def first(*entropy):
        seed_torch(*entropy)
        return float(torch.rand(()))

    with repeatable(CPU):
        drawn = [first(0), first(0, 1), first(0, 2), first(1, 0), first(1, 1), first(0, 1, 1)]
        assert len(set(drawn)) == len(drawn)
        assert first(0, 1) == drawn[1]

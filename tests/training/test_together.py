import pytest
import torch

from pipeline.errors import InputError
from pipeline.training import Job, train, train_together
from pipeline.training.trainer import Trainer
from tests.training.examples import (
    cpu_fabric,
    make_data,
    make_method,
    same_bits,
    through_a_file,
)
from tests.training.tape import TapeLane

SEEDS = (0, 1, 2)


def together(jobs, data=None):
    fabric = cpu_fabric(jobs[0].method.recipe)
    return train_together(jobs, data or make_data(), fabric=fabric)


def alone(job):
    fabric = cpu_fabric(job.method.recipe)
    return train(job.method, make_data(), seed=job.seed, fabric=fabric)


@pytest.fixture
def device(monkeypatch):
    """A device of 100 bytes on which a seed takes 20, and how many seeds were ever on it at once.

    A trainer that is let go gives its memory back.
    """
    held, most = set(), [0]

    class Counted(Trainer):
        def __init__(self, *arguments, **keywords):
            super().__init__(*arguments, **keywords)
            held.add(id(self))
            most[0] = max(most[0], len(held))

        def __del__(self):
            held.discard(id(self))

    for module in ("loop", "together"):
        monkeypatch.setattr(f"pipeline.training.{module}.open_lane", lambda _: TapeLane())
    monkeypatch.setattr("pipeline.training.together.Trainer", Counted)
    monkeypatch.setattr("pipeline.training.together.free_bytes", lambda _: 100 - 20 * len(held))
    return most


@pytest.mark.usefixtures("device")
def test_seeds_side_by_side_have_the_bits_they_have_alone():
    # The network drops out: seeds that shared random numbers would differ from those alone.
    method = make_method(epochs=3, last_batch="keep", batch_size=11)
    for job, fitted in together([Job(method, seed) for seed in SEEDS]):
        same_bits(fitted, alone(job))


def test_without_capture_seeds_follow_each_other_with_the_bits_they_have_alone():
    jobs = [Job(make_method(), seed) for seed in SEEDS]
    found = list(together(jobs))
    assert [job.seed for job, _ in found] == [0, 1, 2]
    for job, fitted in found:
        same_bits(fitted, alone(job))


def test_as_many_seeds_as_memory_allows_are_on_the_device_at_once(device):
    jobs = [Job(make_method(), seed) for seed in range(9)]
    found = {job.seed for job, _ in together(jobs)}
    assert found == set(range(9))
    # Of 100 bytes, the fourth seed leaves 20, which is not 1.25 times what a fifth would take.
    assert device == [4]


def test_a_seed_that_finds_no_memory_waits_until_another_ends(device, monkeypatch):
    monkeypatch.setattr("pipeline.training.together.SPARE", -1.0)
    start = Trainer._record

    def record(self):
        if device[0] == 2 and len(refused) < 1:
            refused.append(self.seed)
            message = "CUDA out of memory"
            raise torch.OutOfMemoryError(message)
        start(self)

    refused = []
    monkeypatch.setattr(Trainer, "_record", record)
    found = [job.seed for job, _ in together([Job(make_method(), seed) for seed in SEEDS])]
    assert refused == [2]
    assert sorted(found) == [0, 1, 2]


def test_a_single_seed_without_memory_is_an_error(device, monkeypatch):
    def record(self):
        message = "CUDA out of memory"
        raise torch.OutOfMemoryError(message)

    monkeypatch.setattr(Trainer, "_record", record)
    with pytest.raises(torch.OutOfMemoryError, match="no memory for a single seed"):
        list(together([Job(make_method(), seed) for seed in SEEDS]))


@pytest.mark.usefixtures("device")
def test_every_seed_saves_its_states_and_goes_on_from_one():
    method = make_method(epochs=3)
    lengths = {seed: [] for seed in SEEDS}

    def saver(seed):
        return lambda state: lengths[seed].append(len(state["history"]))

    list(together([Job(method, seed, save=saver(seed)) for seed in SEEDS]))
    assert lengths == {seed: [1, 2] for seed in SEEDS}


@pytest.mark.usefixtures("device")
def test_a_seed_that_goes_on_from_a_state_ends_before_those_that_begin():
    method = make_method(epochs=3)
    states = []
    unbroken = train(
        method,
        make_data(),
        seed=1,
        fabric=cpu_fabric(),
        save=lambda s: states.append(through_a_file(s)),
    )
    jobs = [Job(method, 0), Job(method, 1, resume=states[1])]
    found = list(together(jobs))
    assert [job.seed for job, _ in found] == [1, 0]
    same_bits(found[0][1], unbroken)


@pytest.mark.usefixtures("device")
def test_a_seed_that_diverges_is_named_when_the_others_are_trained():
    good, bad = make_method(), make_method(optimiser={"kind": "sgd", "learning_rate": 1e30})
    trained = together([Job(bad, 5), Job(good, 0)])
    job, _ = next(trained)
    assert job.seed == 0
    with pytest.raises(InputError, match="loss cross_entropy, seed 5: epoch 1: .*lower the learn"):
        next(trained)

"""What is captured on CUDA, held here to a tape that repeats operations and never Python."""

import pytest
import torch
from torch import nn

from pipeline.losses import LOSSES, make_loss
from pipeline.networks import NETWORKS
from pipeline.training import train
from pipeline.training.device import repeatable
from pipeline.training.lanes import EagerLane
from pipeline.training.loop import progress
from pipeline.training.trainer import Trainer
from tests.networks.building import build
from tests.networks.test_laws import EXAMPLES
from tests.training.examples import (
    cpu_fabric,
    make_data,
    make_method,
    same_bits,
    through_a_file,
)
from tests.training.tape import Tape, TapeLane, WaitsError

# On the CPU alone, a rate in a float32 tensor is another number unless float32 holds it exactly.
RATE = 2**-7
ADAM = {"optimiser": {"kind": "adam", "learning_rate": RATE}}
MIXED = {"augmentation": {"crop_padding": 1, "flip": True, "mixup_alpha": 0.2}}
MOVED = {"augmentation": {"crop_padding": 2, "flip": True}}
SHORT = {"last_batch": "keep", "batch_size": 11}


@pytest.fixture
def lanes(monkeypatch):
    """The tape lanes that training opens."""
    opened = []

    def open_lane(_fabric):
        opened.append(TapeLane())
        return opened[-1]

    monkeypatch.setattr("pipeline.training.loop.open_lane", open_lane)
    # The CPU's one_hot looks at its labels to check them; CUDA's does not.
    monkeypatch.setattr(nn.functional, "one_hot", one_hot)
    return opened


def one_hot(labels, num_classes):
    return torch.zeros(len(labels), num_classes, dtype=torch.int64).scatter(1, labels[:, None], 1)


def loss_maker(kind, **arguments):
    return lambda: make_loss(kind, num_classes=3, class_counts=[30, 12, 6], **arguments)


def fit(method, data=None, **keywords):
    fabric = cpu_fabric(method.recipe)
    return train(method, data or make_data(), seed=3, fabric=fabric, **keywords)


@pytest.mark.parametrize(
    ("loss", "changes"),
    [
        ("cross_entropy", MIXED | {"schedule": {"kind": "cosine"}}),
        ("cross_entropy", MOVED | ADAM | {"gradient_clip_norm": 0.5}),
        ("cross_entropy", SHORT | MIXED),
        ("gce", {"optimiser": {"kind": "sgd", "learning_rate": RATE, "nesterov": True}}),
        ("gce", {"optimiser": {"kind": "adamw", "learning_rate": RATE, "weight_decay": 0.1}}),
        ("gce", {"optimiser": {"kind": "sgd", "learning_rate": RATE, "momentum": 0.0}}),
        ("gce", {"schedule": {"kind": "step", "milestones": [1, 2], "factor": 0.5}} | SHORT),
        ("cross_entropy", {"precision": "bfloat16"}),
    ],
)
def test_a_replayed_run_has_the_bits_of_an_eager_one(lanes, loss, changes):
    method = make_method(loss=loss_maker(loss), epochs=3, **changes)
    captured = fit(method)
    (lane,) = lanes
    # The step, the validation pass and, where there is one, the step of the short last batch.
    assert lane.num_recorded == (3 if "last_batch" in changes else 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.training.loop.open_lane", lambda _: EagerLane())
        same_bits(captured, fit(method))


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.usefixtures("lanes")
def test_every_loss_can_be_replayed_with_the_bits_of_an_eager_run(kind):
    method = make_method(loss=loss_maker(kind), epochs=3, batch_size=24, **ADAM)
    captured = fit(method)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.training.loop.open_lane", lambda _: EagerLane())
        same_bits(captured, fit(method))


@pytest.mark.slow
@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.usefixtures("lanes")
def test_every_network_can_be_replayed_with_the_bits_of_an_eager_run(kind):
    example = EXAMPLES[kind]
    size = (example.side, example.side)
    data = make_data(num_train=8, num_validation=3, size=size)
    method = make_method(
        network=lambda: build(kind, size, **example.arguments),
        batch_size=4,
        epochs=1,
        optimiser={"kind": "sgd", "learning_rate": RATE / 8},
    )
    captured = fit(method, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.training.loop.open_lane", lambda _: EagerLane())
        same_bits(captured, fit(method, data))


@pytest.mark.parametrize("stopped_after", [1, 2])
@pytest.mark.parametrize(
    ("loss", "arguments", "changes"),
    [
        ("adafocal", {}, ADAM),
        ("gce", {"marginal": "ema"}, SHORT),
        ("ldam", {"deferred_until": 0.6}, {}),
    ],
)
@pytest.mark.usefixtures("lanes")
def test_a_replayed_run_resumes_with_the_same_bits(loss, arguments, changes, stopped_after):
    method = make_method(loss=loss_maker(loss, **arguments), epochs=3, **changes)
    states = []

    unbroken = fit(method, save=lambda state: states.append(through_a_file(state)))
    same_bits(fit(method, resume=states[stopped_after - 1]), unbroken)


def start(method, lane, resume=None):
    fabric = cpu_fabric(method.recipe)
    bar = progress("", fabric)
    with repeatable(fabric.device):
        return Trainer(method, make_data(), fabric, seed=3, resume=resume, lane=lane, bar=bar)


@pytest.mark.parametrize("changes", [{}, ADAM], ids=["sgd", "adam"])
def test_recording_leaves_weights_statistics_and_loss_as_they_were(changes):
    method = make_method(loss=loss_maker("gce", marginal="ema"), **changes)
    recorded, fresh = (start(method, lane).session for lane in (TapeLane(), EagerLane()))
    for name, module in (("network", recorded.network), ("loss", recorded.loss)):
        expected = getattr(fresh, name).state_dict()
        for key, values in module.state_dict().items():
            assert torch.equal(values, expected[key]), key
    remembered = [value for each in recorded.optimiser.state.values() for value in each.values()]
    assert remembered
    assert not any(value.any() for value in remembered)


def test_recording_leaves_what_a_resumed_optimiser_remembers():
    method = make_method(**ADAM)
    states = []
    fit(method, save=lambda state: states.append(through_a_file(state)))
    resumed = start(method, TapeLane(), resume=states[0]).session
    for index, before in states[0]["optimiser"]["state"].items():
        after = resumed.state()["optimiser"]["state"][index]
        for name, value in before.items():
            assert torch.equal(after[name], value), name
            assert value.any()


def test_the_optimiser_reads_the_rate_from_where_the_device_keeps_it():
    trainer = start(make_method(), TapeLane())
    (group,) = trainer.session.optimiser.param_groups
    held = group["lr"]
    with repeatable(torch.device("cpu")), trainer.lane.open():
        trainer.fit_epoch()
    assert group["lr"] is held
    assert held.dtype == torch.float32
    assert float(held) == pytest.approx(0.05)


def test_the_tape_repeats_operations_and_not_what_python_knew():
    given, factor, out = torch.ones(2), [2.0], torch.zeros(2)
    tape = Tape()
    with tape:
        out.copy_(given * factor[0])
    given.fill_(5.0)
    factor[0] = 100.0
    tape.replay()
    assert out.tolist() == [10.0, 10.0]


def test_the_tape_draws_new_random_numbers_as_a_graph_does():
    out = torch.zeros(100)
    tape = Tape()
    with tape:
        out.copy_(nn.functional.dropout(torch.ones(100)))
    first = out.clone()
    tape.replay()
    assert not torch.equal(out, first)


def test_the_tape_refuses_work_that_waits_for_the_device():
    with pytest.raises(WaitsError, match="_local_scalar_dense waits"), Tape():
        float(torch.ones(()) * 2)


def test_a_step_that_waits_for_the_device_would_be_noticed():
    class Waiting(nn.CrossEntropyLoss):
        def forward(self, logits, labels):
            loss = super().forward(logits, labels)
            return loss if loss > 0 else -loss

    with pytest.raises(WaitsError, match="is_nonzero|_local_scalar_dense"):
        start(make_method(loss=Waiting), TapeLane())

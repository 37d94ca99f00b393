"""What only a CUDA device can show; `make test-cuda` runs it, everything else skips it."""

import pytest
import torch

from pipeline.losses import LOSSES, make_loss
from pipeline.networks import make_network
from pipeline.training import Job, LabelledImages, TrainingData, start_fabric, train, train_together
from pipeline.training.lanes import CAPTURE_VARIABLE, say_once
from tests.training.examples import (
    draw_cases,
    make_method,
    same_bits,
    through_a_file,
)

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

GENTLE = {"optimiser": {"kind": "sgd", "learning_rate": 0.001}}
ADAM = {"optimiser": {"kind": "adam", "learning_rate": 0.01}}
MIXED = {"augmentation": {"crop_padding": 1, "flip": True, "mixup_alpha": 0.2}}
MOVED = {"augmentation": {"crop_padding": 2, "flip": True}}
SHORT = {"last_batch": "keep", "batch_size": 11}
NETWORKS = {
    "densenet": {"block_config": [2, 2, 2], "growth_rate": 8, "init_features": 16},
    "resnet18": {"stem": "small"},
    "seresnet50": {"stem": "small"},
    "efficientnet_b0": {"stem": "small"},
    "vit": {"patch_size": 8, "hidden_size": 48, "mlp_dim": 96, "num_layers": 2, "num_heads": 3}
    | {"dropout_rate": 0.1},
}
VOLUMES = {
    "densenet": {"block_config": [2, 2, 2], "growth_rate": 8, "init_features": 16},
    "resnet10": {"widths": [8, 16, 32, 64]},
    "seresnet50": {},
}


@pytest.fixture(autouse=True)
def _on_the_device(monkeypatch):
    monkeypatch.setenv("PIPELINE_DEVICE", "cuda")
    monkeypatch.delenv(CAPTURE_VARIABLE, raising=False)
    say_once.cache_clear()


def cases(num_cases, *, seed, **settings):
    return LabelledImages.from_arrays(*draw_cases(num_cases, seed=seed, **settings), device="cuda")


def data(num_train=48, **settings):
    return TrainingData(
        cases(num_train, seed=1, **settings), cases(24, seed=2, **settings), num_classes=3
    )


def loss_maker(kind, **arguments):
    return lambda: make_loss(kind, num_classes=3, class_counts=[30, 12, 6], **arguments)


def network_maker(kind, arguments, *, side, dims=2):
    return lambda: make_network(
        kind,
        spatial_dims=dims,
        in_channels=1,
        num_classes=3,
        image_size=(side,) * dims,
        **arguments,
    )


def fit(method, given=None, *, seed=3, capture="auto", **keywords):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CAPTURE_VARIABLE, capture)
        fabric = start_fabric(method.recipe)
        return train(method, given or data(), seed=seed, fabric=fabric, **keywords)


def assert_captured(capsys):
    """Nothing was said of steps that run without capture."""
    assert "without capture" not in capsys.readouterr().err


@pytest.mark.parametrize("kind", LOSSES)
def test_every_loss_is_captured_with_the_bits_of_an_eager_run(kind, capsys):
    method = make_method(loss=loss_maker(kind), epochs=3, batch_size=24, **ADAM)
    same_bits(fit(method), fit(method, capture="never"))
    assert_captured(capsys)


@pytest.mark.parametrize(
    "changes",
    [
        MIXED | {"schedule": {"kind": "cosine", "warmup_epochs": 1}},
        MOVED | ADAM | {"gradient_clip_norm": 0.5},
        SHORT | MIXED | {"schedule": {"kind": "step", "milestones": [1, 2]}},
        {"optimiser": {"kind": "sgd", "learning_rate": 0.05, "nesterov": True}},
        {"optimiser": {"kind": "adamw", "learning_rate": 0.01, "weight_decay": 0.1}},
        {"precision": "bfloat16"} | SHORT,
    ],
    ids=["mixed", "clipped", "short", "nesterov", "adamw", "bfloat16"],
)
def test_every_kind_of_step_is_captured_with_the_bits_of_an_eager_run(changes, capsys):
    method = make_method(loss=loss_maker("gce"), epochs=3, **changes)
    same_bits(fit(method), fit(method, capture="never"))
    assert_captured(capsys)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_every_kind_of_network_is_captured_with_the_bits_of_an_eager_run(kind, precision, capsys):
    network = network_maker(kind, NETWORKS[kind], side=32)
    changes = GENTLE | {"precision": precision}
    method = make_method(network=network, loss=loss_maker("gce"), **changes)
    given = data(size=(32, 32))
    same_bits(fit(method, given), fit(method, given, capture="never"))
    assert_captured(capsys)


@pytest.mark.parametrize("kind", VOLUMES)
def test_volumes_are_trained_on_with_the_same_bits_twice(kind):
    network = network_maker(kind, VOLUMES[kind], side=32, dims=3)
    method = make_method(network=network, loss=loss_maker("gce"), batch_size=8, **GENTLE)
    given = data(num_train=24, size=(32, 32, 32))
    # An operation without a deterministic form is warned of, and warnings are errors here.
    same_bits(fit(method, given), fit(method, given))


@pytest.mark.parametrize("stopped_after", [1, 2])
@pytest.mark.parametrize(
    ("loss", "arguments", "changes"),
    [
        ("adafocal", {}, ADAM),
        ("gce", {"marginal": "ema"}, SHORT),
        ("ldam", {"deferred_until": 0.6}, {}),
    ],
)
def test_a_captured_run_resumes_with_the_same_bits(loss, arguments, changes, stopped_after):
    method = make_method(loss=loss_maker(loss, **arguments), epochs=3, **changes)
    states = []
    unbroken = fit(method, save=lambda state: states.append(through_a_file(state)))
    same_bits(fit(method, resume=states[stopped_after - 1]), unbroken)


def test_seeds_side_by_side_have_the_bits_they_have_alone(capsys):
    # The network drops out: seeds that shared random numbers would differ from those alone.
    methods = [
        make_method(loss=loss_maker(kind), name=kind, epochs=3, **SHORT)
        for kind in ("cross_entropy", "gce")
    ]
    jobs = [Job(method, seed) for method in methods for seed in range(4)]
    found = list(train_together(jobs, data(), fabric=start_fabric(methods[0].recipe)))
    assert len(found) == len(jobs)
    for job, fitted in found:
        same_bits(fitted, fit(job.method, seed=job.seed))
    assert_captured(capsys)


def test_float16_says_once_that_it_is_not_captured(capsys):
    method = make_method(precision="float16")
    same_bits(fit(method), fit(method))
    assert capsys.readouterr().err.count("float16 waits for the device") == 1


def test_a_loss_that_waits_for_the_device_runs_without_capture_and_says_so_once(capsys):
    class Waiting(torch.nn.CrossEntropyLoss):
        def forward(self, logits, labels):
            loss = super().forward(logits, labels)
            return loss if float(loss.detach()) > 0 else -loss

    waiting, plain = make_method(loss=Waiting), make_method()
    same_bits(fit(waiting), fit(plain))
    assert capsys.readouterr().err.count("a step runs without capture") == 1

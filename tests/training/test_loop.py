import copy
import math

import pytest
import torch
from torch import nn

from pipeline.errors import InputError
from pipeline.losses import make_loss
from pipeline.training import train
from tests.training.examples import (
    cpu_fabric,
    draw_cases,
    make_data,
    make_method,
    make_recipe,
    through_a_file,
)

AUGMENTED = {"augmentation": {"crop_padding": 1, "flip": True, "mixup_alpha": 0.2}}


def fit(method, data=None, *, seed=0, **keywords):
    fabric = cpu_fabric(method.recipe)
    return train(method, data or make_data(), seed=seed, fabric=fabric, **keywords)


def validation_logits(fitted):
    return fitted.classifier(make_data().validation.images)


def loss_maker(kind, **arguments):
    return lambda: make_loss(kind, num_classes=3, class_counts=[16, 16, 16], **arguments)


def test_it_learns_what_can_be_learned():
    fitted = fit(make_method(epochs=12), make_data(num_train=96))
    assert fitted.history[-1]["val_accuracy"] == 1
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        AUGMENTED,
        {"optimiser": {"kind": "adam", "learning_rate": 0.01}, "gradient_clip_norm": 0.5},
        {"schedule": {"kind": "cosine", "warmup_epochs": 1}, "last_batch": "keep"},
        {"precision": "bfloat16"},
    ],
    ids=["plain", "augmented", "adam", "cosine", "bfloat16"],
)
def test_two_runs_give_the_same_bits_and_another_seed_others(changes):
    method = make_method(loss=loss_maker("gce"), **changes)
    first, again, other = (validation_logits(fit(method, seed=seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_callers_random_numbers_neither_matter_nor_change():
    torch.manual_seed(1)
    first = validation_logits(fit(make_method()))
    drawn = torch.rand(())
    torch.manual_seed(1)
    assert torch.equal(torch.rand(()), drawn)
    assert torch.equal(validation_logits(fit(make_method())), first)


@pytest.mark.parametrize("stopped_after", [1, 2, 3])
@pytest.mark.parametrize(
    ("loss", "changes"),
    [
        (loss_maker("cross_entropy"), AUGMENTED | {"schedule": {"kind": "cosine"}}),
        (loss_maker("adafocal"), {"optimiser": {"kind": "adam", "learning_rate": 0.01}}),
        (loss_maker("gce", marginal="ema"), {"last_batch": "keep", "batch_size": 11}),
        (loss_maker("ldam", deferred_until=0.6), {}),
    ],
    ids=["cross_entropy", "adafocal", "gce_ema", "ldam"],
)
def test_a_run_resumed_after_any_epoch_ends_with_the_same_bits(loss, changes, stopped_after):
    method = make_method(loss=loss, epochs=4, **changes)
    states = []
    unbroken = fit(method, save=lambda state: states.append(through_a_file(state)))
    assert [len(state["history"]) for state in states] == [1, 2, 3]
    resumed = fit(method, resume=states[stopped_after - 1])
    assert torch.equal(validation_logits(resumed), validation_logits(unbroken))
    assert len(resumed.history) == 4


def test_history_has_a_row_an_epoch_with_the_rate_of_its_end():
    schedule = {"kind": "step", "milestones": [2], "factor": 0.1}
    history = fit(make_method(epochs=3, schedule=schedule)).history
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert [row["learning_rate"] for row in history] == pytest.approx([0.05, 0.05, 0.005])
    assert all(math.isfinite(value) for row in history for value in row.values())


def test_the_reported_loss_is_the_mean_over_the_epochs_cases():
    # At a rate near 0 and without noise the weights stay, so the mean can be worked out.
    def network():
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 3))

    recipe = {"optimiser": {"kind": "sgd", "learning_rate": 1e-12}, "last_batch": "keep"}
    data = make_data(num_train=50)
    fitted = fit(make_method(network=network, epochs=1, batch_size=16, **recipe), data)
    logits = fitted.classifier(data.train.images)
    expected = nn.functional.cross_entropy(logits, data.train.labels)
    assert fitted.history[0]["train_loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_one_step_is_plain_gradient_descent_on_normalised_images():
    def network():
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 3))

    data = make_data(num_train=12)
    recipe = make_recipe(
        epochs=1, batch_size=12, optimiser={"kind": "sgd", "learning_rate": 0.1, "momentum": 0}
    )
    method = make_method(network=network, **recipe.model_dump())
    start = fit(
        make_method(
            network=network,
            **recipe.model_dump() | {"optimiser": {"kind": "sgd", "learning_rate": 1e-30}},
        ),
        data,
    )
    expected = copy.deepcopy(start.classifier.network)
    images = start.classifier.normalisation(data.train.images)
    nn.functional.cross_entropy(expected(images), data.train.labels).backward()
    with torch.no_grad():
        for parameter in expected.parameters():
            parameter -= 0.1 * parameter.grad
    found = fit(method, data).classifier.network
    for name, values in found.state_dict().items():
        torch.testing.assert_close(values, expected.state_dict()[name])


def test_the_gradient_is_clipped_to_its_norm():
    def network():
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 3))

    def moved(clip_norm):
        rates = (1e-30, 0.1)
        start, end = (
            fit(
                make_method(
                    network=network,
                    epochs=1,
                    batch_size=48,
                    optimiser={"kind": "sgd", "learning_rate": rate, "momentum": 0},
                    gradient_clip_norm=clip_norm,
                )
            ).weights()
            for rate in rates
        )
        return sum(((end[name] - start[name]) ** 2).sum() for name in start) ** 0.5

    assert moved(None) > 0.1 * 0.01
    # One step of length rate * norm.
    assert moved(0.01).item() == pytest.approx(0.1 * 0.01, rel=1e-3)


class Listening(nn.CrossEntropyLoss):
    """Cross-entropy that writes down what the loop tells it."""

    def __init__(self, heard):
        super().__init__()
        self.heard = heard

    def end_epoch(self, progress, validation):
        logits, labels = validation()
        self.heard.append((progress, logits.shape, labels.tolist(), logits.requires_grad))


def test_a_loss_hears_of_every_epoch_and_of_the_validation_cases():
    heard = []
    data = make_data(num_validation=9)
    fit(make_method(loss=lambda: Listening(heard), epochs=4), data)
    labels = draw_cases(9)[1].tolist()
    assert heard == [(share, (9, 3), labels, False) for share in (0.25, 0.5, 0.75, 1.0)]


def test_deferred_weights_change_training_from_their_epoch_on():
    counts = {"num_classes": 3, "class_counts": [30, 12, 6]}

    def history(deferred_until):
        method = make_method(
            loss=lambda: make_loss("ldam", deferred_until=deferred_until, **counts), epochs=4
        )
        return [row["train_loss"] for row in fit(method).history]

    early, late = history(0.5), history(0.75)
    assert early[:2] == late[:2]
    assert early[2] != late[2]


def test_a_loss_on_cosines_gets_cosines_and_predictions_their_scale():
    fitted = fit(make_method(loss=loss_maker("ldam", scale=20.0)))
    assert fitted.classifier.has_cosine_head
    assert fitted.classifier.logit_scale == 20
    assert validation_logits(fitted).abs().max() <= 20 * (1 + 1e-6)


def test_fewer_cases_than_a_batch_still_train():
    data = make_data(num_train=6)
    fitted = fit(make_method(batch_size=64, epochs=1), data)
    assert math.isfinite(fitted.history[0]["train_loss"])


def test_volumes_are_trained_on():
    def network():
        return nn.Sequential(
            nn.Conv3d(1, 4, 3, padding=1),
            nn.BatchNorm3d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool3d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        )

    data = make_data(size=(4, 4, 4))
    method = make_method(network=network, loss=loss_maker("cross_entropy"), **AUGMENTED)
    fitted = fit(method, data)
    weight = fitted.classifier.network[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert fitted.classifier(data.validation.images).shape == (24, 3)


def test_refuses_a_loss_that_is_not_finite_naming_loss_seed_and_epoch():
    class Broken(nn.Module):
        def forward(self, logits, labels):
            return logits.sum() * float("nan")

    with pytest.raises(InputError, match="loss odd, seed 7: epoch 1: the training loss must be fi"):
        fit(make_method(loss=Broken, name="odd"), seed=7)


def test_refuses_weights_that_diverge():
    method = make_method(optimiser={"kind": "sgd", "learning_rate": 1e30}, epochs=5)
    with pytest.raises(InputError, match="loss cross_entropy, seed 0: epoch .*lower the learning"):
        fit(method)


def test_refuses_to_mix_labels_for_a_loss_that_takes_classes_only():
    method = make_method(loss=loss_maker("mmce"), name="mmce", **AUGMENTED)
    with pytest.raises(InputError, match="loss mmce takes classes only, but .*mixup_alpha 0.2"):
        fit(method)


def test_progress_is_quiet_where_nobody_watches(capfd):
    fit(make_method())
    assert capfd.readouterr().err == ""


def test_progress_shows_loss_rate_and_time_left_on_a_terminal(capfd, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    fit(make_method(epochs=30))
    shown = capfd.readouterr().err
    assert "cross_entropy seed 0" in shown
    assert "images/s" in shown

import math

import pytest
import torch

from pipeline.config.method import Schedule
from pipeline.training.schedule import learning_rate_factor, make_optimiser, set_learning_rate
from tests.training.examples import make_recipe


def factor(epoch, epochs=100, **settings):
    return learning_rate_factor(Schedule(**settings), epoch=epoch, epochs=epochs)


def test_a_constant_rate_stays():
    assert {factor(epoch) for epoch in (0, 0.5, 99.9)} == {1.0}


@pytest.mark.parametrize(("epoch", "expected"), [(149.9, 1), (150, 0.1), (249.9, 0.1), (250, 0.01)])
def test_a_step_is_taken_when_its_milestone_is_reached(epoch, expected):
    found = factor(epoch, epochs=350, kind="step", milestones=[150, 250])
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("epoch", "expected"), [(0, 1), (25, (1 + math.sqrt(0.5)) / 2), (50, 0.5), (100, 0)]
)
def test_a_cosine_falls_from_1_to_0(epoch, expected):
    assert factor(epoch, kind="cosine") == pytest.approx(expected)


@pytest.mark.parametrize(("epoch", "expected"), [(0, 0), (2.5, 0.25), (10, 1), (55, 0.5), (100, 0)])
def test_a_warm_up_rises_before_the_cosine_begins(epoch, expected):
    assert factor(epoch, kind="cosine", warmup_epochs=10) == pytest.approx(expected)


def test_milestones_count_from_the_start_and_not_from_the_end_of_the_warm_up():
    settings = {"kind": "step", "milestones": [20], "warmup_epochs": 10}
    assert factor(19.9, **settings) == 1
    assert factor(20, **settings) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)],
)
def test_a_recipe_names_its_optimiser_and_decay(kind, expected):
    recipe = make_recipe(optimiser={"kind": kind, "learning_rate": 0.1, "weight_decay": 5e-4})
    optimiser = make_optimiser([torch.nn.Parameter(torch.ones(2))], recipe)
    assert type(optimiser) is expected
    assert optimiser.param_groups[0]["weight_decay"] == 5e-4


def test_sgd_takes_its_momentum_as_sutskever_wrote_it():
    # v <- 0.5 v + g, w <- w - 0.1 v, with g = 1: v is 1 and then 1.5.
    weight = torch.nn.Parameter(torch.zeros(()))
    recipe = make_recipe(optimiser={"kind": "sgd", "learning_rate": 0.1, "momentum": 0.5})
    optimiser = make_optimiser([weight], recipe)
    for _ in range(2):
        weight.grad = torch.ones(())
        optimiser.step()
    assert weight.item() == pytest.approx(-0.1 * (1 + 1.5))


def test_the_rate_is_set_for_every_group():
    optimiser = make_optimiser([torch.nn.Parameter(torch.ones(2))], make_recipe())
    set_learning_rate(optimiser, 0.25)
    assert [group["lr"] for group in optimiser.param_groups] == [0.25]

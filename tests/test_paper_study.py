from itertools import cycle

import pytest

from pipeline.config import Study, expand_plan, read_dataset
from tests.training.full_size import CONFIGS, config, take_two_steps

PLAN = expand_plan(["paper"], CONFIGS)
LOSSES = config("studies", "paper", Study).losses
# Eleven experiments and eight losses: each loss is trained once, some twice.
PAIRS = list(zip(PLAN.experiments, cycle(LOSSES), strict=False))


def test_eleven_experiments_of_ten_seeds_make_fewer_than_200_stages():
    assert len(PLAN.experiments) == 11
    assert all(len(row.seeds) == 10 for row in PLAN.experiments.values())
    assert PLAN.num_stages < 200


def test_has_the_networks_and_data_sets_of_the_published_protocols():
    cifar_networks = (
        "cifar_resnet50",
        "cifar_resnet110",
        "cifar_wide_resnet26_10",
        "cifar_densenet121",
    )
    reference = {
        (name, network, "cifar_reference")
        for name in ("cifar10", "cifar100")
        for network in cifar_networks
    } | {("tiny_imagenet", "cifar_resnet50", "tiny_imagenet_reference")}
    planned = {(row.dataset, row.network, row.recipe) for row in PLAN.experiments.values()}
    assert reference < planned


def test_every_experiment_can_be_costed_before_its_data_are_there():
    for name in PLAN.datasets:
        assert {"train", "calibration", "test"} <= read_dataset(CONFIGS, name).expected_cases.keys()


def test_the_pairs_that_are_trained_hold_every_experiment_and_every_loss():
    assert [key for key, _ in PAIRS] == list(PLAN.experiments)
    assert {loss for _, loss in PAIRS} == set(LOSSES)


@pytest.mark.slow
@pytest.mark.parametrize(("key", "loss"), PAIRS)
def test_an_experiment_takes_two_steps_at_full_size(key, loss):
    take_two_steps(PLAN.experiments[key], loss)

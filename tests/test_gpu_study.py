from itertools import cycle

import pytest

from pipeline.config import Recipe, Study, expand_plan, read_dataset
from tests.training.full_size import CONFIGS, config, take_two_steps

STUDY = config("studies", "gpu", Study)
PLAN = expand_plan(["gpu"], CONFIGS)
EVERYWHERE = {"cross_entropy", "gce", "flsd53", "bsce_gra"}
TAILS = {"cifar10_tail": 100, "cifar10_tail50": 50}
# Of each experiment the loss that is trained here: of a tail one that is planned for tails alone.
OF_TAILS = {"cifar10_tail": "gce_logit_adjusted", "cifar10_tail50": "logit_adjusted"}
PAIRS = [
    (key, OF_TAILS.get(row.dataset, loss))
    for (key, row), loss in zip(PLAN.experiments.items(), cycle(STUDY.losses), strict=False)
]


def test_has_the_sets_that_a_network_of_real_size_is_asked_about():
    assert {row.dataset for row in PLAN.experiments.values()} == {
        *TAILS,
        "cifar10_small",
        "cifar10_jpeg_10k",
        "breastmnist",
        "ham10000",
        "pneumoniamnist",
        "bccd",
    }
    assert {row.network for row in PLAN.experiments.values()} == {"resnet18_small_stem"}


def test_every_experiment_compares_gce_with_cross_entropy_over_enough_seeds():
    for row in PLAN.experiments.values():
        for_tails = set(OF_TAILS.values()) if row.dataset in TAILS else set()
        assert set(row.losses) == EVERYWHERE | for_tails
        assert len(row.seeds) == (10 if row.dataset == "breastmnist" else 5)


@pytest.mark.parametrize(("name", "ratio"), TAILS.items())
def test_a_tail_falls_from_a_thousand_images_by_its_ratio(name, ratio):
    dataset = read_dataset(CONFIGS, name)
    assert dataset.long_tail.imbalance_ratio == ratio
    # The k-th of ten classes keeps 1,000 / ratio^(k / 9).
    kept = sum(int(1000 * ratio ** (-k / 9)) for k in range(10))
    assert dataset.expected_cases["train"] == pytest.approx(kept, abs=10)


def test_medical_sets_follow_the_published_protocol_and_photographs_that_of_few_images():
    for row in PLAN.experiments.values():
        optimiser = config("recipes", row.recipe, Recipe).optimiser
        if row.dataset.startswith("cifar10"):
            found = (optimiser.kind, optimiser.learning_rate, optimiser.weight_decay)
            assert found == ("sgd", 0.1, 5e-4)
        else:
            assert row.recipe == "medmnist_reference"


def test_it_is_for_a_gpu_and_can_be_costed_before_its_data_are_there():
    assert STUDY.needs_gpu
    for row in PLAN.experiments.values():
        expected = read_dataset(CONFIGS, row.dataset).expected_cases
        assert {"train", "calibration", "test"} <= expected.keys()


@pytest.mark.slow
@pytest.mark.parametrize(("key", "loss"), PAIRS)
def test_an_experiment_takes_two_steps_at_full_size(key, loss):
    row = PLAN.experiments[key]
    assert loss in row.losses
    take_two_steps(row, loss)

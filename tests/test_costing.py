from math import inf, isfinite
from types import SimpleNamespace

import pytest

from pipeline import costing
from pipeline.config import Dataset, NetworkConfig, Recipe, read_dataset
from pipeline.config.reading import check_config
from pipeline.costing import Cost, Problem, seconds_an_image, seed_cost
from pipeline.errors import InputError
from pipeline.networks import make_network
from pipeline.stages.calibrate import APPLIED_TO
from tests.projects import ROOT
from tests.sources import DIVIDED, make_dataset

TINY = NetworkConfig(
    kind="densenet",
    arguments={"block_config": [1, 1], "growth_rate": 4, "init_features": 4, "stem": "small"},
)
RECIPE = Recipe.model_validate(
    {"epochs": 10, "batch_size": 16, "optimiser": {"kind": "sgd", "learning_rate": 0.01}}
)
CARD = {
    "counts": {
        "train": {"ill": 30, "healthy": 70},
        "calibration": {"ill": 4, "healthy": 6},
        "threshold": {"ill": 5, "healthy": 7},
        "test": {"ill": 10, "healthy": 10},
    },
    "reuse": {"val": "calibration"},
    "image_size": [8, 8],
    "channels": 3,
    "classes": ["ill", "healthy"],
}
PROBLEM = Problem.of_card(CARD)

# Cases of the official splits as their authors publish them.
PUBLISHED = {
    "breastmnist": 546 + 78 + 156,
    "cifar10": 50_000 + 10_000,
    "cifar100": 50_000 + 10_000,
    "dermamnist": 7_007 + 1_003 + 2_005,
    "pathmnist": 89_996 + 10_004 + 7_180,
    "pneumoniamnist": 4_708 + 524 + 624,
    "tiny_imagenet": 100_000 + 10_000,
}


def test_a_card_is_read_as_what_training_and_calibrating_will_write():
    # Val is served by the ten calibration cases: logits are written for both splits.
    assert Problem.of_card(CARD) == Problem(
        num_train=100,
        num_predicted=10 + 10 + 12 + 20,
        num_calibrated=12 + 20,
        num_cases=100 + 10 + 12 + 20,
        image_size=(8, 8),
        channels=3,
        num_classes=2,
    )


def test_a_partner_that_is_only_tested_has_a_card_too():
    card = CARD | {"counts": {"test": {"ill": 8, "healthy": 12}}, "reuse": {}}
    problem = Problem.of_card(card)
    assert (problem.num_train, problem.num_cases) == (0, 20)


def test_expected_cases_stand_for_a_card_that_is_not_there_yet():
    dataset = make_dataset(
        image_size=[8, 8],
        channels=3,
        splits={"divide": DIVIDED, "reuse": {"val": "calibration"}},
        expected_cases={"train": 100, "calibration": 10, "threshold": 12, "test": 20},
    )
    assert Problem.of_dataset(dataset) == PROBLEM


def test_a_silent_config_has_no_problem_to_cost():
    assert Problem.of_dataset(make_dataset()) is None


@pytest.mark.parametrize(
    ("expected", "message"),
    [({"dev": 1}, r"key 'expected_cases\.dev"), ({"train": 0}, r"key 'expected_cases\.train'")],
)
def test_expected_cases_are_positive_numbers_of_known_splits(expected, message):
    stated = make_dataset().model_dump() | {"expected_cases": expected}
    with pytest.raises(InputError, match=message):
        check_config(stated, Dataset, place="d.yaml")


@pytest.mark.parametrize("name", PUBLISHED)
def test_expected_cases_add_up_to_what_is_published(name):
    dataset = read_dataset(ROOT / "configs", name)
    assert sum(dataset.expected_cases.values()) == PUBLISHED[name]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs/datasets").glob("*.yaml")), ids=lambda path: path.stem
)
def test_expected_cases_keep_within_the_cases_that_are_kept(path):
    dataset = read_dataset(ROOT / "configs", path.stem)
    for split, number in dataset.expected_cases.items():
        assert number <= dataset.max_cases.get(split, inf)
        assert dataset.splits.serving(split) == split


def test_the_splits_counted_are_those_that_are_calibrated():
    assert costing.CALIBRATED_SPLITS == APPLIED_TO


def test_space_is_what_the_arrays_take_times_their_copies():
    assert PROBLEM.prepared_bytes == 2 * (100 + 10 + 12 + 20) * 8 * 8 * 3
    assert PROBLEM.probability_bytes(num_calibrators=5) == 2 * (12 + 20) * 2 * 5 * 8


def test_a_seed_leaves_its_weights_and_logits_in_three_places():
    network = make_network(
        "densenet",
        spatial_dims=2,
        in_channels=3,
        num_classes=2,
        image_size=(8, 8),
        **TINY.arguments,
    )
    weights = sum(values.numel() for values in network.state_dict().values())
    assert seed_cost(TINY, RECIPE, PROBLEM).num_bytes == 3 * 4 * (weights + 52 * 2)


def test_a_real_network_takes_some_time():
    seconds = seed_cost(TINY, RECIPE, PROBLEM).seconds
    assert isfinite(seconds)
    assert seconds > 0


def simulate_machine(monkeypatch, *, seconds_an_image):
    """Replace training by one that only says how long it took; return the numbers of images."""
    timed = []

    def train_together(jobs, data, **_):
        # As the loop does: a short last batch is dropped, and costs nothing.
        recipe = jobs[0].method.recipe
        size = min(recipe.batch_size, len(data.train))
        trained = len(data.train) // size * size
        timed.append(len(data.train) if len(jobs) == 1 else (len(jobs), len(data.train)))
        # Two seeds at once take as long as one, more take turns.
        turns = max(1, len(jobs) // 2)
        rows = [100.0] + [turns * trained * seconds_an_image] * (recipe.epochs - 1)
        history = [{"epoch": 1 + n, "seconds": seconds} for n, seconds in enumerate(rows)]
        return [(job, SimpleNamespace(history=history)) for job in jobs]

    monkeypatch.setattr(costing, "train_together", train_together)
    return timed


@pytest.mark.parametrize(
    ("speed", "images"),
    [
        (1e-4, [2, 64]),  # fast: four whole batches
        (0.025, [2, 32]),  # 40 images a second: two whole batches of 16
        (0.2, [2, 5]),  # five images a second: part of a batch
        (2.0, [2]),  # slower than the limit: the probe says enough
    ],
)
def test_no_timed_epoch_takes_longer_than_the_limit_but_a_probe(monkeypatch, speed, images):
    timed = simulate_machine(monkeypatch, seconds_an_image=speed)
    method = costing._timed_method(TINY, RECIPE, PROBLEM)
    assert seconds_an_image(method, PROBLEM) == pytest.approx(speed)
    assert timed == images


def test_seeds_that_share_a_cuda_device_are_timed_together(monkeypatch):
    timed = simulate_machine(monkeypatch, seconds_an_image=0.01)
    on_cuda = SimpleNamespace(device=SimpleNamespace(type="cuda"))
    monkeypatch.setattr(costing, "start_fabric", lambda _: on_cuda)
    monkeypatch.setattr(costing, "_random_images", lambda number, *_: [None] * number)
    method = costing._timed_method(TINY, RECIPE, PROBLEM)
    assert seconds_an_image(method, PROBLEM, num_seeds=20) == pytest.approx(0.01 / 2)
    # A probe alone; then six whole batches of 16 within a second, eight seeds at once.
    assert timed == [2, (8, 96)]
    assert seconds_an_image(method, PROBLEM, num_seeds=1) == pytest.approx(0.01)


def test_time_is_proportional_to_epochs_and_cases(monkeypatch):
    simulate_machine(monkeypatch, seconds_an_image=0.01)
    assert seed_cost(TINY, RECIPE, PROBLEM).seconds == pytest.approx(10 * 100 * 0.01)


def test_costs_add_up_and_multiply():
    assert Cost(1.0, 2.0) * 3 + Cost(0.5, 0.25) == Cost(3.5, 6.25)

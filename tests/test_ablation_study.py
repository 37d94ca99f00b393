import pytest

from pipeline.calibrators.confidence_bins import MINIMUM_PER_BIN
from pipeline.config import (
    CalibratorConfig,
    LossConfig,
    NetworkConfig,
    Recipe,
    expand_plan,
    read_config,
    read_dataset,
)
from tests.projects import ROOT

CONFIGS = ROOT / "configs"
PLAN = expand_plan(["ablation"], CONFIGS)

# What the method's reviewers asked for: losses compared in one experiment, and calibrators.
QUESTIONS = {
    "gce without ats": (["gce"], ["identity"]),
    "gce with plain temperature scaling": (["gce"], ["temperature", "ats"]),
    "adafocal followed by ats": (["gce", "adafocal"], ["ats"]),
    "gce against label smoothing": (["gce", "label_smoothing"], ["identity", "ats"]),
    "gce against mbls": (["gce", "mbls"], ["identity", "ats"]),
    "gce against mdca": (["gce", "mdca"], ["identity", "ats"]),
}
SMALL = ("breastmnist", "pneumoniamnist")
RECIPES = {"breastmnist": "cpu_small", "pneumoniamnist": "cpu_medium"}


def experiments(**wanted):
    """Return the planned experiments whose row has these values."""
    return [
        row
        for row in PLAN.experiments.values()
        if all(getattr(row, name) == value for name, value in wanted.items())
    ]


@pytest.mark.parametrize("dataset", SMALL)
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_reviewers_question_has_an_experiment_that_answers_it(question, dataset):
    losses, calibrators = QUESTIONS[question]
    (row,) = experiments(dataset=dataset, network="thin_densenet", recipe=RECIPES[dataset])
    assert set(losses) <= set(row.losses)
    assert set(calibrators) <= set(row.calibrators)


@pytest.mark.parametrize("dataset", SMALL)
def test_mixup_differs_from_the_first_experiment_by_mixup_alone(dataset):
    recipe = RECIPES[dataset]
    (plain,) = experiments(dataset=dataset, network="thin_densenet", recipe=recipe)
    (mixed,) = experiments(dataset=dataset, network="thin_densenet", recipe=f"{recipe}_mixup")
    assert mixed.seeds == plain.seeds
    recipes = [
        read_config(CONFIGS / f"recipes/{row.recipe}.yaml", Recipe).model_dump()
        for row in (plain, mixed)
    ]
    alphas = [recipe["augmentation"].pop("mixup_alpha") for recipe in recipes]
    assert alphas[0] == 0 < alphas[1]
    assert recipes[0] == recipes[1]


def test_a_vision_transformer_is_trained_with_gce_and_the_baseline():
    (row,) = experiments(network="thin_vit")
    assert read_config(CONFIGS / "networks/thin_vit.yaml", NetworkConfig).kind == "vit"
    assert {"cross_entropy", "gce"} <= set(row.losses)


def test_ats_is_fitted_with_5_to_50_bins_and_each_of_its_other_settings():
    (names,) = {tuple(row.calibrators) for row in PLAN.experiments.values()}
    fitted = [read_config(CONFIGS / f"calibrators/{name}.yaml", CalibratorConfig) for name in names]
    settings = [each.arguments for each in fitted if each.kind == "ats"]
    # Without arguments ats has its 20 bins.
    for wanted in (
        {"bins": 5},
        {"bins": 10},
        {},
        {"bins": 50},
        {"bins": "auto"},
        {"interpolation": "linear"},
        {"objective": "nll"},
        {"monotone": True},
    ):
        assert wanted in settings


def test_the_study_of_shift_fits_ats_of_5_to_50_bins_where_there_are_cases_for_50():
    rows = PLAN.experiments.values()
    wanted = {name for row in rows for name in row.calibrators if "bins" in name}
    rows = expand_plan(["shift"], CONFIGS).experiments.values()
    (row,) = (each for each in rows if each.dataset == "cifar10_small")
    assert wanted == {"ats_bins_5", "ats_bins_10", "ats_bins_50"}
    assert wanted <= set(row.calibrators)
    dataset = read_dataset(CONFIGS, "cifar10_small")
    assert dataset.expected_cases["calibration"] >= 50 * MINIMUM_PER_BIN


def test_gce_is_tried_at_half_its_weight_with_its_other_marginal_and_as_a_hybrid():
    configs = [
        read_config(CONFIGS / f"losses/{name}.yaml", LossConfig)
        for row in experiments(network="thin_densenet", recipe="cpu_small")
        for name in row.losses
    ]
    tried = [(each.kind, each.arguments) for each in configs]
    for wanted in (
        ("cross_entropy", {}),
        ("gce", {"weight": 0.5}),
        ("gce", {}),
        ("gce", {"marginal": "ema"}),
        ("gce_focal", {}),
    ):
        assert wanted in tried

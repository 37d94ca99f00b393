"""Which experiment stands in which cell of a design."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config import Study
from pipeline.config.claims import Claims
from pipeline.config.dataset import read_dataset
from pipeline.config.method import NetworkConfig, Recipe
from pipeline.config.reading import read_config
from pipeline.errors import InputError
from pipeline.findings.designed import answer_design
from pipeline.findings.lines import answer_lines
from pipeline.findings.records import DataSettings, Settings
from tests.findings.designed_study import DESIGN, cells
from tests.findings.simulated_evidence import experiment_row

CONFIGS = Path(__file__).parents[2] / "configs"
CLAIMS = read_config(CONFIGS / "claims.yaml", Claims)
LEVEL = 0.05


def test_two_experiments_in_one_cell_are_refused():
    every = cells()
    with pytest.raises(InputError, match=r"one experiment a cell .* size/low-low-low-low"):
        answer_design(DESIGN, [*every, every[0]], LEVEL)


def test_a_level_that_the_design_does_not_name_is_refused():
    every = cells()
    strange = every[0].settings.data.model_copy(update={"train_cases_a_class": 51.0})
    every[0] = replace(every[0], settings=every[0].settings.model_copy(update={"data": strange}))
    with pytest.raises(InputError, match=r"images a class 50 or 400 expected, got 51\.0 for size"):
        answer_design(DESIGN, every, LEVEL)


def test_a_setting_that_is_not_there_is_refused_and_so_is_evidence_without_any():
    factor = DESIGN.factors[0].model_copy(update={"setting": "network.arguments.widths.9"})
    design = DESIGN.model_copy(update={"factors": [factor, *DESIGN.factors[1:]]})
    with pytest.raises(InputError, match=r"has no network\.arguments\.widths\.9"):
        answer_design(design, cells(), LEVEL)
    with pytest.raises(InputError, match="`python -m pipeline publish size` writes them"):
        answer_design(DESIGN, [replace(each, settings=None) for each in cells()], LEVEL)


def test_a_suspect_that_is_no_number_is_refused():
    suspect = DESIGN.suspect.model_copy(update={"setting": "recipe.optimiser.kind"})
    design = DESIGN.model_copy(update={"suspect": suspect})
    with pytest.raises(InputError, match=r"above 0 expected as recipe\.optimiser\.kind, got 'sgd'"):
        answer_design(design, cells(), LEVEL)


def configured(study, experiment):
    """A study's experiment as it is configured, with simulated scores."""
    network = read_config(CONFIGS / f"networks/{experiment.network}.yaml", NetworkConfig)
    recipe = read_config(CONFIGS / f"recipes/{experiment.recipe}.yaml", Recipe)
    dataset = read_dataset(CONFIGS, experiment.dataset)
    num_classes = len(dataset.classes)
    data = DataSettings(
        num_classes=num_classes,
        train_cases_a_class=dataset.expected_cases["train"] / num_classes,
    )
    row = experiment_row(
        experiment.dataset, study=study, experiment=experiment.key, seeds=[0, 1, 2]
    )
    return replace(
        cells()[0], row=row, settings=Settings(network=network, recipe=recipe, data=data)
    )


@pytest.mark.parametrize(
    "design",
    [each for each in CLAIMS.designs if (CONFIGS / f"studies/{each.study}.yaml").is_file()],
    ids=lambda design: design.key,
)
def test_the_study_of_a_design_has_every_cell_once_and_both_losses(design):
    study = read_config(CONFIGS / f"studies/{design.study}.yaml", Study)
    every = [configured(design.study, each) for each in study.experiments]
    assert answer_design(design, every, LEVEL).missing == ()
    assert {design.loss, design.against} <= set(study.losses)
    assert {each.calibrator for each in design.responses} <= set(study.calibrators)


@pytest.mark.parametrize(
    "design", [each for each in CLAIMS.designs if each.lines], ids=lambda design: design.key
)
def test_the_study_of_a_design_s_lines_has_every_cell_once_and_both_losses(design):
    study = read_config(CONFIGS / f"studies/{design.lines.study}.yaml", Study)
    every = [configured(design.lines.study, each) for each in study.experiments]
    assert answer_lines(design, every, LEVEL).missing == ()
    assert {design.loss, design.against} <= set(study.losses)
    assert {each.calibrator for each in design.responses} <= set(study.calibrators)


def test_every_network_of_a_design_s_lines_has_as_many_images_pass_through_it():
    study = read_config(CONFIGS / "studies/size_lines.yaml", Study)
    every = [configured("size_lines", each).settings for each in study.experiments]
    passed = {
        each.recipe.epochs * each.data.train_cases_a_class * each.data.num_classes for each in every
    }
    assert passed == {30_000}

from pathlib import Path

import pytest

from pipeline.config import Recipe, read_config
from pipeline.training.schedule import learning_rate_factor

RECIPES = sorted((Path(__file__).parents[2] / "configs/recipes").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_reads_and_uses_all_of_its_milestones(path):
    recipe = read_config(path, Recipe)
    assert all(0 < each < recipe.epochs for each in recipe.schedule.milestones)
    end = learning_rate_factor(recipe.schedule, epoch=recipe.epochs - 0.5, epochs=recipe.epochs)
    assert 0 < end < 1


@pytest.mark.parametrize(
    ("short", "reference"),
    [("medical_28", "medmnist_reference"), ("longtail", "longtail_reference")],
)
def test_a_shortened_recipe_steps_at_the_same_shares_of_its_epochs(short, reference):
    folder = RECIPES[0].parent
    first, second = (read_config(folder / f"{name}.yaml", Recipe) for name in (short, reference))
    assert [each / first.epochs for each in first.schedule.milestones] == [
        each / second.epochs for each in second.schedule.milestones
    ]
    assert first.optimiser == second.optimiser

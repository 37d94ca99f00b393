import pytest

from pipeline.config import Recipe, read_config
from pipeline.errors import InputError

RECIPE = "epochs: 3\nbatch_size: 8\noptimiser: {kind: adam, learning_rate: 0.001}\n"


@pytest.fixture
def recipe_file(tmp_path):
    def write(text):
        path = tmp_path / "fast.yaml"
        path.write_text(text)
        return path

    return write


def test_reads_a_recipe_with_its_defaults(recipe_file):
    recipe = read_config(recipe_file(RECIPE), Recipe)
    assert (recipe.epochs, recipe.optimiser.kind, recipe.precision) == (3, "adam", "float32")


def test_an_unknown_key_is_named_with_its_file_and_the_known_keys(recipe_file):
    with pytest.raises(InputError, match=r"fast\.yaml: unknown key 'epoch'; known keys: epochs, "):
        read_config(recipe_file(RECIPE + "epoch: 4\n"), Recipe)


def test_an_unknown_nested_key_is_named_by_its_path(recipe_file):
    text = RECIPE.replace("learning_rate", "lr: 1, learning_rate")
    with pytest.raises(InputError, match=r"fast\.yaml: unknown key 'optimiser\.lr'"):
        read_config(recipe_file(text), Recipe)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RECIPE.replace("epochs: 3", "epochs: 0"), r"key 'epochs': .*greater than 0, got 0"),
        (RECIPE.replace("epochs: 3\n", ""), r"missing key 'epochs'"),
        (RECIPE + "schedule: {kind: step}\n", r"key 'schedule': 'milestones' go with kind: step"),
        ("- a list\n", r"a mapping of keys expected, got list"),
        ("epochs: [3\n", r"not valid YAML"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_file_and_key(recipe_file, text, message):
    with pytest.raises(InputError, match=rf"fast\.yaml: {message}") as caught:
        read_config(recipe_file(text), Recipe)
    assert "\n" not in str(caught.value)


def test_an_absent_file_is_named_with_its_neighbours(recipe_file):
    path = recipe_file(RECIPE)
    with pytest.raises(InputError, match=r"slow\.yaml: no such file; .* has: fast"):
        read_config(path.with_name("slow.yaml"), Recipe)

import pytest

from pipeline.config import Plan, Recipe, Study, read_config
from pipeline.config.reading import MAX_BYTES
from pipeline.errors import InputError
from tests.mutants import refusals
from tests.projects import ROOT

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


def test_a_value_is_never_told_where_it_is_a_list_or_a_mapping(recipe_file):
    text = RECIPE.replace("epochs: 3", "epochs: {secret: 1}")
    with pytest.raises(InputError, match=r"key 'epochs': Input should be a valid integer$"):
        read_config(recipe_file(text), Recipe)


def test_a_key_stated_twice_is_named_with_file_and_line(recipe_file):
    with pytest.raises(InputError, match=r"fast\.yaml: line 4: key 'epochs' is stated already in"):
        read_config(recipe_file(RECIPE + "epochs: 4\n"), Recipe)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_bytes_that_are_no_utf_8_are_told_by_their_line(recipe_file, encoding):
    path = recipe_file("")
    path.write_bytes((RECIPE + "# für später\n").encode(encoding))
    line = {"latin-1": 4, "utf-16": 1}[encoding]
    with pytest.raises(InputError, match=f"text in UTF-8 expected, got other bytes in line {line}"):
        read_config(path, Recipe)


def test_a_mark_of_the_byte_order_is_passed_over(recipe_file):
    path = recipe_file("")
    path.write_bytes(b"\xef\xbb\xbf" + RECIPE.encode())
    assert read_config(path, Recipe).epochs == 3


def test_a_file_that_is_too_large_is_not_read(recipe_file):
    path = recipe_file(RECIPE)
    assert read_config(recipe_file(RECIPE + "#" * (MAX_BYTES - len(RECIPE))), Recipe).epochs == 3
    path.write_text(RECIPE + "#" * MAX_BYTES)
    with pytest.raises(
        InputError, match=r"fast\.yaml: at most 1,000,000 bytes expected, got 1,000,"
    ):
        read_config(path, Recipe)


@pytest.mark.parametrize(
    ("file", "model"),
    [("recipes/cpu_small.yaml", Recipe), ("studies/quick.yaml", Study), ("plan.yaml", Plan)],
)
def test_a_damaged_file_is_read_or_refused_in_one_line(recipe_file, file, model):
    content = (ROOT / "configs" / file).read_bytes()
    told = refusals(lambda path: read_config(path, model), recipe_file(""), content, number=300)
    assert len(told) > 150
    assert max(len(message) for message in told) < 1000

import pytest

from pipeline.adapters import ACQUIRERS, ADAPTERS, find_adapter
from pipeline.config import read_dataset
from pipeline.errors import InputError
from tests.projects import ROOT

CONFIGS = sorted((ROOT / "configs/datasets").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_data_set_names_an_adapter(path):
    assert callable(find_adapter(read_dataset(ROOT / "configs", path.stem).adapter))


def test_what_is_acquired_by_name_can_be_read_by_that_name():
    assert set(ACQUIRERS) <= set(ADAPTERS)


def test_every_format_has_a_module_and_a_test_of_its_name():
    for name in ADAPTERS:
        folder = ROOT / "pipeline/adapters" / name
        assert folder.with_suffix(".py").is_file() or (folder / "__init__.py").is_file()
        assert (ROOT / "tests/adapters" / f"test_{name}.py").is_file()


def test_an_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="one of cifar, .*, tiny_imagenet, got 'tarot'"):
        find_adapter("tarot")

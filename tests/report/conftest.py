import pytest

from pipeline.report import read_scores
from tests.report.simulated_scores import DIGITS, SCREENING, write_study


@pytest.fixture(scope="session")
def simulated_root(tmp_path_factory):
    """A folder with a plan and the scores of a study of two experiments; not to be changed."""
    root = tmp_path_factory.mktemp("simulated")
    write_study(root, DIGITS, SCREENING)
    return root


@pytest.fixture(scope="session")
def screening(simulated_root):
    return read_scores(simulated_root / "data" / "scores" / "quick" / SCREENING.name)


@pytest.fixture(scope="session")
def digits(simulated_root):
    return read_scores(simulated_root / "data" / "scores" / "quick" / DIGITS.name)

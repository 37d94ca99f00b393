import re

import pytest

from pipeline.errors import InputError
from pipeline.report import printed_table
from tests.report.simulated_scores import SCREENING


@pytest.fixture
def folder(simulated_root):
    return simulated_root / "data/scores/quick" / SCREENING.name


def test_a_table_is_printed_as_its_numbers_or_as_its_look(folder, screening):
    point = screening.point
    header, *rows = printed_table(folder, "operating_points", tex=False).splitlines()
    assert header.startswith("loss,seed,calibrator,target,")
    assert f",{float(point['threshold'])!r}," in "\n".join(rows)
    look = printed_table(folder, "operating_points", tex=True)
    assert look.count(r"\\") == len(rows) + 1
    assert re.search(rf"{point['wrong']} of {point['answered']}", look)


def test_a_table_that_is_not_there_is_named_with_those_that_are(folder):
    with pytest.raises(InputError, match="no table 'coxs'; the experiment has: .*cox, "):
        printed_table(folder, "coxs", tex=False)

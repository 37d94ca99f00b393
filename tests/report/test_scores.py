import shutil

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.report import read_scores
from tests.report.simulated_scores import SCREENING


@pytest.fixture
def folder(simulated_root, tmp_path):
    source = simulated_root / "data" / "scores" / "quick" / SCREENING.name
    return shutil.copytree(source, tmp_path / "scores")


def test_a_class_called_null_keeps_its_name(folder):
    table = pd.read_csv(folder / "per_class.csv")
    table.replace({"class": {"benign": "null"}}).to_csv(folder / "per_class.csv", index=False)
    assert "null" in set(read_scores(folder).per_class["class"])


def test_a_missing_file_is_named(folder):
    (folder / "reliability.csv").unlink()
    with pytest.raises(InputError, match=r"reliability\.csv: no such file: run evaluate first"):
        read_scores(folder)


def test_a_missing_column_is_named(folder):
    table = pd.read_csv(folder / "runs.csv").drop(columns="seed")
    table.to_csv(folder / "runs.csv", index=False)
    with pytest.raises(InputError, match=r"runs\.csv: column 'seed' expected, got: loss, "):
        read_scores(folder)


def test_an_empty_file_is_refused(folder):
    pd.read_csv(folder / "runs.csv").iloc[:0].to_csv(folder / "runs.csv", index=False)
    with pytest.raises(InputError, match=r"runs\.csv: at least one row expected, got none"):
        read_scores(folder)


def test_several_cases_a_patient_are_not_called_patients(screening, digits):
    assert digits.unit == "patients"
    fewer = screening.dataset["patients"] | {"test": 420}
    screening = type(screening)(
        **vars(screening)
        | {"record": screening.record | {"dataset": screening.dataset | {"patients": fewer}}}
    )
    assert screening.unit == "cases"

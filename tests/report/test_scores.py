import dataclasses
import json
import shutil

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.outgoing_text import csv_text
from pipeline.report import read_scores
from tests.report.simulated_scores import SCREENING


@pytest.fixture
def folder(simulated_root, tmp_path):
    source = simulated_root / "data" / "scores" / "quick" / SCREENING.name
    return shutil.copytree(source, tmp_path / "scores")


def test_a_class_called_null_keeps_its_name(folder):
    table = pd.read_csv(folder / "per_class.csv")
    table.replace({"class": {"benign": "null"}}).to_csv(folder / "per_class.csv", index=False)
    assert "null" in set(read_scores(folder).frame("per_class")["class"])


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


def test_operating_points_count_cases_where_nobody_has_two(digits):
    assert digits.unit == "cases"


def test_operating_points_count_patients_where_some_have_several(digits):
    dataset = digits.dataset | {"patients": digits.dataset["patients"] | {"train": 7}}
    several = dataclasses.replace(digits, record=digits.record | {"dataset": dataset})
    assert several.unit == "patients"


def test_scores_from_before_small_groups_were_masked_are_refused(folder):
    record = json.loads((folder / "experiment.json").read_text())
    del record["dataset"]["images"]
    (folder / "experiment.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"'dataset\.images' expected: run evaluate first"):
        read_scores(folder)


def test_a_class_named_like_a_formula_keeps_its_name(folder):
    table = pd.read_csv(folder / "per_class.csv").replace({"class": {"benign": "=benign"}})
    (folder / "per_class.csv").write_text(csv_text(table))
    assert "'=benign" in (folder / "per_class.csv").read_text()
    assert "=benign" in set(read_scores(folder).frame("per_class")["class"])

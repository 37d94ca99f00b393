"""Predictions of partners held against their records and the prepared data."""

import numpy as np
import pandas as pd
import pytest

from pipeline.artifacts import (
    ForeignPredictions,
    Predictions,
    read_foreign,
    read_json,
    read_predictions,
    write_foreign,
    write_json,
    write_predictions,
)
from pipeline.cases import COLUMNS, write_cases
from pipeline.config.plan import Plan, ShiftRow, StudyRow
from pipeline.provenance import array_sha256
from pipeline.verifying.data import datasets_of, recorded_differences, shifted_differences
from tests.test_verify import ROW as WITHOUT_PARTNERS

PARTNERS = {"spoons": "far_ood", "south": "site"}
SHIFTED = "data/shifted/tiny/hand"
ROW = WITHOUT_PARTNERS.model_copy(update={"partners": PARTNERS, "shifted": SHIFTED})


def make_cases(name):
    return pd.DataFrame(
        {
            "case": [f"{name}-{number}" for number in range(4)],
            "patient": [f"{name}-{number // 2}" for number in range(4)],
            "group": "g", "site": "south", "sex": "female", "age": 50.0,
            "label": np.array([0, 1, 1, 0], dtype=np.int32), "split": "test", "source": "x.png",
            "source_sha256": "a" * 64, "pixel_sha256": "b" * 64, "spacing": None, "truth": None,
        }
    )[COLUMNS.names]  # fmt: skip


@pytest.fixture
def project(tmp_path):
    """Two partners, one of foreign cases, as the stages prepare and shift leave them."""
    write_json({"logits_sha256": "t" * 64}, tmp_path / "data/logits/tiny/hand/ce/seed-0/run.json")
    for name, kind in PARTNERS.items():
        cases = make_cases(name)
        folder = tmp_path / "data/prepared" / name
        folder.mkdir(parents=True)
        np.save(folder / "images.npy", np.zeros((4, 2, 2, 1), np.uint8))
        write_cases(cases, folder / "cases.parquet")
        write_json({"fingerprint": name * 8, "reuse": {}}, folder / "card.json")
        keys = cases["case"].to_numpy(dtype=str), cases["patient"].to_numpy(dtype=str)
        logits = np.arange(8, dtype=np.float32).reshape(4, 2)
        path = tmp_path / SHIFTED / name / "ce/seed-0.parquet"
        if kind == "site":
            write_predictions(Predictions(logits, cases["label"].to_numpy(), *keys), path)
        else:
            write_foreign(ForeignPredictions(logits, *keys), path)
        run = {"loss": "ce", "seed": 0, "trained_logits_sha256": "t" * 64}
        run["logits_sha256"] = array_sha256(logits)
        record = {"data_fingerprint": name * 8, "kind": kind, "runs": [run]}
        write_json(record, tmp_path / SHIFTED / name / "shift.json")
    return tmp_path


def differences(project):
    return [(each.path, each.place) for each in shifted_differences(project, ROW)]


def test_what_the_stage_wrote_has_no_difference(project):
    assert differences(project) == []


@pytest.mark.parametrize("name", PARTNERS)
def test_a_changed_logit_is_named_by_its_file(project, name):
    path = project / SHIFTED / name / "ce/seed-0.parquet"
    read, write = (
        (read_predictions, write_predictions) if name == "south" else (read_foreign, write_foreign)
    )
    stored = read(path)
    write(type(stored)(**(vars(stored) | {"logits": stored.logits + np.float32(0.5)})), path)
    expected = (f"{SHIFTED}/{name}/ce/seed-0.parquet", "sha256 of the logits (shift.json)")
    assert differences(project) == [expected]


def test_a_label_and_a_patient_are_held_against_the_prepared_data(project):
    for name in PARTNERS:
        cases = make_cases(name)
        cases.loc[1, "label"] = 0
        cases.loc[2, "patient"] = "somebody else"
        write_cases(cases, project / "data/prepared" / name / "cases.parquet")
    assert differences(project) == [
        (f"{SHIFTED}/spoons/ce/seed-0.parquet", "case spoons-2: patient"),
        (f"{SHIFTED}/south/ce/seed-0.parquet", "case south-1: label"),
        (f"{SHIFTED}/south/ce/seed-0.parquet", "case south-2: patient"),
    ]


def test_other_data_and_another_network_are_found(project):
    card = project / "data/prepared/spoons/card.json"
    write_json(read_json(card) | {"fingerprint": "other"}, card)
    run = project / "data/logits/tiny/hand/ce/seed-0/run.json"
    write_json({"logits_sha256": "u" * 64}, run)
    network = "trained_logits_sha256 of ce/seed-0 (its run.json)"
    assert differences(project) == [
        (f"{SHIFTED}/spoons/shift.json", "data_fingerprint (the prepared data's card.json)"),
        (f"{SHIFTED}/spoons/shift.json", network),
        (f"{SHIFTED}/south/shift.json", network),
    ]


def test_a_run_that_the_record_does_not_tell_of_is_named(project):
    path = project / SHIFTED / "south/shift.json"
    write_json(read_json(path) | {"runs": []}, path)
    assert differences(project) == [(f"{SHIFTED}/south/shift.json", "loss ce, seed 0")]


def test_partners_and_their_predictions_are_held_against_what_dvc_recorded(project):
    row = {"study": "tiny", "experiment": "hand", "trained_on": "hand", "partners": PARTNERS}
    row |= {"data": {}, "losses": ["ce"], "seeds": [0]}
    plan = Plan(
        datasets={}, shifts={"tiny-hand": ShiftRow(**row)},
        experiments={"tiny-hand": ROW},
        studies={"tiny": StudyRow(study="tiny", title="Tiny", experiments=["hand"])},
    )  # fmt: skip
    stages = {
        stage: {"outs": [{"path": path, "hash": "md5", "md5": "0" * 32}]}
        for stage, path in {
            "data@south": "data/prepared/south",
            "shift@tiny-hand": SHIFTED,
            "shift@other": f"{SHIFTED}/spoons",
        }.items()
    }
    write_json({"schema": "2.0", "stages": stages}, project / "dvc.lock")
    found = [each.path for each in recorded_differences(project, plan, "tiny")]
    assert found == ["data/prepared/south", SHIFTED]


def test_a_data_set_that_several_experiments_share_is_looked_at_once():
    other = ROW.model_copy(update={"dataset": "south", "partners": {"spoons": "far_ood"}})
    assert datasets_of([ROW, other]) == ["hand", "spoons", "south"]

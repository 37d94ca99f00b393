import pandas as pd
import pytest

from pipeline.artifacts import write_json
from pipeline.config.plan import Plan
from pipeline.errors import InputError
from pipeline.findings import read_evidence
from tests.findings.simulated_evidence import card, experiment_row

RECIPE = "epochs: 7\nbatch_size: 8\noptimiser: {kind: adam, learning_rate: 0.01}\n"


def plan_of(*rows):
    keyed = {f"{row.study}-{row.experiment}": row for row in rows}
    return Plan(datasets={}, runs={}, shifts={}, experiments=keyed, studies={})


@pytest.fixture
def root(tmp_path):
    (tmp_path / "configs/recipes").mkdir(parents=True)
    (tmp_path / "configs/recipes/short.yaml").write_text(RECIPE)
    folder = tmp_path / "data/scores/medical/busi-thin"
    folder.mkdir(parents=True)
    write_json({"dataset": card()}, folder / "experiment.json")
    runs = {"loss": ["gce"], "calibrator": ["ats"], "seed": [0], "ece": [0.1]}
    pd.DataFrame(runs).to_csv(folder / "runs.csv", index=False)
    return tmp_path


def test_only_the_studies_asked_for_are_read(root):
    plan = plan_of(experiment_row("busi"), experiment_row("digits", study="quick"))
    (found,) = read_evidence(root, plan, ["medical", "shift"])
    assert (found.name, found.epochs, list(found.tables)) == ("medical/busi-thin", 7, ["runs"])


def test_further_tables_are_read_where_they_are_and_their_words_stay_words(root):
    path = root / "data/scores/medical/busi-thin/shift.csv"
    path.write_text("loss,calibrator,seed,partner,severity,ece\ngce,ats,0,2024,1,0.5\n")
    (found,) = read_evidence(root, plan_of(experiment_row("busi")), ["medical"])
    assert found.tables["shift"]["partner"].tolist() == ["2024"]


def test_an_experiment_of_the_plan_without_scores_is_an_error(root):
    plan = plan_of(experiment_row("busi"), experiment_row("bccd"))
    with pytest.raises(InputError, match=r"medical/bccd-thin/runs.csv: no such file: run evaluate"):
        read_evidence(root, plan, ["medical"])


def test_a_table_without_its_keys_is_named(root):
    (root / "data/scores/medical/busi-thin/ood.csv").write_text("loss,seed,auroc\ngce,0,0.5\n")
    with pytest.raises(InputError, match=r"ood.csv: column 'calibrator' expected, got: loss, seed"):
        read_evidence(root, plan_of(experiment_row("busi")), ["medical"])

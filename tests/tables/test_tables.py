import pandas as pd
import pytest

from pipeline.config.plan import ExperimentRow
from pipeline.evaluation import BOOTSTRAP, Experiment, compute_tables, write_scores
from pipeline.report import read_scores, study_files
from pipeline.tables import TABLES
from pipeline.tables.parts.scores import Scores

CLASSES = ["none", "benign", "malignant"]
ROW = ExperimentRow(
    study="tiny",
    experiment="hand",
    dataset="simulated",
    network="none",
    recipe="none",
    losses=["sharp", "fair"],
    seeds=[0, 1],
    calibrators=["identity", "temperature"],
    baseline="sharp",
    headline_loss="fair",
    headline_calibrator="temperature",
    risk_targets=[0.05, 0.2],
    headline_target=0.2,
    delta=0.05,
    partners={},
    shifted="",
)
CARD = {
    "title": "Simulated",
    "classes": CLASSES,
    "critical_classes": ["malignant"],
    "long_tail": {"imbalance_ratio": 100},
    "counts": {
        "train": {"none": 500, "benign": 50, "malignant": 5},
        "test": {"none": 100, "benign": 100, "malignant": 100},
    },
    "patients": {"train": 555, "test": 150},
    "reuse": {},
    "image_size": [8, 8],
    "channels": 1,
    "licence": "none",
    "citation": "none",
    "fingerprint": "0" * 64,
    "show_images": False,
    "simulated": True,
    "notes": [],
}
RECORD = {"revision": "0" * 40, "dirty": False, "data_fingerprint": "0" * 64}
RECORD |= {"config_hash": "0" * 64, "logits_sha256": "0" * 64, "versions": {}, "device": "cpu"}
PROVENANCE = {
    "runs": [
        RECORD | {"loss": loss, "seed": seed, "wall_seconds": 1.0}
        for loss in ROW.losses
        for seed in ROW.seeds
    ],
    "evaluated_by": {"revision": "0" * 40, "dirty": False, "versions": {}},
}


def experiment_tables(runs, row, card):
    return compute_tables(Experiment(runs, row, card))


@pytest.fixture(scope="module")
def tables(runs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BOOTSTRAP, "num_resamples", 20)
        yield experiment_tables(runs, ROW, CARD)


def test_the_report_reads_every_table_and_shows_it(tables, tmp_path):
    history = pd.DataFrame({"loss": ["fair"], "seed": [0], "epoch": [1]})
    write_scores(
        tables | {"history": history}, ROW, card=CARD, provenance=PROVENANCE, folder=tmp_path
    )
    scores = read_scores(tmp_path)
    optional = ("accepted", "groups", "costs", "levels", "net_benefit", "smooth_curve")
    assert not any(scores.frame(name).empty for name in optional)
    files = study_files("tiny", "Tiny", [scores])
    shown = {name.split("/")[-1] for name in files}
    assert {"groups.csv", "costs.svg", "net_benefit_0.svg", "levels.csv"} <= shown
    assert {"class_risk.csv", "cox.csv", "prediction_sets.csv", "group_scores.csv"} <= shown
    assert {"group_curves.svg", "long_tail_curves.svg", "referral_benefit_0.svg"} <= shown


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_was_not_computed_is_not_shown(name):
    assert TABLES[name].tables(Scores({}, {}, frames={})) == []


def test_equal_predictions_give_equal_tables(tables, runs, monkeypatch):
    monkeypatch.setitem(BOOTSTRAP, "num_resamples", 20)
    for name, table in experiment_tables(runs, ROW, CARD).items():
        pd.testing.assert_frame_equal(table, tables[name], check_exact=True)


def test_the_baseline_and_the_headline_are_compared_closely_under_every_calibrator():
    row = ROW.model_copy(
        update={
            "losses": ["cross_entropy", "gce", "focal"],
            "calibrators": ["identity", "temperature", "ats", "vector"],
            "baseline": "cross_entropy",
            "headline_loss": "gce",
            "headline_calibrator": "ats",
        }
    )
    every = {(loss, calibrator) for loss in row.losses for calibrator in row.calibrators}
    assert every - Experiment([], row, CARD).compared_closely == {("focal", "vector")}


def test_groups_and_costs_are_of_first_seeds_at_the_headlines_target(tables):
    for name in ("groups", "costs"):
        assert set(tables[name]["target"]) == {0.2}
        assert set(tables[name]["seed"]) == {0}
        assert set(tables[name]["loss"]) == {"sharp", "fair"}


def test_the_workload_is_told_at_the_test_patients_own_prevalence_and_at_the_stated(
    tables, runs, monkeypatch
):
    assert set(tables["workload"]["prevalence"]) == {"test"}
    assert set(tables["workload"]["loss"]) == {"sharp", "fair"}
    monkeypatch.setitem(BOOTSTRAP, "num_resamples", 5)
    row = ROW.model_copy(update={"prevalence": {"none": 0.9, "benign": 0.08, "malignant": 0.02}})
    table = experiment_tables(runs, row, CARD)["workload"]
    arriving = table[(table["prevalence"] == "stated") & (table["policy"] == "model")]
    assert arriving.groupby("class")["arriving"].first().to_dict() == pytest.approx(
        {"": 1000, "none": 900, "benign": 80, "malignant": 20}
    )


def test_costs_of_errors_have_tables_only_where_they_are_stated(tables, runs, monkeypatch):
    names = {"cost_selection", "cost_coverage", "cost_points"}
    assert not names & set(tables)
    monkeypatch.setitem(BOOTSTRAP, "num_resamples", 5)
    row = ROW.model_copy(update={"costs": {"malignant": {"none": 10.0}}})
    found = experiment_tables(runs, row, CARD)
    assert names <= set(found)
    assert (found["cost_points"]["largest_cost"] == 10).all()
    assert set(found["cost_points"]["target"]) == {0.05, 0.2}


def test_what_is_known_of_one_model_is_known_of_the_headline(tables):
    names = (
        "accepted",
        "class_risk",
        "group_curves",
        "group_scores",
        "levels",
        "class_calibration",
    )
    for name in names:
        assert set(tables[name]["loss"]) == {"fair"}
        assert set(tables[name]["seed"]) == {0}


def test_net_benefit_refers_nobody_and_referral_is_told_apart(tables):
    assert set(tables["net_benefit"]["policy"]) == {"model", "act_on_all", "act_on_none"}
    assert "model_with_referral" in set(tables["referral_benefit"]["policy"])


def test_tables_that_an_experiment_cannot_have_are_left_out(
    runs_without_threshold_cases, monkeypatch
):
    monkeypatch.setitem(BOOTSTRAP, "num_resamples", 5)
    row = ROW.model_copy(
        update={"losses": ["fair"], "seeds": [0], "baseline": "fair", "calibrators": ["identity"]}
    ).model_copy(update={"headline_calibrator": "identity"})
    card = CARD | {"critical_classes": [], "long_tail": None}
    runs = [
        type(run)(**(vars(run) | {"calibrators": {"identity": run.calibrators["identity"]}}))
        for run in runs_without_threshold_cases
    ]
    tables = experiment_tables(runs, row, card)
    absent = {"net_benefit", "referral_benefit", "long_tail", "long_tail_curves", "differences"}
    assert not absent & set(tables)
    assert all(len(table) for name, table in tables.items() if name != "exact_band")

import numpy as np
import pytest
import yaml

from pipeline.artifacts import (
    read_foreign,
    read_json,
    read_predictions,
    read_prepared,
    write_json,
)
from pipeline.cases import write_cases
from pipeline.errors import InputError
from pipeline.hashes import HASHES, write_hashes
from pipeline.provenance import array_sha256
from pipeline.stages import shift, train
from tests.training.examples import CPU, draw_cases, make_cases, write_project

EXPERIMENT = "data/logits/study/experiment"
SHIFTED = "data/shifted/study/experiment"
LOSSES, SEEDS = ("cross_entropy", "ldam"), (0, 1)


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch):
    for name, value in CPU.items():
        monkeypatch.setenv(name, value)


def by_patient(num_cases=60):
    """Three cases a patient, who is in one split."""
    patients = [f"patient-{number // 3}" for number in range(num_cases)]
    return make_cases(num_cases).assign(patient=patients, group=patients)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Two losses, one of them with a cosine head, of two seeds each."""
    root = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CPU.items():
            patch.setenv(name, value)
        train.run(write_project(root, losses=LOSSES, seeds=SEEDS, cases=by_patient()), root=root)
    return root


def write_partner(root, name, images, cases, **card):
    folder = root / "data/prepared" / name
    folder.mkdir(parents=True)
    np.save(folder / "images.npy", images)
    write_cases(cases, folder / "cases.parquet")
    own = read_json(root / "data/prepared/squares/card.json")
    write_json(own | {"fingerprint": "e" * 64} | card, folder / "card.json")
    write_hashes(folder)


def elsewhere(num_cases=30):
    """Cases of other patients, all of them to test."""
    cases = make_cases(num_cases)
    return cases.assign(
        split="test", patient="other-" + cases["patient"], case="other-" + cases["case"]
    )


def plan_partners(root, **partners):
    """Give the experiment these partners, by kind, and no others; return the row's key."""
    path = root / "configs/plan.yaml"
    plan = yaml.safe_load(path.read_text())
    plan["shifts"] = {
        "study-experiment": {
            "study": "study", "experiment": "experiment", "trained_on": "squares",
            "partners": partners, "data": {}, "losses": list(LOSSES), "seeds": list(SEEDS),
        }
    }  # fmt: skip
    path.write_text(yaml.safe_dump(plan))
    return "study-experiment"


@pytest.mark.parametrize("loss", LOSSES)
def test_a_models_own_test_cases_get_the_logits_that_training_wrote(project, loss):
    shift.run(plan_partners(project, squares="site"), root=project)
    for seed in SEEDS:
        found = read_predictions(project / SHIFTED / f"squares/{loss}/seed-{seed}.parquet")
        written = read_predictions(project / EXPERIMENT / f"{loss}/seed-{seed}/test.parquet")
        np.testing.assert_array_equal(found.logits, written.logits)
        np.testing.assert_array_equal(found.labels, written.labels)
        np.testing.assert_array_equal(found.cases, written.cases)
        assert found.groups.equals(written.groups)


def test_how_many_images_are_held_at_a_time_changes_no_case(project, monkeypatch):
    key = plan_partners(project, squares="site")
    shift.run(key, root=project)
    path = project / SHIFTED / "squares/ldam/seed-0.parquet"
    whole = read_predictions(path).logits
    for module in ("pipeline.shifting", "pipeline.training.prediction"):
        monkeypatch.setattr(f"{module}.VALUES_AT_ONCE", 3 * 8 * 8)
    shift.run(key, root=project)
    # Batches of another size may be summed in another order.
    np.testing.assert_allclose(read_predictions(path).logits, whole, rtol=1e-5, atol=1e-5)


def test_images_of_another_size_and_in_colour_are_matched_and_have_no_label(project):
    images, _ = draw_cases(30, size=(12, 10), channels=3)
    card = {"classes": ["spoon", "fork"], "image_size": [12, 10], "channels": 3}
    write_partner(project, "cutlery", images, elsewhere(), **card)
    shift.run(plan_partners(project, cutlery="far_ood"), root=project)
    for loss in LOSSES:
        found = read_foreign(project / SHIFTED / f"cutlery/{loss}/seed-0.parquet")
        assert found.logits.shape == (30, 3)
        assert found.logits.dtype == np.float32
        assert found.cases.tolist() == elsewhere()["case"].tolist()


def test_all_partners_of_an_experiment_are_predicted_together(project):
    images, _ = draw_cases(30)
    for name in ("first", "second"):
        write_partner(project, name, images, elsewhere())
    shift.run(plan_partners(project, first="far_ood", second="site"), root=project)
    assert {path.name for path in (project / SHIFTED).iterdir()} == {
        HASHES,
        "first",
        "second",
    }
    for name, kind in (("first", "far_ood"), ("second", "site")):
        assert read_json(project / SHIFTED / name / "shift.json")["kind"] == kind


def test_only_the_partners_test_cases_are_predicted(project):
    images, _ = draw_cases(60)
    cases = elsewhere(60)
    cases["split"] = make_cases(60)["split"]
    write_partner(project, "divided", images, cases, classes=["a", "b"])
    shift.run(plan_partners(project, divided="near_ood"), root=project)
    found = read_foreign(project / SHIFTED / "divided/ldam/seed-1.parquet")
    assert found.cases.tolist() == cases.loc[cases["split"] == "test", "case"].tolist()


def test_the_record_says_which_network_gave_which_logits(project):
    images, _ = draw_cases(30)
    write_partner(project, "recorded", images, elsewhere())
    shift.run(plan_partners(project, recorded="corruption"), root=project)
    record = read_json(project / SHIFTED / "recorded/shift.json")
    assert (record["data_fingerprint"], record["kind"]) == ("e" * 64, "corruption")
    assert [(run["loss"], run["seed"]) for run in record["runs"]] == [
        (loss, seed) for loss in LOSSES for seed in SEEDS
    ]
    for run in record["runs"]:
        place = f"{run['loss']}/seed-{run['seed']}"
        logits = read_predictions(project / SHIFTED / f"recorded/{place}.parquet").logits
        assert run["logits_sha256"] == array_sha256(logits)
        trained = read_json(project / EXPERIMENT / place / "run.json")
        assert run["trained_logits_sha256"] == trained["logits_sha256"]


def test_a_partner_that_cannot_be_is_refused_and_leaves_nothing(project):
    images, _ = draw_cases(30)
    known = elsewhere().assign(patient=by_patient(30)["patient"])
    write_partner(project, "known", images, known)
    write_partner(project, "renamed", images, elsewhere(), classes=["bright", "grey", "dark"])
    write_partner(project, "signed", images.astype(np.int16), elsewhere())
    write_partner(project, "untested", images, elsewhere().assign(split="train"))
    for name, kind, message in (
        ("known", "site", "unseen patients expected, got 9 of another split than test"),
        ("renamed", "corruption", r"classes \['dark', 'grey', 'bright'\] expected, got \['bright"),
        ("signed", "far_ood", "pixels of type uint8 expected, as was trained on, got int16"),
        ("untested", "far_ood", "partner untested of squares: no case in split test"),
    ):
        with pytest.raises(InputError, match=message):
            shift.run(plan_partners(project, **{name: kind}), root=project)
        assert not (project / SHIFTED / name).exists()


def test_foreign_cases_may_share_keys_with_those_trained_on(project):
    images, _ = draw_cases(30)
    known = elsewhere().assign(patient=by_patient(30)["patient"])
    write_partner(project, "namesakes", images, known)
    shift.run(plan_partners(project, namesakes="far_ood"), root=project)
    found = read_foreign(project / SHIFTED / "namesakes/ldam/seed-0.parquet")
    assert len(found) == len(read_prepared(project / "data/prepared/namesakes").rows("test"))

import shutil

import pytest
import yaml

from pipeline import costing, doctor
from pipeline.acquiring import MIRROR_VARIABLE
from pipeline.artifacts import write_json
from pipeline.costing import Cost
from pipeline.doctor import diagnose
from pipeline.errors import InputError
from tests.projects import ROOT, STUDY

KINDS = ("datasets", "networks", "recipes", "losses", "calibrators")
EXPECTED = {"train": 1000, "val": 100, "calibration": 200, "threshold": 100, "test": 400}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The project's configs, a study of two data sets, and a machine where a seed takes an hour."""
    for kind in KINDS:
        shutil.copytree(ROOT / "configs" / kind, tmp_path / "configs" / kind)
    experiments = [
        {"dataset": name, "network": "thin_densenet", "recipe": "quick_digits"}
        for name in ("digits", "phantom")
    ]
    write_yaml(tmp_path / "configs/studies/tiny.yaml", STUDY | {"experiments": experiments})
    monkeypatch.setattr(costing, "seed_cost", lambda *_, **__: Cost(3600.0, 1e9))
    monkeypatch.delenv(MIRROR_VARIABLE, raising=False)
    return tmp_path


def write_yaml(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))


def change_dataset(project, name, **changes):
    path = project / f"configs/datasets/{name}.yaml"
    write_yaml(path, yaml.safe_load(path.read_text()) | changes)


def lines(project, *studies, **keywords):
    """Return the diagnosis as (topic, text)."""
    split = [line.split(maxsplit=1) for line in diagnose(project, studies, **keywords)]
    return [(topic, text) for topic, text in split]


def test_says_what_the_machine_has(project):
    found = dict(lines(project, "tiny"))
    assert "torch" in found["versions"]
    assert "CPU threads" in found["device"]
    assert found["disk"].endswith("GB free")
    assert found["mirrors"] == "none: PIPELINE_MIRROR is not set"


def test_costs_a_study_whose_data_are_not_there_yet(project):
    for name in ("digits", "phantom"):
        change_dataset(project, name, expected_cases=EXPECTED, image_size=[8, 8], channels=1)
    found = lines(project, "tiny")
    # Two losses, one seed. Three classes, three calibrators, 500 cases in float64: 0.000072 GB.
    assert ("cost", "tiny-phantom-thin_densenet: 2 losses x 1 seeds: 2.0 h, 2.0 GB") in found
    total = next(text for topic, text in found if topic == "total")
    assert total.startswith("4.0 h, 4.0 GB: ")
    plan = next(text for topic, text in found if topic == "plan")
    # Two data sets, two experiments trained and evaluated, one report and the front page.
    assert plan == f"{2 + 2 * 2 + 1 + 1} stages; 2 of them train 4 seeds"


def test_says_what_more_devices_would_take_at_best(project):
    for name in ("digits", "phantom"):
        change_dataset(project, name, expected_cases=EXPECTED, image_size=[8, 8], channels=1)
    found = dict(lines(project, "tiny", devices=8))
    # Four hours by eight; what is written stays as much.
    assert found["devices"].startswith("30.0 min, 4.0 GB: at best, on 8 like this one")
    assert "devices" not in dict(lines(project, "tiny"))


def test_writes_nothing(project):
    before = sorted(project.rglob("*"))
    lines(project, "tiny")
    assert sorted(project.rglob("*")) == before


def test_says_which_data_set_it_cannot_cost(project):
    change_dataset(project, "digits", expected_cases=EXPECTED)
    found = lines(project, "tiny")
    assert ("cost", "tiny-phantom-thin_densenet: unknown until phantom is prepared") in found
    total = next(text for topic, text in found if topic == "total")
    assert total.startswith("2.0 h, 2.0 GB, and 1 experiments more: ")


def test_a_prepared_data_set_counts_as_it_is(project, monkeypatch):
    change_dataset(project, "digits", expected_cases=EXPECTED)
    card = {
        "counts": {"train": {"a": 7}, "test": {"a": 3}},
        "reuse": {},
        "image_size": [8, 8],
        "channels": 1,
        "classes": ["a", "b"],
    }
    write_json(card, project / "data/prepared/digits/card.json")
    seen = []
    monkeypatch.setattr(costing, "seed_cost", lambda *given, **_: seen.append(given) or Cost(0, 0))
    lines(project, "tiny")
    assert [problem.num_train for _, _, problem in seen] == [7]


def test_warns_where_the_disk_is_too_small(project, monkeypatch):
    change_dataset(project, "digits", expected_cases=EXPECTED)
    monkeypatch.setattr(costing, "seed_cost", lambda *_, **__: Cost(0.0, 1e18))
    assert lines(project, "tiny")[-1] == ("WARNING", "the disk is too small for that")


def test_looks_for_source_files_in_the_mirrors(project, monkeypatch):
    mirror = project / "mirror"
    mirror.mkdir()
    (mirror / "breastmnist.npz").write_bytes(b"something else")
    monkeypatch.setenv(MIRROR_VARIABLE, f"{mirror}:{project / 'nowhere'}")
    study = STUDY | {
        "experiments": [
            {"dataset": name, "network": "thin_resnet10", "recipe": "medical_28"}
            for name in ("breastmnist", "pneumoniamnist")
        ]
    }
    write_yaml(project / "configs/studies/small.yaml", study)
    found = lines(project, "small")
    assert ("mirror", f"{mirror}: found") in found
    assert ("mirror", f"{project / 'nowhere'}: NOT FOUND") in found
    sources = [text for topic, text in found if topic == "source"]
    assert sources[0].endswith(f"breastmnist.npz in {mirror} WITH ANOTHER CHECKSUM")
    assert sources[1].endswith("pneumoniamnist_reordered.npz NOT FOUND and without a URL")


def test_an_embedded_source_is_not_sought(project):
    sources = [text for topic, text in lines(project, "tiny") if topic == "source"]
    assert any(text.endswith(": comes with the pipeline") for text in sources)
    assert not any("NOT FOUND" in text for text in sources)


def test_without_studies_the_plan_that_is_written_counts(project):
    with pytest.raises(InputError, match="no plan yet"):
        list(diagnose(project))


def test_a_study_that_does_not_exist_is_refused(project):
    with pytest.raises(InputError, match=r"studies/none\.yaml: no such file; .* has: tiny"):
        list(diagnose(project, ["none"]))


def test_times_a_real_network_of_the_study(project, monkeypatch):
    monkeypatch.undo()
    change_dataset(project, "digits", expected_cases=EXPECTED, image_size=[8, 8])
    row = doctor.expand_plan(["tiny"], project / "configs").experiments["tiny-digits-thin_densenet"]
    cost = doctor._experiment_cost(project, row, doctor._problem(project, "digits"))
    assert cost.seconds > 0
    assert cost.num_bytes > 0

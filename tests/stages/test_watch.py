import json

import numpy as np
import pytest
import yaml
from PIL import Image

from pipeline.errors import InputError
from pipeline.stages import watch
from tests.projects import STUDY, make_project
from tests.sources import DIVIDED, make_dataset

PLANTED = "Doe_Jane"


def configure(root, **changes):
    path = root / "configs/datasets/own.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    stated = {"adapter": "image_folder", "arguments": {"folder": "../hospital"}} | changes
    path.write_text(yaml.safe_dump(make_dataset(**stated).model_dump(exclude_none=True)))


def write_pictures(folder, number):
    folder.mkdir(parents=True, exist_ok=True)
    for each in range(number):
        random = np.random.default_rng([*folder.name.encode(), each])
        pixels = random.integers(0, 256, (4, 4), np.uint8)
        Image.fromarray(pixels).save(folder / f"{PLANTED}_{each}.png")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder in which commands run, beside a hospital's."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.delenv("PIPELINE_IDENTITY_KEY", raising=False)
    write_pictures(tmp_path / "hospital/ill", 3)
    return root


def test_a_change_in_the_folder_is_noted_and_nothing_of_what_is_in_it(project):
    configure(project)
    noted = project / "data/watched/own.json"
    states = []
    for number in (3, 3, 4):
        if number == 4:
            write_pictures(project.parent / "hospital/ill", number)
        watch.run("own", root=project)
        states.append(json.loads(noted.read_text())["state"])
        assert PLANTED not in noted.read_text()
    assert states[0] == states[1] != states[2]


def test_another_project_notes_the_same_folder_otherwise(project, tmp_path, monkeypatch):
    configure(project)
    watch.run("own", root=project)
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    configure(other)
    watch.run("own", root=other)
    first, second = (root / "data/watched/own.json" for root in (project, other))
    assert first.read_text() != second.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"own\.yaml: key 'arguments\.folder': a folder to watch expected, got none"),
        ({"folder": "../absent"}, r"own\.yaml: \.\./absent: no such folder"),
    ],
)
def test_what_has_no_folder_cannot_be_watched(project, arguments, message):
    configure(project, arguments=arguments)
    with pytest.raises(InputError, match=message):
        watch.run("own", root=project)


@pytest.mark.slow
def test_dvc_sees_every_change_behind_a_link_and_learns_no_name(tmp_path):
    project = make_project(tmp_path / "project")
    for name in ("healthy", "ill"):
        write_pictures(tmp_path / "hospital" / name, 20)
    write_pictures(tmp_path / "disk", 5)
    (tmp_path / "hospital/ill/linked").symlink_to(tmp_path / "disk")
    (tmp_path / "hospital/ill/gone").symlink_to(tmp_path / "nowhere")
    configure(project.root, splits={"divide": DIVIDED, "seed": 1}, max_quarantined_share=0.1)
    experiment = {"dataset": "own", "network": "tiny", "recipe": "tiny"}
    project.write_yaml("configs/studies/mine.yaml", STUDY | {"experiments": [experiment]})
    project.pipeline("plan", "mine")
    first = project.run("dvc", "repro", "data@own").stdout
    assert "own: 45 cases read, 1 quarantined: 1 broken link" in first
    again = project.run("dvc", "repro", "data@own").stdout
    assert "Running stage 'watch@own'" in again
    assert "Running stage 'data@own'" not in again
    (tmp_path / "disk" / f"{PLANTED}_0.png").unlink()
    changed = project.run("dvc", "repro", "data@own").stdout
    assert "own: 44 cases read, 1 quarantined: 1 broken link" in changed
    naming = [
        path
        for path in project.root.rglob("*")
        if path.is_file() and f"{PLANTED}_".encode() in path.read_bytes()
    ]
    assert naming == []

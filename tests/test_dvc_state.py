import os
import shutil
import stat
import subprocess

import pytest

from pipeline.dvc_state import STATE, close_state
from pipeline.errors import InputError
from tests.projects import ROOT

PLANTED = "Doe_Jane_19510203"
STAGE = "stages: {data: {cmd: mkdir -p out, deps: [../hospital], outs: [out]}}\n"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_its_owners_alone_though_dvc_opened_it_to_all(tmp_path):
    close_state(tmp_path)
    assert mode(tmp_path / STATE) == 0o700
    (tmp_path / STATE).chmod(0o777)
    close_state(tmp_path)
    assert mode(tmp_path / STATE) == 0o700


def test_a_file_in_its_place_is_refused_in_one_line(tmp_path):
    (tmp_path / STATE).write_text("")
    with pytest.raises(InputError, match=rf"{STATE}: a folder expected that is yours alone"):
        close_state(tmp_path)


@pytest.mark.slow
def test_dvc_keeps_the_names_of_a_hospitals_files_there_and_git_sees_none(tmp_path, monkeypatch):
    monkeypatch.delenv("DVC_SITE_CACHE_DIR", raising=False)
    project = tmp_path / "project"
    for name in (".dvc/config", ".dvcignore", ".gitignore"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, project / name)
    (tmp_path / "hospital").mkdir()
    (tmp_path / "hospital" / f"{PLANTED}.dcm").write_text("pixels")
    (project / "dvc.yaml").write_text(STAGE)
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    subprocess.run(["dvc", "repro", "--quiet"], cwd=project, check=True, env=environment)
    close_state(project)
    naming = [
        path
        for path in project.rglob("*")
        if path.is_file() and PLANTED.encode() in path.read_bytes()
    ]
    assert naming
    assert {path.relative_to(project).parts[0] for path in naming} == {STATE}
    assert mode(project / STATE) == 0o700
    listed = ["git", "ls-files", "--others", "--exclude-standard"]
    seen = subprocess.run(listed, cwd=project, check=True, capture_output=True, text=True).stdout
    assert "dvc.lock" in seen
    assert STATE not in seen

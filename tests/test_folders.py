"""Folders that appear whole or not at all."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.folders import PARTIAL, place_of, whole_folder
from pipeline.hashes import HASHES, require_intact


def test_a_folder_takes_its_place_whole(tmp_path):
    with whole_folder(tmp_path / "out") as folder:
        (folder / "file").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out/file").read_text() == "new"


def write_half(target):
    with whole_folder(target) as folder:
        (folder / "file").write_text("half")
        (folder / "absent").read_text()


@pytest.fixture
def output(tmp_path):
    """A folder below `data` of a project, where stages may replace what is there."""
    (tmp_path / "configs").mkdir()
    return tmp_path / "data/raw/own"


def test_an_error_leaves_the_old_folder_and_nothing_else(output):
    with whole_folder(output) as folder:
        (folder / "file").write_text("old")
    with pytest.raises(FileNotFoundError, match="absent"):
        write_half(output)
    assert [path.name for path in output.parent.iterdir()] == ["own"]
    assert not (output.parents[1] / PARTIAL).exists()
    assert (output / "file").read_text() == "old"


def write(target, text):
    with whole_folder(target) as folder:
        (folder / "file").write_text(text)


def test_an_output_is_replaced_though_its_files_are_links_into_a_cache(output, tmp_path):
    write(output, "old")
    cached = tmp_path / "cache"
    cached.write_text("old")
    cached.chmod(0o444)
    for name, link in (("hard", "hardlink_to"), ("soft", "symlink_to")):
        getattr(output / name, link)(cached)
    write(output, "new")
    assert [path.name for path in output.iterdir()] == ["file"]
    assert cached.read_text() == "old"


def test_an_output_is_replaced_below_a_data_folder_that_is_a_link(output, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    write(output, "old")
    write(output, "new")
    assert (tmp_path / "disk/raw/own/file").read_text() == "new"


def test_nothing_is_replaced_that_this_project_did_not_make(tmp_path):
    (tmp_path / "data/victim").mkdir(parents=True)
    (tmp_path / "data/victim/file").write_text("precious")
    with pytest.raises(InputError, match="victim holds something that this project did not make"):
        write(tmp_path / "data/victim", "new")
    assert (tmp_path / "data/victim/file").read_text() == "precious"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["victim"]


def test_what_a_user_names_is_never_replaced_though_it_is_an_output(output):
    write(output, "old")
    message = "holds something already: name a new folder"
    with pytest.raises(InputError, match=message), whole_folder(output, new=True):
        pass
    assert (output / "file").read_text() == "old"


def test_nothing_is_put_into_a_release(tmp_path):
    with whole_folder(tmp_path / "release", hashed=True) as folder:
        (folder / "release.json").write_text("{}")
    message = "lies in the release release: name a folder outside it"
    with (
        pytest.raises(InputError, match=message),
        whole_folder(tmp_path / "release/deep/out", new=True),
    ):
        pass
    require_intact(tmp_path / "release")


def test_other_hashes_above_are_no_reason_to_write_nothing(tmp_path):
    (tmp_path / HASHES).write_text("of what was downloaded")
    with whole_folder(tmp_path / "out", new=True) as folder:
        (folder / "file").write_text("new")
    assert (tmp_path / "out/file").read_text() == "new"


def test_a_folder_that_is_left_empty_may_be_filled(tmp_path):
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", "new")
    assert (tmp_path / "out/file").read_text() == "new"


def write_while_another_writes(target):
    with whole_folder(target) as folder:
        (folder / "file").write_text("new")
        target.mkdir()
        (target / "file").write_text("precious")


def test_what_appears_in_the_folder_meanwhile_is_not_replaced(tmp_path):
    with pytest.raises(InputError, match="did not make"):
        write_while_another_writes(tmp_path / "out")
    assert (tmp_path / "out/file").read_text() == "precious"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path, victim: path.symlink_to(victim), r"own is a link: remove it"),
        (lambda path, victim: path.write_text("precious"), r"own is a file: remove it"),
    ],
)
def test_a_link_or_a_file_in_the_place_is_left_as_it_is(output, tmp_path, spoil, message):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").write_text("precious")
    output.parent.mkdir(parents=True)
    spoil(output, victim)
    with pytest.raises(InputError, match=message):
        write(output, "new")
    assert (victim / "file").read_text() == "precious"
    assert [path.name for path in output.parent.iterdir()] == ["own"]


def test_a_way_out_of_the_outputs_is_refused(output, tmp_path):
    (tmp_path / "victim").mkdir()
    with pytest.raises(InputError, match=r"a folder expected that is named without '\.\.'"):
        write(output / "../../../victim", "new")


def test_hashes_are_written_where_they_are_asked_for(output):
    with whole_folder(output, hashed=True) as folder:
        (folder / "file").write_text("new")
    require_intact(output)
    write(output, "new")
    assert not (output / HASHES).exists()


def test_a_folder_is_written_beside_what_stages_depend_on(output):
    with whole_folder(output) as folder:
        assert folder.parents[1] == output.parents[1] / PARTIAL
        assert list(output.parent.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path

from pipeline.folders import whole_folder

with whole_folder(Path(sys.argv[1])) as folder:
    (folder / "file").write_text("half")
    print("written", flush=True)
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
"""


def start_writing(target, what):
    command = [sys.executable, "-c", KILLED, str(target), what]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, cwd=Path.cwd(), **pipes)


@pytest.mark.parametrize("name", ["own", "other"])
def test_what_a_kill_leaves_is_cleared_by_the_next_run(output, name):
    process = start_writing(output, "kill")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    partial = output.parents[1] / PARTIAL
    assert len(list(partial.iterdir())) == 1
    assert not output.exists()
    write(output.parent / name, "new")
    assert not partial.exists()


def test_what_a_kill_leaves_outside_of_a_project_is_cleared_as_well(tmp_path):
    start_writing(tmp_path / "out", "kill").communicate()
    (tmp_path / ".out-notes").mkdir()
    (tmp_path / ".out-notes/file").write_text("precious")
    assert len(list(tmp_path.glob(".out-*"))) == 2
    write(tmp_path / "out", "new")
    assert [path.name for path in tmp_path.glob(".out-*")] == [".out-notes"]
    assert (tmp_path / ".out-notes/file").read_text() == "precious"


def test_what_another_run_is_writing_is_left_alone(output):
    process = start_writing(output, "wait")
    assert process.stdout.readline() == b"written\n"
    write(output, "first")
    process.communicate()
    assert process.returncode == 0
    assert (output / "file").read_text() == "half"
    assert not (output.parents[1] / PARTIAL).exists()


def test_a_folder_that_was_killed_before_it_was_locked_is_cleared(output):
    leftover = output.parents[1] / PARTIAL / "raw-x"
    leftover.mkdir(parents=True)
    write(output, "new")
    assert not leftover.exists()


def test_two_runs_that_put_a_folder_in_its_place_at_once_both_succeed(output, monkeypatch):
    write(output, "old")
    rename, tries = Path.replace, []

    def just_after_another(self, target):
        if target == output and not tries:
            tries.append(target)
            output.mkdir()
            (output / "file").write_text("of the other run")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", just_after_another)
    write(output, "new")
    assert tries == [output]
    assert (output / "file").read_text() == "new"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "^no space left in data/raw$"),
        (errno.EROFS, "^data/raw: Read-only file system$"),
    ],
)
def test_a_disk_that_refuses_is_one_line_and_leaves_the_old_folder(output, number, message):
    write(output, "old")

    def write_to_full_disk():
        with whole_folder(output) as folder:
            (folder / "file").write_text("half")
            raise OSError(number, "no")

    with pytest.raises(InputError, match=message):
        write_to_full_disk()
    assert (output / "file").read_text() == "old"
    assert not (output.parents[1] / PARTIAL).exists()


def test_a_place_is_called_by_what_it_holds(output, tmp_path):
    assert place_of(output) == "data/raw"
    assert place_of(tmp_path / "data/checkpoints/abc/finished") == "data/checkpoints"
    assert place_of(tmp_path / "elsewhere/out") == str(tmp_path / "elsewhere")


def test_a_place_that_takes_no_folder_is_told_and_not_tried_for_ever(tmp_path, monkeypatch):
    def absent(**_):
        raise FileNotFoundError

    # As below /proc, which is there and where nothing can be.
    monkeypatch.setattr("tempfile.mkdtemp", absent)
    with (
        pytest.raises(InputError, match="no folder can be made in it"),
        whole_folder(tmp_path / "out", new=True),
    ):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["file/out", "file/in/between/out"])
def test_a_file_above_is_told(tmp_path, place):
    (tmp_path / "file").write_text("kept")
    with (
        pytest.raises(InputError, match="a folder expected, got a file above it"),
        whole_folder(tmp_path / place, new=True),
    ):
        pass
    assert (tmp_path / "file").read_text() == "kept"

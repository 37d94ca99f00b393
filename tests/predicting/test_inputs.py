import os
import shutil
import zipfile
from collections import namedtuple

import pytest

from pipeline.disk_faults import DiskFaultError
from pipeline.errors import InputError
from pipeline.predicting.inputs import find_files
from tests.sources import write_zip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "scratch").mkdir()
    return tmp_path / "in"


def write(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def find(folder, *inputs):
    return find_files(inputs or [folder], folder.parent / "scratch")


def names(files):
    return [file.name for file in files]


def test_a_folder_gives_every_file_at_any_depth_by_its_path_from_the_folder_on(folder):
    write(folder, "b/2.dcm", "1.dcm", "._1.dcm")
    assert names(find(folder)) == ["in/1.dcm", "in/b/2.dcm"]


def test_what_is_given_twice_is_one(folder):
    write(folder, "1.dcm")
    assert names(find(folder, folder, folder / "1.dcm")) == ["in/1.dcm"]


def test_files_of_one_name_are_told_apart_by_their_folders(folder):
    write(folder, "a/1.dcm", "b/1.dcm")
    assert names(find(folder, folder / "a/1.dcm", folder / "b/1.dcm")) == ["a/1.dcm", "b/1.dcm"]


def test_archives_are_unpacked_under_numbers_whatever_their_members_are_called(folder):
    write_zip(folder / "all.zip", {"../../out.dcm": b"one", "x/2.NII.GZ": b"two"})
    files = find(folder)
    assert [(file.path.name, file.path.read_bytes()) for file in files] == [
        ("0.dcm", b"one"),
        ("1.nii.gz", b"two"),
    ]
    assert all(file.path.is_relative_to(folder.parent / "scratch") for file in files)


def test_links_are_followed_and_those_that_lead_nowhere_are_told(folder):
    write(folder, "a/1.dcm")
    (folder / "b").symlink_to(folder / "a")
    (folder / "c.dcm").symlink_to(folder / "nothing")
    (folder / "around").symlink_to(folder.parent)
    assert {file.name: file.fault for file in find(folder)} == {
        "in/a/1.dcm": "",
        "in/around": "link to a folder around it",
        "in/c.dcm": "broken link",
    }


def test_a_pipe_is_told_and_not_waited_for(folder):
    os.mkfifo(folder / "pipe")
    assert [file.fault for file in find(folder)] == ["neither a file nor a folder"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"PK no archive", "damaged or no archive"), (b"", "damaged or no archive")],
)
def test_a_damaged_archive_is_a_file_that_cannot_be_read(folder, content, fault):
    (folder / "a.zip").write_bytes(content)
    (file,) = find(folder)
    assert (file.name, file.fault) == ("in/a.zip", fault)


def test_an_empty_archive_and_one_within_another_are_not_passed_over(folder):
    write_zip(folder / "empty.zip", {})
    write_zip(folder / "outer.zip", {"inner.zip": b"PK"})
    assert [file.fault for file in find(folder)] == [
        "archive without a file",
        "archive in an archive",
    ]


def test_a_member_that_unfolds_too_far_is_told_and_the_others_are_read(folder):
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.dcm", bytes(2**25))
        archive.writestr("filler.dcm", os.urandom(2**18), zipfile.ZIP_STORED)
    bomb, filler = find(folder)
    assert bomb.fault == "compressed too far to hold an image"
    assert (filler.fault, filler.path.stat().st_size) == ("", 2**18)


def test_an_archive_that_unfolds_too_far_as_a_whole_is_not_unpacked(folder):
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(40):
            archive.writestr(f"{number}.dcm", bytes(2**20))
    (file,) = find(folder)
    assert file.fault == "compressed too far to hold an image"
    assert list((folder.parent / "scratch").iterdir()) == []


def test_refuses_an_archive_for_which_there_is_no_room(folder, monkeypatch):
    write_zip(folder / "a.zip", {"1.dcm": bytes(100)})
    usage = namedtuple("usage", "total used free")(100, 1, 99)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DiskFaultError, match=r"a\.zip: no room to unpack its 100 bytes"):
        find(folder)


def test_refuses_an_input_that_is_not_there(folder):
    with pytest.raises(InputError, match="nothing: no such file or folder"):
        find(folder, folder / "nothing")

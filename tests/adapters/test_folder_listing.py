import os
import unicodedata

import pytest

from pipeline.adapters.folder_listing import (
    FAULTS,
    canonical_path,
    folder_state,
    list_folder,
    require_distinct,
)
from pipeline.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """A folder with two files, beside a folder of another disk."""
    for name in ("in/a.png", "in/deep/b.png", "in/.hidden/c.png", "in/._a.png", "disk/x/d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path / "in"


def test_files_are_listed_at_any_depth_but_for_hidden_ones(folder):
    listing = list_folder(folder)
    assert listing.files == ["a.png", "deep/b.png"]
    assert listing.faults == {}


def test_a_linked_folder_is_followed_once(folder):
    for link in ("one", "two"):
        (folder / link).symlink_to(folder.parent / "disk")
    assert list_folder(folder).files == ["a.png", "deep/b.png", "one/x/d.png"]


def test_a_folder_that_lies_within_is_listed_by_its_own_path_and_not_by_a_link(folder):
    (folder / "a link to it").symlink_to("deep")
    assert list_folder(folder).files == ["a.png", "deep/b.png"]


@pytest.mark.parametrize("target", [".", "..", "../..", "deep", "../in/deep"])
def test_a_link_in_a_circle_ends_no_listing(folder, target):
    (folder / "deep/again").symlink_to(target)
    assert list_folder(folder).files == ["a.png", "deep/b.png"]


def test_links_that_lead_to_each_other_end(folder):
    (folder / "to disk").symlink_to(folder.parent / "disk")
    (folder.parent / "disk/back").symlink_to(folder)
    assert list_folder(folder).files == ["a.png", "deep/b.png", "to disk/x/d.png"]


def test_a_folder_around_is_not_read_and_its_link_is_listed(folder):
    (folder / "deep/up").symlink_to(folder.parent)
    listing = list_folder(folder)
    assert listing.files == ["a.png", "deep/b.png"]
    assert listing.faults == {"deep/up": "link to a folder around it"}


def test_what_cannot_be_read_is_listed_with_its_reason(folder, monkeypatch):
    (folder / "gone").symlink_to("nowhere")
    (folder / "deep/itself").symlink_to("itself")
    os.mkfifo(folder / "pipe")
    (folder / "locked").mkdir()
    listed = os.listdir

    def refusing(path):
        if path == folder / "locked":
            raise PermissionError
        return listed(path)

    monkeypatch.setattr(os, "listdir", refusing)
    listing = list_folder(folder)
    assert listing.files == ["a.png", "deep/b.png"]
    assert listing.faults == {
        "deep/itself": "broken link",
        "gone": "broken link",
        "locked": "unreadable folder",
        "pipe": "neither a file nor a folder",
    }
    assert set(listing.faults.values()) <= FAULTS.keys()


def test_a_name_that_is_no_text_is_listed(folder):
    os.close(os.open(os.fsencode(folder) + b"/M\xfcller.png", os.O_CREAT))
    assert os.fsencode(list_folder(folder).files[0]) == b"M\xfcller.png"


@pytest.mark.parametrize(
    "stated", ["ill/Läsion.png", "./ill//Läsion.png", ".\\ill\\Läsion.png", "x/../ill/Läsion.png"]
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_every_spelling_of_a_path_is_one(stated, form):
    assert canonical_path(unicodedata.normalize(form, stated)) == "ill/L\u00e4sion.png"


def test_the_state_of_a_folder_changes_with_every_file_link_and_time_in_it(folder):
    (folder / "linked").symlink_to(folder.parent / "disk")
    changes = [
        lambda: None,
        lambda: (folder.parent / "disk/x/d.png").write_text("longer"),
        lambda: os.utime(folder / "a.png", ns=(0, 1)),
        lambda: (folder / "a.png").rename(folder / "c.png"),
        lambda: (folder / "gone").symlink_to("nowhere"),
        lambda: (folder / "gone").unlink(),
    ]
    states = []
    for change in changes:
        change()
        states.append(folder_state(folder))
    assert folder_state(folder) == states[-1]
    # The broken link came and went; every other change stays.
    assert len(set(states)) == len(states) - 1
    assert states[3] == states[5]


def test_two_files_that_are_shown_as_one_are_refused():
    require_distinct(["a", "b"], "in")
    with pytest.raises(InputError, match="in: paths that differ in more than .* got 1 that do not"):
        require_distinct(["a", "b", "a"], "in")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="absent: no such folder"):
        list_folder(tmp_path / "absent")

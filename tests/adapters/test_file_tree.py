import hashlib
import unicodedata
import zipfile

import pytest

from pipeline.adapters.file_tree import open_tree, write_tree
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.refused import Refused
from pipeline.errors import InputError
from tests.sources import write_zip

FILES = {"ill/b.png": b"b", "healthy/a.png": b"a", "ill/deep/c.png": b"c"}
PSEUDONYMS = Pseudonyms(b"a key of sixteen bytes")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / ".hidden").write_bytes(b"")
    return folder


@pytest.fixture
def raw(tmp_path):
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


HIDDEN = {"pseudonyms": PSEUDONYMS, "public": {"ill", "healthy"}}


def test_a_zip_and_a_folder_hold_the_same_tree(raw, folder):
    write_zip(raw / "tree.zip", FILES)
    write_tree(raw, folder)
    for where in (None, folder):
        with open_tree(raw, where) as tree:
            assert tree.names() == sorted(FILES)
            assert {name: tree.read(name) for name in tree.names()} == FILES
            assert tree.num_bytes() == 3


def test_hidden_names_open_the_same_files_and_keep_the_classes(raw, folder):
    write_tree(raw, folder, **HIDDEN)
    index = (raw / "files.csv").read_text()
    assert ".png" not in index
    assert "deep" not in index
    assert not any(hashlib.sha256(content).hexdigest() in index for content in FILES.values())
    with open_tree(raw, folder, PSEUDONYMS) as tree:
        assert sorted(tree.read(name) for name in tree.names()) == [b"a", b"b", b"c"]
        assert [name.split("/")[0] for name in tree.names()] == ["healthy", "ill", "ill"]


def test_another_key_opens_nothing(raw, folder):
    write_tree(raw, folder, **HIDDEN)
    other = Pseudonyms(b"another key of sixteen")
    with (
        pytest.raises(InputError, match="no such file .* run acquire again"),
        open_tree(raw, folder, other),
    ):
        pass


def test_a_file_that_changed_is_refused_and_one_that_went_stops(raw, folder):
    write_tree(raw, folder)
    (folder / "ill/b.png").write_bytes(b"B")
    with open_tree(raw, folder) as tree, pytest.raises(Refused, match="changed since it was"):
        tree.read("ill/b.png")
    (folder / "ill/b.png").unlink()
    with (
        pytest.raises(InputError, match=r"ill/b\.png: no such file any more"),
        open_tree(raw, folder),
    ):
        pass


@pytest.mark.parametrize("hidden", [{}, HIDDEN])
def test_links_are_read_and_broken_ones_are_listed(raw, folder, tmp_path, hidden):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/d.png").write_bytes(b"d")
    (folder / "ill/linked").symlink_to(tmp_path / "disk")
    (folder / "ill/gone").symlink_to("nowhere")
    write_tree(raw, folder, **hidden)
    with open_tree(raw, folder, hidden.get("pseudonyms")) as tree:
        assert sorted(tree.read(name) for name in tree.names()) == [b"a", b"b", b"c", b"d"]
        assert list(tree.faults().values()) == ["broken link"]
        assert "nowhere" not in (raw / "files.csv").read_text()


def test_a_zip_made_on_a_mac_holds_the_tree_of_the_folder_it_was_made_of(raw):
    twins = {f"__MACOSX/{name.replace('/', '/._')}": b"twin" for name in FILES}
    write_zip(raw / "tree.zip", FILES | twins | {".DS_Store": b"", "ill/.DS_Store": b""})
    with open_tree(raw) as tree:
        assert {name: tree.read(name) for name in tree.names()} == FILES
        assert tree.num_bytes() == 3


def test_a_zip_spells_paths_as_its_system_did_and_the_tree_as_one(raw):
    members = {
        "./ill/a.png": b"a", "ill\\b.png": b"b", "ill\\": b"",
        unicodedata.normalize("NFD", "ill/Läsion.png"): b"c",
    }  # fmt: skip
    write_zip(raw / "tree.zip", members)
    with open_tree(raw) as tree:
        found = {name: tree.read(name) for name in tree.names()}
    assert found == {"ill/a.png": b"a", "ill/b.png": b"b", "ill/L\u00e4sion.png": b"c"}


def test_a_path_out_of_a_zip_is_not_passed_over(raw):
    write_zip(raw / "tree.zip", {"../a.png": b"a"})
    with open_tree(raw) as tree:
        assert tree.names() == ["../a.png"]


def test_two_members_that_are_one_path_are_refused(raw, folder):
    forms = [unicodedata.normalize(form, "ill/Läsion.png") for form in ("NFC", "NFD")]
    write_zip(raw / "tree.zip", dict.fromkeys(forms, b""))
    with pytest.raises(InputError, match=r"tree\.zip: paths that .* got 1 that do"), open_tree(raw):
        pass
    for name in forms:
        (folder / name).write_bytes(b"")
    with pytest.raises(InputError, match="folder: paths that differ .* got 1 that do not"):
        write_tree(raw, folder, **HIDDEN)


def test_a_file_that_cannot_be_read_is_listed_and_refused_with_its_reason(raw, folder, monkeypatch):
    def failing(path):
        raise PermissionError(path)

    write_tree(raw, folder)
    with open_tree(raw, folder) as tree:
        monkeypatch.setattr("pathlib.Path.read_bytes", failing)
        with pytest.raises(Refused, match="unreadable file"):
            tree.read("ill/b.png")
    monkeypatch.setattr("pipeline.adapters.file_tree.file_digest", failing)
    write_tree(raw, folder)
    with open_tree(raw, folder) as tree:
        assert tree.faults() == dict.fromkeys(sorted(FILES), "unreadable file")


def test_the_table_of_labels_is_left_out(raw, folder):
    (folder / "labels.csv").write_text("file,label\n")
    write_tree(raw, folder, leave_out=folder / "labels.csv")
    with open_tree(raw, folder) as tree:
        assert tree.names() == sorted(FILES)


def test_a_file_that_claims_too_much_is_refused_unread(raw, folder, monkeypatch):
    monkeypatch.setattr("pipeline.adapters.file_tree.MAX_FILE_BYTES", 1000)
    with zipfile.ZipFile(raw / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", b"\0" * 1001)
    with open_tree(raw) as tree, pytest.raises(Refused, match="file claims too many bytes"):
        tree.read("bomb.png")
    (folder / "ill/b.png").write_bytes(b"\0" * 1001)
    write_tree(raw, folder)
    with open_tree(raw, folder) as tree, pytest.raises(Refused, match="file claims too many bytes"):
        tree.read("ill/b.png")


def test_a_damaged_member_is_refused_and_a_damaged_zip_stops(raw):
    path = raw / "tree.zip"
    write_zip(path, {"a.png": b"pixels"})
    content = path.read_bytes()
    path.write_bytes(content.replace(b"pixels", b"pixelz", 1))
    with open_tree(raw) as tree, pytest.raises(Refused, match="damaged in the archive"):
        tree.read("a.png")
    path.write_bytes(content[:20])
    with pytest.raises(InputError, match=r"tree\.zip: damaged or no \.zip archive"), open_tree(raw):
        pass


def test_an_index_of_other_columns_is_refused(raw, folder):
    (raw / "files.csv").write_text("file,sha256\nill/b.png,0\n")
    with (
        pytest.raises(
            InputError, match=r"files\.csv: an index with .* expected: run acquire again"
        ),
        open_tree(raw, folder),
    ):
        pass


def test_nothing_acquired_is_said_so(raw, folder, tmp_path):
    with pytest.raises(InputError, match=r"one \.zip file expected, got 0"), open_tree(raw):
        pass
    with (
        pytest.raises(InputError, match="no index of the folder: run acquire first"),
        open_tree(raw, folder),
    ):
        pass
    with pytest.raises(InputError, match="absent: no such folder"):
        write_tree(raw, tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: the folder holds no file"):
        write_tree(raw, tmp_path / "empty")

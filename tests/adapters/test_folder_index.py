import hashlib

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.adapters.dicom.header import HeaderScanner
from pipeline.adapters.folder_index import read_index, write_index
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.label_table import LabelTableArguments
from pipeline.errors import InputError
from tests.dicom_files import write_image, write_table

PIXELS = np.zeros((4, 4), np.uint16)
KEY = Pseudonyms(b"a key for the tests")


def index(tmp_path, raw="raw", **changes):
    folder = tmp_path / "in"
    table = write_table(tmp_path / "labels.csv", [("ID1", "ill")])
    arguments = LabelTableArguments(table=str(table), key="patient", key_column="key")
    (tmp_path / raw).mkdir()
    scanner = HeaderScanner(folder, KEY, {}, 2**20)
    write_index(tmp_path / raw, scanner, arguments, ["healthy", "ill"], **changes)
    return read_index(tmp_path / raw)


def test_files_are_listed_in_the_order_of_their_paths(tmp_path):
    for name in ("b/2.dcm", "a/9.dcm", "a/10.dcm", ".hidden/x.dcm", "a/.DS_Store"):
        write_image(tmp_path / "in" / name, PIXELS, name=name)
    found = index(tmp_path, is_public=True)
    assert [each.source for each in found.files] == ["a/10.dcm", "a/9.dcm", "b/2.dcm"]


def test_what_was_written_is_read(tmp_path):
    place = {"ImagePositionPatient": [1, 2, 3], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    write_image(tmp_path / "in/a.dcm", PIXELS, PatientID="ID1", **place)
    (tmp_path / "in/b.txt").write_text("no image")
    found = index(tmp_path, is_public=True)
    scanner = HeaderScanner(tmp_path / "in", KEY, {}, 2**20)
    assert found.files == [scanner("a.dcm"), scanner("b.txt")]
    assert found.labels[KEY("patient", "ID1")].label == 1


def test_a_damaged_index_is_one_line_that_names_it(tmp_path):
    write_image(tmp_path / "in/a.dcm", PIXELS)
    index(tmp_path)
    path = tmp_path / "raw/files.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["sop"]), path)
    with pytest.raises(InputError, match=r"files\.parquet: an index of files expected"):
        read_index(tmp_path / "raw")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"files\.parquet: no Parquet file, or a damaged one"):
        read_index(tmp_path / "raw")


def test_the_same_folder_gives_the_same_bytes(tmp_path):
    write_image(tmp_path / "in/a.dcm", PIXELS)
    for raw in ("one", "two"):
        index(tmp_path, raw)
    for name in ("files.parquet", "labels.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_index_holds_neither_the_folder_nor_a_time(tmp_path):
    write_image(tmp_path / "in/a.dcm", PIXELS)
    index(tmp_path)
    names = pq.read_schema(tmp_path / "raw/files.parquet").names
    assert not {"mtime", "path", "folder"} & set(names)
    assert str(tmp_path).encode() not in (tmp_path / "raw/files.parquet").read_bytes()


def test_neither_names_nor_hashes_of_files_are_told_without_the_key(tmp_path):
    path = tmp_path / "in/Doe^Jane/a.dcm"
    write_image(path, PIXELS)
    path.with_name("no image.txt").write_text("Doe^Jane")
    digests = [hashlib.sha256(each.read_bytes()).hexdigest() for each in path.parent.iterdir()]
    found = index(tmp_path).files
    folder = f"~{KEY('path', 'Doe^Jane')}"
    assert [each.source for each in found] == [
        f"{folder}/~{KEY('path', name)}" for name in ("a.dcm", "no image.txt")
    ]
    assert {each.sha256 for each in found} == {KEY.of_content(digest) for digest in digests}
    # Where nobody is in the folder a data set is the same in every project.
    public = index(tmp_path, "public", is_public=True).files
    assert {each.sha256 for each in public} == set(digests)


def test_links_are_followed_and_broken_ones_are_listed_whatever_they_are_called(tmp_path):
    write_image(tmp_path / "disk/Doe^Jane/a.dcm", PIXELS)
    write_image(tmp_path / "in/b.dcm", PIXELS, name="b")
    (tmp_path / "in/more").symlink_to(tmp_path / "disk")
    (tmp_path / "in/gone").symlink_to(tmp_path / "nowhere")
    found = index(tmp_path, is_public=True).files
    assert [(each.source, each.fault) for each in found] == [
        ("b.dcm", ""), ("gone", "broken link"), ("more/Doe^Jane/a.dcm", ""),
    ]  # fmt: skip


def test_a_path_is_keyed_alike_however_a_system_spells_it(tmp_path):
    names = ("L\u00e4sion/1.dcm", "La\u0308sion/2.dcm", "a\\3.dcm")
    for name in names:
        write_image(tmp_path / "in" / name, PIXELS, name=name)
    keys = {each.file for each in index(tmp_path).files}
    assert keys == {
        KEY("file", name) for name in ("L\u00e4sion/1.dcm", "L\u00e4sion/2.dcm", "a/3.dcm")
    }


def test_two_paths_that_are_shown_as_one_are_refused(tmp_path):
    for number, name in enumerate(("L\u00e4sion.dcm", "La\u0308sion.dcm")):
        write_image(tmp_path / "in" / name, PIXELS, name=str(number))
    with pytest.raises(InputError, match="paths that differ in more than their form of Unicode"):
        index(tmp_path)

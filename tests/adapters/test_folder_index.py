import numpy as np
import pyarrow.parquet as pq

from pipeline.adapters.dicom.header import HeaderScanner
from pipeline.adapters.folder_index import read_index, write_index
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.label_table import LabelTableArguments
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
    found = index(tmp_path)
    assert [each.source for each in found.files] == ["a/10.dcm", "a/9.dcm", "b/2.dcm"]


def test_what_was_written_is_read(tmp_path):
    place = {"ImagePositionPatient": [1, 2, 3], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    write_image(tmp_path / "in/a.dcm", PIXELS, PatientID="ID1", **place)
    (tmp_path / "in/b.txt").write_text("no image")
    found = index(tmp_path)
    scanner = HeaderScanner(tmp_path / "in", KEY, {}, 2**20)
    assert found.files == [scanner("a.dcm"), scanner("b.txt")]
    assert found.labels[KEY("patient", "ID1")].label == 1


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


def test_a_path_is_written_as_it_may_be_shown(tmp_path):
    write_image(tmp_path / "in/Doe^Jane/a.dcm", PIXELS)
    sources = [each.source for each in index(tmp_path, shown=str.upper).files]
    assert sources == ["DOE^JANE/A.DCM"]

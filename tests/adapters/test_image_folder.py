import hashlib
import unicodedata

import numpy as np
import pytest

from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.identity import load_pseudonyms
from pipeline.adapters.image_folder import acquire, read
from pipeline.errors import InputError
from tests.sources import encode, make_dataset, mirrored, write_zip

OFFICIAL = {"official": True, "divide": {"train": {"train": 0.5, "val": 0.5}}}
TABLE = {
    "key": "file", "key_column": "file", "patient_column": "patient", "site_column": "site",
    "sex_column": "sex", "age_column": "age",
}  # fmt: skip


def picture(value):
    return encode(np.full((4, 4), value, np.uint8))


FILES = {
    "ill/Doe_Jane_1.png": picture(1),
    "healthy/x/Roe_2.png": picture(2),
    "healthy/Roe_3.tif": encode(np.full((8, 8), 3, np.uint8), "TIFF"),
}
ROWS = """file,label,patient,site,sex,age
ill/Doe_Jane_1.png,ill,Doe Jane,north,f,41
healthy/x/Roe_2.png,healthy,Roe,south,,97
healthy/Roe_3.tif,healthy,Roe,south,male,
"""


@pytest.fixture(autouse=True)
def identity_key(monkeypatch):
    monkeypatch.setenv("PIPELINE_IDENTITY_KEY", "a key of at least sixteen bytes")


@pytest.fixture
def raw(tmp_path):
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


def write_folder(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return str(folder)


def read_all(raw, dataset):
    found = list(read(raw, dataset))
    cases = [each for each in found if isinstance(each, Case)]
    return cases, [each for each in found if isinstance(each, Quarantined)]


def test_the_first_folder_is_the_class(raw):
    write_zip(raw / "f.zip", FILES)
    cases, left_out = read_all(raw, make_dataset())
    assert [(case.case, case.label) for case in cases] == [
        ("healthy/Roe_3.tif", 0),
        ("healthy/x/Roe_2.png", 0),
        ("ill/Doe_Jane_1.png", 1),
    ]
    assert [case.image.flat[0] for case in cases] == [3, 2, 1]
    assert {case.image.shape for case in cases} == {(4, 4, 1)}
    assert left_out == []


def test_official_splits_are_the_folders_above_the_classes(raw):
    names = ["train/ill/a.png", "test/healthy/b.png"]
    write_zip(raw / "f.zip", {f"set/{name}": picture(0) for name in names})
    dataset = make_dataset(splits=OFFICIAL, arguments={"inside": "set"})
    cases, _ = read_all(raw, dataset)
    assert [(case.split, case.label) for case in cases] == [("test", 0), ("train", 1)]


def test_what_is_no_class_or_no_picture_is_listed_with_its_reason(raw):
    strangers = {"dead/a.png": picture(0), "b.png": picture(0), "ill/notes.txt": b"notes"}
    write_zip(raw / "f.zip", FILES | strangers)
    cases, left_out = read_all(raw, make_dataset())
    assert len(cases) == 3
    assert sorted((each.source, each.reason) for each in left_out) == [
        ("b.png", "in no class's folder"),
        ("dead/a.png", "in no class's folder"),
        ("ill/notes.txt", "not a picture"),
    ]


def test_a_teams_own_folder_is_read_without_its_names(raw, tmp_path):
    folder = write_folder(tmp_path / "own", FILES)
    (tmp_path / "labels.csv").write_text(ROWS)
    table = TABLE | {"table": str(tmp_path / "labels.csv")}
    dataset = make_dataset(arguments={"folder": folder, "labels": table})
    acquire(raw, dataset)
    cases, left_out = read_all(raw, dataset)
    assert left_out == []
    by_value = {int(case.image.flat[0]): case for case in cases}
    assert [by_value[value].label for value in (1, 2, 3)] == [1, 0, 0]
    assert by_value[2].patient == by_value[3].patient != by_value[1].patient
    assert [by_value[value].site for value in (1, 2, 3)] == ["north", "south", "south"]
    assert [by_value[value].sex for value in (1, 2, 3)] == ["female", "not recorded", "male"]
    assert [by_value[value].age for value in (1, 2, 3)] == [41.0, 90.0, None]  # older than 90: 90
    for case in cases:
        shown = f"{case.case} {case.patient} {case.source}"
        assert not any(word in shown for word in ("Doe", "Jane", "Roe"))
    for path in raw.iterdir():
        assert not any(word in path.read_bytes() for word in (b"Doe", b"Jane", b"Roe"))


def write_table_in_other_forms(path):
    path.write_text(
        "file,label,patient\n"
        ".\\ill\\La\u0308sion 1.png,ill,p1\n"
        "./healthy/x/Roe_2.png,healthy,p2\n"
        "healthy//La\u0308sion 3.tif,healthy,p3\n",
        encoding="utf-8",
    )
    table = {"key": "file", "key_column": "file", "patient_column": "patient"}
    return table | {"table": str(path)}


ACCENTED = dict(
    zip(
        ("ill/L\u00e4sion 1.png", "healthy/x/Roe_2.png", "healthy/L\u00e4sion 3.tif"),
        FILES.values(),
        strict=True,
    )
)


def test_a_path_in_the_table_is_matched_however_it_is_spelt(raw, tmp_path):
    folder = write_folder(tmp_path / "own", ACCENTED)
    table = write_table_in_other_forms(tmp_path / "labels.csv")
    dataset = make_dataset(arguments={"folder": folder, "labels": table, "inside": "./"})
    acquire(raw, dataset)
    cases, left_out = read_all(raw, dataset)
    assert sorted((int(case.image.flat[0]), case.label) for case in cases) == [
        (1, 1), (2, 0), (3, 0),
    ]  # fmt: skip
    assert left_out == []


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_class_folder_is_known_in_either_form_of_unicode(raw, tmp_path, form):
    classes = ["gesund", unicodedata.normalize(form, "Läsion")]
    names = {f"La\u0308sion/{number}.png": picture(number) for number in (1, 2)}
    folder = write_folder(tmp_path / "own", names | {"gesund/3.png": picture(3)})
    dataset = make_dataset(classes=classes, arguments={"folder": folder})
    acquire(raw, dataset)
    cases, left_out = read_all(raw, dataset)
    assert [case.label for case in cases] == [1, 1, 0]
    assert left_out == []
    write_zip(raw / "f.zip", names)
    cases, _ = read_all(raw, make_dataset(classes=classes))
    assert [case.label for case in cases] == [1, 1]


def test_a_broken_link_is_listed_and_a_linked_folder_read(raw, tmp_path):
    folder = write_folder(tmp_path / "own", FILES)
    write_folder(tmp_path / "disk", {"Poe.png": picture(4)})
    (tmp_path / "own/ill/more").symlink_to(tmp_path / "disk")
    (tmp_path / "own/gone").symlink_to(tmp_path / "nowhere")
    dataset = make_dataset(arguments={"folder": folder})
    acquire(raw, dataset)
    cases, left_out = read_all(raw, dataset)
    assert sorted(int(case.image.flat[0]) for case in cases) == [1, 2, 3, 4]
    assert [(each.reason, each.advice) for each in left_out] == [
        ("broken link", "mend or remove the link")
    ]


@pytest.mark.parametrize(("column", "expected"), [("patient", "patient"), (None, "image")])
def test_a_picture_whose_patient_no_column_names_counts_as_one_and_says_so(
    raw, tmp_path, column, expected
):
    folder = write_folder(tmp_path / "own", FILES)
    (tmp_path / "labels.csv").write_text(ROWS)
    table = TABLE | {"table": str(tmp_path / "labels.csv"), "patient_column": column}
    dataset = make_dataset(arguments={"folder": folder, "labels": table})
    acquire(raw, dataset)
    cases, _ = read_all(raw, dataset)
    assert {case.patient_is for case in cases} == {expected}


def test_the_hash_of_an_own_picture_is_keyed_and_of_a_public_one_is_not(raw, tmp_path):
    plain = {hashlib.sha256(content).hexdigest() for content in FILES.values()}
    folder = write_folder(tmp_path / "own", FILES)
    dataset = make_dataset(arguments={"folder": folder})
    acquire(raw, dataset)
    cases, _ = read_all(raw, dataset)
    keyed = {load_pseudonyms().of_content(digest) for digest in plain}
    assert {case.source_sha256 for case in cases} == keyed
    write_zip(raw / "f.zip", FILES)
    cases, _ = read_all(raw, make_dataset())
    assert {case.source_sha256 for case in cases} == plain


def test_a_published_table_keeps_its_patients_and_splits(raw, tmp_path, monkeypatch):
    rows = "file,label,who,split\nill/a.png,ill,p1,train\nhealthy/b.png,healthy,p2,test\n"
    monkeypatch.setenv("PIPELINE_MIRROR", str(tmp_path))
    write_zip(tmp_path / "f.zip", {"all/ill/a.png": picture(1), "all/healthy/b.png": picture(2)})
    (tmp_path / "rows.csv").write_text(rows)
    table = {
        "table": "rows.csv", "key": "file", "key_column": "file", "patient_column": "who",
        "split_column": "split",
    }  # fmt: skip
    files = [{"name": name, "md5": digest(tmp_path / name)} for name in ("f.zip", "rows.csv")]
    dataset = make_dataset(
        files=files, splits=OFFICIAL, arguments={"inside": "all", "labels": table}
    )
    acquire(raw, dataset)
    cases, _ = read_all(raw, dataset)
    assert [(case.patient, case.split, case.label) for case in cases] == [
        ("p2", "test", 0),
        ("p1", "train", 1),
    ]


def digest(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_a_file_without_a_row_and_rows_that_contradict_are_listed(raw, tmp_path):
    folder = write_folder(tmp_path / "own", FILES)
    rows = [row for row in ROWS.splitlines() if "Roe_3" not in row]
    contradiction = "ill/Doe_Jane_1.png,healthy,Doe Jane,north,f,41"
    (tmp_path / "own/labels.csv").write_text("\n".join([*rows, contradiction]))
    table = TABLE | {"table": str(tmp_path / "own/labels.csv")}
    dataset = make_dataset(arguments={"folder": folder, "labels": table})
    acquire(raw, dataset)
    cases, left_out = read_all(raw, dataset)
    assert len(cases) == 1
    assert sorted(each.reason for each in left_out) == ["conflicting labels", "no label"]


@pytest.mark.parametrize(("allowed", "expected"), [(False, ["row 5 of the labels"]), (True, [])])
def test_a_row_without_a_picture_is_listed_unless_the_table_is_of_more(
    raw, tmp_path, allowed, expected
):
    folder = write_folder(tmp_path / "own", FILES)
    (tmp_path / "labels.csv").write_text(f"{ROWS.rstrip()}\nill/gone.png,ill,Poe,north,f,50\n")
    table = TABLE | {
        "table": str(tmp_path / "labels.csv"), "allow_rows_without_files": allowed,
    }  # fmt: skip
    dataset = make_dataset(arguments={"folder": folder, "labels": table})
    acquire(raw, dataset)
    cases, left_out = read_all(raw, dataset)
    assert len(cases) == 3
    assert [each.source for each in left_out] == expected
    assert all(each.reason == "no file for this row" for each in left_out)


def test_an_unknown_argument_is_refused(raw):
    with pytest.raises(InputError, match="Small: arguments: unknown key 'path'"):
        next(read(raw, make_dataset(arguments={"path": "x"})))


def test_the_real_textures_are_read(raw):
    (raw / "f.zip").symlink_to(mirrored("dtd10_64_folder.zip"))
    classes = ["banded", "crystalline"]
    splits = {"official": True, "test_only": True}
    dataset = make_dataset(classes=classes, splits=splits, image_size=[64, 64], channels=3)
    cases, left_out = read_all(raw, dataset)
    assert [sum(case.label == label for case in cases) for label in (0, 1)] == [120, 120]
    assert {each.reason for each in left_out} == {"in no class's folder"}
    assert len(left_out) == 960  # eight other classes of 120

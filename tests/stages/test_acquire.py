import hashlib
import stat

import pytest
import yaml

from pipeline.dvc_state import STATE
from pipeline.errors import InputError
from pipeline.stages import acquire
from tests.sources import make_dataset


def configure(root, **changes):
    path = root / "configs/datasets/small.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(make_dataset(**changes).model_dump(exclude_none=True)))


def test_files_arrive_verified(tmp_path, monkeypatch):
    (tmp_path / "a.bin").write_bytes(b"pixels")
    monkeypatch.setenv("PIPELINE_MIRROR", str(tmp_path))
    configure(tmp_path, files=[{"name": "a.bin", "md5": hashlib.md5(b"pixels").hexdigest()}])
    acquire.run("small", root=tmp_path)
    assert (tmp_path / "data/raw/small/a.bin").read_bytes() == b"pixels"


def test_nothing_half_acquired_is_left_behind(tmp_path, monkeypatch):
    (tmp_path / "a.bin").write_bytes(b"pixels")
    monkeypatch.setenv("PIPELINE_MIRROR", str(tmp_path))
    good = {"name": "a.bin", "md5": hashlib.md5(b"pixels").hexdigest()}
    configure(tmp_path, files=[good, {"name": "b.bin", "md5": "0" * 32}])
    with pytest.raises(InputError, match=r"small\.yaml: b\.bin: not found"):
        acquire.run("small", root=tmp_path)
    assert list((tmp_path / "data/raw").iterdir()) == []


def test_an_unknown_adapter_is_refused_before_anything_is_fetched(tmp_path):
    configure(tmp_path, adapter="tarot")
    with pytest.raises(InputError, match=r"small\.yaml: adapter must be one of .*got 'tarot'"):
        acquire.run("small", root=tmp_path)


def test_the_known_data_sets_are_named_where_one_is_not(tmp_path):
    configure(tmp_path)
    with pytest.raises(InputError, match=r"other\.yaml: no such file; .* has: small"):
        acquire.run("other", root=tmp_path)


def test_a_word_that_is_no_window_is_told_by_file_and_key(tmp_path):
    arguments = {"folder": "in", "window": "soft"}
    labels = {"table": "labels.csv", "key": "sop", "key_column": "uid"}
    configure(tmp_path, adapter="dicom", arguments=arguments | {"labels": labels})
    message = (
        r"small\.yaml: Small: arguments: key 'window': expected tag, none, \{centre, width\} or "
        r"\{percentile\}, got 'soft'$"
    )
    with pytest.raises(InputError, match=message):
        acquire.run("small", root=tmp_path)


def test_what_dvc_remembers_of_a_folder_is_closed_to_others(tmp_path, monkeypatch):
    (tmp_path / "a.bin").write_bytes(b"pixels")
    monkeypatch.setenv("PIPELINE_MIRROR", str(tmp_path))
    configure(tmp_path, files=[{"name": "a.bin", "md5": hashlib.md5(b"pixels").hexdigest()}])
    (tmp_path / ".dvc").mkdir()
    (tmp_path / STATE).mkdir()
    (tmp_path / STATE).chmod(0o777)
    acquire.run("small", root=tmp_path)
    assert stat.S_IMODE((tmp_path / STATE).stat().st_mode) == 0o700


@pytest.mark.parametrize("key", ["../x", "/abs", "a;b", "..", "sub/small"])
def test_a_key_that_is_no_name_makes_no_folder(tmp_path, key):
    configure(tmp_path)
    with pytest.raises(InputError, match="a data set's name expected"):
        acquire.run(key, root=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["configs"]


@pytest.mark.parametrize("output", ["raw", "prepared"])
@pytest.mark.parametrize("way", ["folder", "table", "mirror"])
def test_what_is_read_may_not_lie_where_it_would_be_replaced(tmp_path, monkeypatch, output, way):
    place = tmp_path / f"data/{output}/small"
    (place / "scans").mkdir(parents=True)
    (place / "labels.csv").write_text("key,label\n")
    elsewhere = {"folder": str(tmp_path / "in"), "labels": {"table": str(tmp_path / "labels.csv")}}
    stated = {
        "folder": elsewhere | {"folder": str(place / "scans")},
        "table": elsewhere | {"labels": {"table": str(place / "labels.csv")}},
        "mirror": elsewhere,
    }
    monkeypatch.setenv("PIPELINE_MIRROR", str(place) if way == "mirror" else "")
    configure(tmp_path, adapter="image_folder", arguments=stated[way])
    message = rf"small\.yaml: .*{way}.*: a place outside .*{output}/small expected"
    with pytest.raises(InputError, match=rf"(?i){message}"):
        acquire.run("small", root=tmp_path)
    assert (place / "labels.csv").is_file()

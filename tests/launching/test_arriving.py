import pytest

from pipeline.artifacts import read_json, write_json
from pipeline.checkpoints import Checkpoint
from pipeline.errors import InputError
from pipeline.hashes import HASHES
from pipeline.launching.agreement import Identity
from pipeline.launching.arriving import keep_delivery
from pipeline.launching.worker import Delivery

SENDER = Identity({}, "a" * 64, "b" * 40)


@pytest.fixture
def delivery(tmp_path):
    """What a worker without git sends."""
    checkpoint = Checkpoint(tmp_path / "worker/key")
    with checkpoint.finishing() as folder:
        write_json({"revision": "unknown", "dirty": True, "seed": 3}, folder / "run.json")
        (folder / "test.parquet").write_bytes(b"logits")
    files = {path.name: path.read_bytes() for path in checkpoint.finished.iterdir()}
    return Delivery("key", files)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "configs").mkdir()
    return Checkpoint(tmp_path / "data/checkpoints/key")


def test_files_arrive_whole_with_the_commit_that_they_were_sent_from(delivery, place):
    keep_delivery(delivery, place, SENDER)
    assert place.is_finished
    assert (place.finished / "test.parquet").read_bytes() == b"logits"
    record = read_json(place.finished / "run.json")
    assert (record["revision"], record["seed"]) == ("b" * 40, 3)


def test_states_go_once_the_seed_has_arrived(delivery, place):
    place.seconds_between_saves = 0
    assert place.save({"history": []})
    keep_delivery(delivery, place, SENDER)
    assert [path.name for path in place.folder.iterdir()] == ["finished"]


def damage(files):
    files["test.parquet"] = b"logitz"


def lose(files):
    del files["test.parquet"]


def add(files):
    files["strange.py"] = b""


def climb(files):
    files["../../../strange.py"] = b""


def forget_hashes(files):
    del files[HASHES]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (damage, "test.parquet is not as it was written"),
        (lose, "test.parquet is missing"),
        (add, "strange.py was not written with the others"),
        (climb, "a delivered file must have a plain name"),
        (forget_hashes, "no such file"),
    ],
)
def test_what_changed_on_its_way_is_refused_and_nothing_kept(delivery, place, change, message):
    change(delivery.files)
    with pytest.raises(InputError, match=message):
        keep_delivery(delivery, place, SENDER)
    assert not place.finished.exists()
    assert not list(place.folder.parent.rglob("strange.py"))


def test_a_state_that_changed_on_its_way_is_refused(place, tmp_path):
    other = Checkpoint(tmp_path / "worker/key", seconds_between_saves=0)
    other.save({"history": [1]})
    sent = other.saved_state()
    place.keep(sent)
    assert place.saved_state() == sent
    with pytest.raises(InputError, match="did not arrive as it was written"):
        place.keep(sent[:-1] + b"x")
    assert place.saved_state() == sent

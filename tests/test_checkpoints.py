import errno

import pytest
import torch
from safetensors.torch import save_file

from pipeline.artifacts import WEIGHTS, write_json, write_predictions
from pipeline.checkpoints import Checkpoint
from pipeline.errors import InputError
from pipeline.hashes import HASHES
from pipeline.provenance import array_sha256
from tests.test_artifacts import some_predictions

CPU = torch.device("cpu")


def make_checkpoint(folder, seconds=0.0):
    return Checkpoint(folder / "key", seconds_between_saves=seconds)


def test_a_saved_state_comes_back_with_the_same_bits(tmp_path):
    checkpoint = make_checkpoint(tmp_path)
    assert checkpoint.load(CPU) is None
    state = {"weights": torch.rand(3), "history": [{"epoch": 1, "loss": 0.1}]}
    checkpoint.save(state)
    loaded = make_checkpoint(tmp_path).load(CPU)
    assert torch.equal(loaded["weights"], state["weights"])
    assert loaded["history"] == state["history"]


def test_the_last_state_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path):
    checkpoint = make_checkpoint(tmp_path)
    for epoch in (1, 2):
        checkpoint.save({"epoch": epoch})
    assert checkpoint.load(CPU) == {"epoch": 2}
    assert [path.name for path in (tmp_path / "key").iterdir()] == ["state.pt"]


def test_states_too_soon_after_one_another_are_not_written(tmp_path):
    checkpoint = make_checkpoint(tmp_path, seconds=3600)
    checkpoint.save({"epoch": 1})
    assert checkpoint.load(CPU) is None


def test_a_write_that_fails_keeps_the_state_before(tmp_path):
    checkpoint = make_checkpoint(tmp_path)
    checkpoint.save({"epoch": 1})
    with pytest.raises(AttributeError, match="local"):
        checkpoint.save({"epoch": 2, "hook": lambda: None})
    assert checkpoint.load(CPU) == {"epoch": 1}


def test_a_state_that_holds_code_is_not_run(tmp_path):
    class Payload:
        def __reduce__(self):
            return (print, ("executed",))

    checkpoint = make_checkpoint(tmp_path)
    checkpoint.save({"epoch": Payload()})
    with pytest.raises(Exception, match="Weights only load failed"):
        checkpoint.load(CPU)


DAMAGES = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "one bit": lambda content: content[:200] + bytes([content[200] ^ 4]) + content[201:],
    "foreign": lambda content: b"no state at all, though its name says so" * 9,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_passed_over_with_a_warning(tmp_path, capsys, damage):
    checkpoint = make_checkpoint(tmp_path)
    checkpoint.save({"weights": torch.rand(99)})
    path = tmp_path / "key/state.pt"
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert checkpoint.load(CPU) is None
    warning = capsys.readouterr().err
    assert warning.startswith(f"warning: {path} is not as it was written: the seed is trained from")
    assert warning.count("\n") == 1


def test_a_state_is_one_that_torch_reads_by_itself(tmp_path):
    make_checkpoint(tmp_path).save({"epoch": 3})
    assert torch.load(tmp_path / "key/state.pt", weights_only=True) == {"epoch": 3}


def test_a_full_disk_is_one_line_and_keeps_the_state_before(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    checkpoint = make_checkpoint(tmp_path / "data/checkpoints")
    checkpoint.save({"epoch": 1})

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(InputError, match="^no space left in data/checkpoints$"):
            checkpoint.save({"epoch": 2})
    assert [path.name for path in checkpoint.folder.iterdir()] == ["state.pt"]
    assert checkpoint.load(CPU) == {"epoch": 1}
    checkpoint.save({"epoch": 2})
    assert checkpoint.load(CPU) == {"epoch": 2}


def test_a_seed_that_another_run_finishes_meanwhile_takes_no_state_any_more(tmp_path, monkeypatch):
    checkpoint = make_checkpoint(tmp_path)

    def cleared_away(descriptor):
        for path in checkpoint.folder.glob("state.pt*"):
            path.unlink()

    monkeypatch.setattr("os.fsync", cleared_away)
    checkpoint.save({"epoch": 1})
    assert list(checkpoint.folder.iterdir()) == []


def test_a_seed_is_finished_only_when_all_its_files_are_written(tmp_path):
    checkpoint = make_checkpoint(tmp_path)
    checkpoint.save({"epoch": 1})

    def fail_half_way():
        with checkpoint.finishing() as folder:
            (folder / "run.json").write_text("{}")
            raise OSError

    with pytest.raises(OSError, match="^$"):
        fail_half_way()
    assert not checkpoint.is_finished
    assert checkpoint.load(CPU) == {"epoch": 1}


def test_a_finished_seed_keeps_its_files_and_needs_no_state(tmp_path):
    checkpoint = make_checkpoint(tmp_path)
    checkpoint.save({"epoch": 1})
    with checkpoint.finishing() as folder:
        (folder / "run.json").write_text("{}")
    assert checkpoint.is_finished
    assert {path.name for path in checkpoint.finished.iterdir()} == {HASHES, "run.json"}
    assert checkpoint.load(CPU) is None
    assert [path.name for path in (tmp_path / "key").iterdir()] == ["finished"]


def finish(checkpoint):
    """Leave the files of a finished seed."""
    predictions = some_predictions()
    with checkpoint.finishing() as folder:
        write_predictions(predictions, folder / "test.parquet")
        save_file({"weights": torch.rand(9)}, folder / WEIGHTS)
        hashes = {"test": array_sha256(predictions.logits)}
        write_json({"logits_sha256_by_split": hashes}, folder / "run.json")


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["test.parquet", WEIGHTS, "run.json", HASHES])
def test_a_damaged_seed_is_not_finished_and_says_so(tmp_path, capsys, name, damage):
    checkpoint = make_checkpoint(tmp_path)
    finish(checkpoint)
    path = checkpoint.finished / name
    content = path.read_bytes().ljust(202)
    path.write_bytes(DAMAGES[damage](content))
    assert not checkpoint.is_finished
    warning = capsys.readouterr().err
    assert str(checkpoint.finished) in warning
    assert warning.endswith(": the seed is trained again\n")
    assert warning.count("\n") == 1


def test_an_empty_folder_is_no_finished_seed(tmp_path, capsys):
    checkpoint = make_checkpoint(tmp_path)
    checkpoint.finished.mkdir(parents=True)
    assert not checkpoint.is_finished
    assert "SHA256SUMS: no such file: the seed is trained again" in capsys.readouterr().err


def test_a_damaged_seed_is_replaced_when_it_is_trained_again(tmp_path):
    (tmp_path / "configs").mkdir()
    checkpoint = make_checkpoint(tmp_path / "data/checkpoints")
    finish(checkpoint)
    (checkpoint.finished / "test.parquet").write_bytes(b"")
    finish(checkpoint)
    assert checkpoint.is_finished


@pytest.fixture
def older(tmp_path):
    """A seed that was finished when no hashes were written beside its files."""
    checkpoint = make_checkpoint(tmp_path)
    finish(checkpoint)
    (checkpoint.finished / HASHES).unlink()
    return checkpoint


def test_a_seed_from_before_the_list_of_hashes_counts(older):
    assert older.is_finished


@pytest.mark.parametrize("damage", ["empty", "half", "foreign"])
@pytest.mark.parametrize("name", ["test.parquet", WEIGHTS, "run.json"])
def test_an_older_seed_that_is_damaged_does_not_count(older, capsys, name, damage):
    path = older.finished / name
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert not older.is_finished
    assert capsys.readouterr().err.endswith(": the seed is trained again\n")


def test_an_older_seed_with_other_logits_does_not_count(older):
    changed = some_predictions()
    changed.logits[3, 1] += 1
    write_predictions(changed, older.finished / "test.parquet")
    assert not older.is_finished


@pytest.mark.parametrize("name", ["test.parquet", WEIGHTS])
def test_an_older_seed_that_lacks_a_file_does_not_count(older, name):
    (older.finished / name).unlink()
    assert not older.is_finished

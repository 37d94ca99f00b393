import pytest
import torch

from pipeline.checkpoints import Checkpoint

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

    (tmp_path / "key").mkdir()
    torch.save({"epoch": Payload()}, tmp_path / "key/state.pt")
    with pytest.raises(Exception, match="Weights only load failed"):
        make_checkpoint(tmp_path).load(CPU)


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
    assert [path.name for path in checkpoint.finished.iterdir()] == ["run.json"]
    assert checkpoint.load(CPU) is None
    assert [path.name for path in (tmp_path / "key").iterdir()] == ["finished"]

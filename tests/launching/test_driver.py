import socket
import sys
from types import SimpleNamespace

import pytest
import torch

from pipeline.artifacts import read_prepared
from pipeline.config import read_plan
from pipeline.errors import InputError
from pipeline.launching import launch
from pipeline.launching.cluster import Resources, wanted_resources
from pipeline.launching.driver import _longest_first, _missing, _planned, _warn_of_other_bits
from pipeline.stages.train import run
from pipeline.training.processor import processor
from tests.launching.examples import write_study
from tests.training.examples import CPU

ON_CPU = Resources("cpu", 1, 0)


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch):
    for name, value in (CPU | {"OMP_NUM_THREADS": "1"}).items():
        monkeypatch.setenv(name, value)


def test_a_study_that_is_not_planned_is_refused(tmp_path):
    write_study(tmp_path)
    with pytest.raises(InputError, match="no study gpu; it has: study: `python -m pipeline plan"):
        launch(["gpu"], root=tmp_path)


def test_data_that_are_not_prepared_are_refused(tmp_path):
    write_study(tmp_path)
    (tmp_path / "data/prepared/squares/card.json").unlink()
    with pytest.raises(InputError, match="no prepared data set"):
        launch([], root=tmp_path)


def test_without_ray_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'calibrated-imaging\[launch\]'"):
        launch([], root=write_study(tmp_path))
    assert not (tmp_path / "data/checkpoints").exists()


@pytest.mark.parametrize(
    ("variables", "cuda", "seeds_per_gpu", "expected"),
    [
        ({}, False, 1, Resources("cpu", 1, 0)),
        ({"OMP_NUM_THREADS": "4"}, False, 1, Resources("cpu", 4, 0)),
        ({"PIPELINE_DEVICE": "auto"}, True, 4, Resources("cuda", 1, 0.25)),
        ({"PIPELINE_DEVICE": "auto"}, False, 4, Resources("cpu", 1, 0)),
        ({"PIPELINE_DEVICE": "cpu"}, True, 1, Resources("cpu", 1, 0)),
        # A machine without a GPU may launch on those that have some.
        ({"PIPELINE_DEVICE": "cuda"}, False, 2, Resources("cuda", 1, 0.5)),
    ],
)
def test_a_seed_takes_the_device_that_training_here_would(
    monkeypatch, variables, cuda, seeds_per_gpu, expected
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert wanted_resources(seeds_per_gpu) == expected


@pytest.mark.parametrize(
    ("threads", "seeds_per_gpu", "message"),
    [("two", 1, "OMP_NUM_THREADS must be .* got 'two'"), ("1", 0, "--seeds-per-gpu must be .* 0")],
)
def test_what_is_no_share_of_a_machine_is_refused(monkeypatch, threads, seeds_per_gpu, message):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    with pytest.raises(InputError, match=message):
        wanted_resources(seeds_per_gpu)


@pytest.fixture
def planned(tmp_path):
    """The only experiment's row and seeds; its first seed is trained."""
    write_study(tmp_path, seeds=(0,))
    run("study-experiment", root=tmp_path)
    plan = tmp_path / "configs/plan.yaml"
    plan.write_text(plan.read_text().replace("seeds:\n    - 0", "seeds:\n    - 0\n    - 1"))
    (row,) = read_plan(plan).experiments.values()
    prepared = read_prepared(tmp_path / "data/prepared/squares")
    return row, _planned(row, prepared, root=tmp_path), prepared


def here():
    return processor(torch.device("cpu")) | {"threads": 1}


def test_what_is_finished_here_is_not_launched(planned, tmp_path):
    _, seeds, _ = planned
    assert [seed.seed for seed in seeds] == [0, 1]
    (missing,) = _missing(seeds, [here()], ON_CPU, tmp_path)
    assert missing.seed.seed == 1
    (place,) = missing.places.values()
    assert place.folder == tmp_path / "data/checkpoints" / missing.seed.key


def test_each_kind_of_processor_gives_a_seed_a_place_of_its_own(planned, tmp_path):
    _, seeds, _ = planned
    other = here() | {"kernels": "other"}
    assert len(_missing(seeds, [other], ON_CPU, tmp_path)) == 2
    (missing,) = _missing(seeds, [other, here()], ON_CPU, tmp_path)
    assert len(missing.places) == 2


def test_a_processor_with_other_bits_is_told_of(capsys):
    _warn_of_other_bits([here()], ON_CPU)
    assert capsys.readouterr().out == ""
    _warn_of_other_bits([here(), here() | {"kernels": "other"}], ON_CPU)
    said = capsys.readouterr().out
    assert "kernels other" in said
    assert "`dvc repro` here trains it again" in said


def test_the_longest_seeds_are_launched_first(planned, tmp_path, monkeypatch):
    row, seeds, prepared = planned
    (missing,) = _missing(seeds, [here()], ON_CPU, tmp_path)
    costs = iter([1.0, 5.0, 3.0])
    monkeypatch.setattr("pipeline.launching.driver.Problem.of_card", lambda card: None)
    monkeypatch.setattr(
        "pipeline.launching.driver.seed_cost",
        lambda *_: SimpleNamespace(seconds=next(costs)),
    )
    rows = [row.model_copy(update={"experiment": name}) for name in "abcd"]
    given = [(each, [missing]) for each in rows[:3]] + [(rows[3], [])]
    ordered = _longest_first(given, {row.dataset: prepared}, ON_CPU)
    assert [each.experiment for each, _ in ordered] == ["b", "c", "a"]
    # Without the device nothing can be timed here.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    ordered = _longest_first(given, {row.dataset: prepared}, Resources("cuda", 1, 1.0))
    assert [each.experiment for each, _ in ordered] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:9", "no Ray cluster answers at 127.0.0.1:9: "),
        ("127.0.0.1:99999", "no Ray cluster answers at 127.0.0.1:99999: "),
        ("head", "must be HOST:PORT or auto, got 'head'"),
        ("ray://head:10001", "must be HOST:PORT or auto, got 'ray://head:10001'"),
    ],
)
def test_an_address_where_no_cluster_is_is_refused_at_once(tmp_path, address, message):
    pytest.importorskip("ray")
    with pytest.raises(InputError, match=message):
        launch([], root=write_study(tmp_path), address=address)
    assert not (tmp_path / "data/checkpoints").exists()


def test_an_address_where_something_else_listens_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setattr("pipeline.launching.cluster.CONNECTION_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(InputError, match=f"{address}: something else listens there"):
            launch([], root=write_study(tmp_path), address=address)
    assert not (tmp_path / "data/checkpoints").exists()

import sys

import pytest
import typer

from pipeline import __main__ as command_line
from pipeline import next_patient
from pipeline.errors import InputError


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["pipeline", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    return stopped.value.code


def test_a_fault_of_the_user_is_one_line_and_exit_code_two(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "plan", "nothing") == 2
    error = capsys.readouterr().err
    assert error == "error: configs/studies/nothing.yaml: no such file; configs/studies has: none\n"
    assert list(tmp_path.iterdir()) == []


def test_a_stage_without_a_plan_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "calibrate", "quick-digits") == 2
    assert (
        "plan.yaml: no plan yet: run `python -m pipeline plan STUDY...`" in capsys.readouterr().err
    )


def test_a_defect_of_ours_keeps_its_traceback(monkeypatch):
    def broken(*_):
        raise KeyError("a defect")

    monkeypatch.setattr(command_line, "app", broken)
    monkeypatch.setattr(sys, "argv", ["pipeline"])
    with pytest.raises(KeyError, match="a defect"):
        command_line.main()


def test_an_input_error_is_shown_whatever_raised_it(monkeypatch, capsys):
    def faulty():
        raise InputError("labels must lie in [0, 2), got 0..2")

    monkeypatch.setattr(command_line, "app", faulty)
    assert run(monkeypatch) == 2
    assert capsys.readouterr().err == "error: labels must lie in [0, 2), got 0..2\n"


@pytest.mark.parametrize("command", sorted(typer.main.get_command(command_line.app).commands))
def test_every_command_describes_itself(monkeypatch, capsys, command):
    assert run(monkeypatch, command, "--help") == 0
    assert command in capsys.readouterr().out


def test_a_new_folder_may_be_named_from_the_one_around(tmp_path):
    shown = typer.main.get_command(command_line.app).commands
    for name in ("release", "predict", "monitor", "localise", "logits-report"):
        (out,) = (each for each in shown[name].params if each.name == "out")
        assert out.callback is not None, name
    assert next_patient._without_dots(tmp_path / "here/../there") == tmp_path / "there"
    assert next_patient._without_dots(None) is None

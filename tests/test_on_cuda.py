"""The device's script loses nothing of one part to another, and can be tried without a device."""

import re
import subprocess
import sys
import time

import psutil
import pytest

from tests.on_cuda import PARTS, Part, run_parts

HANGS = """
import subprocess, sys, time
print("began")
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
time.sleep(60)
"""


def test_a_part_that_hangs_is_ended_with_its_children_and_the_next_one_is_run(tmp_path, capsys):
    parts = [Part("hangs", ("-c", HANGS), 1), Part("second", ("-c", "print('ran')"), 60)]
    started = time.monotonic()
    assert run_parts(parts, tmp_path / "told.txt") == 1
    assert time.monotonic() - started < 50
    told = (tmp_path / "told.txt").read_text()
    assert told == capsys.readouterr().out
    assert re.fullmatch(
        r"== hangs ==\nbegan\n== stopped: no time left, \d+ s ==\n\n"
        r"== second ==\nran\n== exit code 0, \d+ s ==\n\n",
        told,
    )
    assert not [each for each in psutil.process_iter(["cmdline"])
                if "time.sleep(60)" in " ".join(each.info["cmdline"] or [])]  # fmt: skip


def test_a_part_that_fails_is_counted_and_its_output_stands_in_the_file_while_it_runs(tmp_path):
    told = tmp_path / "told.txt"
    look = f"import sys; print('first'); sys.exit(open({str(told)!r}).read().count('first') + 6)"
    assert run_parts([Part("fails", ("-c", look), 60)], told) == 1
    assert "exit code 7" in told.read_text()


@pytest.mark.slow
def test_every_test_of_the_device_belongs_to_one_part():
    def collected(arguments):
        command = [sys.executable, *arguments, "--collect-only"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [line for line in done.stdout.splitlines() if "::" in line]

    parts = [name for part in PARTS[:-1] for name in collected((*part.arguments, "-qq"))]
    assert sorted(parts) == sorted(collected(("-m", "pytest", "-m", "cuda", "tests")))
    assert parts


@pytest.mark.slow
def test_a_dry_run_goes_through_every_part_on_the_cpu(tmp_path):
    told = tmp_path / "told.txt"
    command = [sys.executable, "-m", "tests.on_cuda", "--dry-run", str(told)]
    subprocess.run(command, check=True, capture_output=True)
    assert told.read_text().count("exit code 0") == len(PARTS)
    assert "MONAI SupervisedTrainer" in told.read_text()

"""What a disk refuses is one line that names the place."""

import errno
import shutil
import sys

import pytest

from pipeline import __main__ as command_line
from pipeline.disk_faults import disk_fault, writing_to
from pipeline.errors import InputError


def raise_in(error, place="data/logits"):
    with writing_to(place):
        raise error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_named_by_the_place_that_is_written(number):
    with pytest.raises(InputError, match="^no space left in data/logits$"):
        raise_in(OSError(number, "full", "data/logits/.partial/x"))


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EROFS, "Read-only file system"), (errno.EACCES, "Permission denied")],
)
def test_what_may_not_be_written_is_named_itself(number, words):
    with pytest.raises(InputError, match=f"^data/logits/file: {words}$"):
        raise_in(OSError(number, "no", "data/logits/file"))
    with pytest.raises(InputError, match=f"^data/logits: {words}$"):
        raise_in(OSError(number, "no"))


def test_an_absent_file_and_other_errors_stay_what_they_are():
    for error in (
        FileNotFoundError(errno.ENOENT, "no", "x"),
        OSError(),
        RuntimeError("[Errno 28]"),
    ):
        assert disk_fault(error, "here") is None
        with pytest.raises(type(error)):
            raise_in(error)


def test_numpy_says_it_without_a_number():
    short = OSError("10000 requested and 234 written")
    assert disk_fault(short, "data/prepared") == "no space left in data/prepared"


def test_a_copied_folder_says_it_in_a_list():
    error = shutil.Error([("a", "b", str(OSError(errno.ENOSPC, "full", "a")))])
    assert disk_fault(error, "data/logits") == "no space left in data/logits"


def test_the_command_line_says_it_in_one_line_and_exits_with_2(monkeypatch, capsys):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device", "reports/index.html")

    monkeypatch.setattr(command_line, "app", full)
    monkeypatch.setattr(sys, "argv", ["pipeline", "overview"])
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: no space left in this folder\n"

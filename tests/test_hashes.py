"""Hashes written beside files, and checked before they are read."""

import re
import shutil
import subprocess

import pytest

from pipeline.errors import InputError
from pipeline.hashes import HASHES, changed_files, require_intact, write_hashes

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""SHA-256 of "abc", from FIPS 180-2."""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ce").mkdir()
    (tmp_path / "ce/test.parquet").write_text("abc")
    (tmp_path / "run.json").write_text("{}")
    write_hashes(tmp_path)
    return tmp_path


def test_the_list_is_the_one_that_coreutils_write(folder):
    assert f"{ABC}  ce/test.parquet\n" in (folder / HASHES).read_text()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="coreutils are not here")
def test_coreutils_check_the_list(folder):
    command = ["sha256sum", "--check", "--strict", "--quiet", HASHES]
    assert subprocess.run(command, cwd=folder, check=False).returncode == 0
    (folder / "run.json").write_text("[]")
    assert subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode == 1


def test_what_was_written_is_intact(folder):
    assert list(changed_files(folder)) == []
    require_intact(folder)


def test_what_a_desktop_hides_in_a_folder_is_no_change(folder):
    (folder / ".DS_Store").write_bytes(b"\0")
    require_intact(folder)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "ce/test.parquet").write_text("abd"), "test.parquet is not as it was wri"),
        (lambda f: (f / "ce/test.parquet").write_text(""), "test.parquet is not as it was written"),
        (lambda f: (f / "run.json").unlink(), "run.json is missing, though SHA256SUMS beside it"),
        (lambda f: (f / "more.csv").touch(), "more.csv was not written with the others"),
        (lambda f: (f / HASHES).unlink(), "SHA256SUMS: no such file"),
        (lambda f: (f / HASHES).write_text(""), "SHA256SUMS: a line for each file expected"),
        (lambda f: (f / HASHES).write_text(f"{ABC} x\n"), "SHA256SUMS: line 1: a SHA-256 and"),
        (lambda f: (f / HASHES).write_bytes(b"\xff"), "SHA256SUMS: text in UTF-8 expected"),
    ],
)
def test_a_change_is_named_with_the_command_that_undoes_it(folder, spoil, message):
    spoil(folder)
    with pytest.raises(InputError, match=re.escape(message)) as refused:
        require_intact(folder, stage="train@quick-digits")
    remedy = "`dvc repro --single-item --force train@quick-digits` makes it again"
    assert str(refused.value).endswith(remedy)


def test_a_file_that_nobody_reads_now_may_be_changed(folder):
    (folder / "ce/test.parquet").write_text("abd")
    require_intact(folder, without=[".parquet"])
    assert [name for name, _, _ in changed_files(folder)] == ["ce/test.parquet"]

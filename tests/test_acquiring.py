import hashlib
import http.server
import threading

import pytest

from pipeline.acquiring import acquire_file, acquire_files, file_digest, mirrors
from pipeline.config import SourceFile
from pipeline.errors import InputError
from tests.sources import make_dataset

CONTENT = b"pixels"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def mirror(tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    return mirror


@pytest.fixture
def raw(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    return raw


@pytest.fixture
def server(tmp_path):
    """The address of a server on this machine that gives out one file."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.bin").write_bytes(CONTENT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("checksum", [{"sha256": SHA256}, {"md5": MD5}])
def test_a_file_is_copied_from_the_first_mirror_that_has_it(mirror, raw, tmp_path, checksum):
    (mirror / "a.bin").write_bytes(CONTENT)
    acquire_file(SourceFile(name="a.bin", **checksum), raw, [tmp_path / "absent", mirror])
    assert (raw / "a.bin").read_bytes() == CONTENT


def test_the_copy_may_be_written_though_the_mirror_may_not(mirror, raw):
    (mirror / "a.bin").write_bytes(CONTENT)
    (mirror / "a.bin").chmod(0o444)
    acquire_file(SourceFile(name="a.bin", sha256=SHA256), raw, [mirror])
    (raw / "a.bin").write_bytes(b"changed")
    assert (mirror / "a.bin").read_bytes() == CONTENT


def test_a_mirror_whose_file_is_another_is_passed_over(mirror, raw, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.bin").write_bytes(b"other pixels")
    (mirror / "a.bin").write_bytes(CONTENT)
    acquire_file(SourceFile(name="a.bin", sha256=SHA256), raw, [other, mirror])
    assert file_digest(raw / "a.bin") == SHA256


def test_a_file_in_no_mirror_is_fetched_from_its_address(raw, server):
    acquire_file(SourceFile(name="a.bin", sha256=SHA256, url=f"{server}/a.bin"), raw, [])
    assert (raw / "a.bin").read_bytes() == CONTENT


def test_a_fetched_file_with_another_checksum_is_refused_and_removed(raw, server):
    file = SourceFile(name="a.bin", sha256="0" * 64, url=f"{server}/a.bin")
    message = rf"a\.bin: the file from {server}/a\.bin has sha256 {SHA256}, expected 0{{64}}"
    with pytest.raises(InputError, match=message):
        acquire_file(file, raw, [])
    assert list(raw.iterdir()) == []


def test_the_refusal_says_which_mirror_holds_another_file(mirror, raw):
    (mirror / "a.bin").write_bytes(CONTENT)
    file = SourceFile(name="a.bin", sha256="0" * 64)
    message = rf"mirrors searched: {mirror}; {mirror}/a\.bin has sha256 {SHA256}, expected 0{{64}}"
    with pytest.raises(InputError, match=message):
        acquire_file(file, raw, [mirror])
    assert list(raw.iterdir()) == []


def test_without_network_the_message_names_file_mirrors_address_and_remedy(raw, mirror):
    # Port 9 of this machine: refused at once, with or without a network.
    file = SourceFile(name="a.bin", sha256=SHA256, url="http://127.0.0.1:9/a.bin")
    message = (
        rf"a\.bin: not found \(mirrors searched: {mirror}\) and http://127\.0\.0\.1:9/a\.bin "
        r"cannot be fetched .*: put the file into a directory named by PIPELINE_MIRROR, or connect"
    )
    with pytest.raises(InputError, match=message):
        acquire_file(file, raw, [mirror])


def test_a_file_without_an_address_must_be_in_a_mirror(raw):
    message = r"a\.bin: not found and it has no public URL \(mirrors searched: none is set\)"
    with pytest.raises(InputError, match=message):
        acquire_file(SourceFile(name="a.bin", sha256=SHA256), raw, [])


def test_all_files_of_a_data_set_are_acquired(mirror, raw, monkeypatch):
    monkeypatch.setenv("PIPELINE_MIRROR", f"{mirror}:")
    for name in ("a.bin", "b.bin"):
        (mirror / name).write_bytes(CONTENT)
    files = [{"name": name, "sha256": SHA256} for name in ("a.bin", "b.bin")]
    acquire_files(raw, make_dataset(files=files))
    assert sorted(path.name for path in raw.iterdir()) == ["a.bin", "b.bin"]


def test_mirrors_are_separated_by_colons_and_may_be_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PIPELINE_MIRROR", f"{tmp_path}:{tmp_path / 'b'}")
    assert mirrors() == [tmp_path, tmp_path / "b"]
    monkeypatch.delenv("PIPELINE_MIRROR")
    assert mirrors() == []

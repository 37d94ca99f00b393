import io
import zipfile

import numpy as np
import pytest

from pipeline.adapters.npz import open_archive, open_member
from pipeline.errors import InputError
from tests.mutants import refusals


def read(path, key="a"):
    with open_archive(path) as archive, open_member(archive, key) as member:
        return list(member.rows())


def write_member(path, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a.npy", content)


def npy(array, shape=None):
    buffer = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(array) | {"shape": shape or array.shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + array.tobytes()


@pytest.mark.parametrize("dtype", ["uint8", ">i2", "<f4", "<U5"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_rows_equal_the_arrays_own(tmp_path, dtype, save):
    array = np.arange(24).reshape(4, 3, 2).astype(dtype)
    save(tmp_path / "f.npz", a=array)
    np.testing.assert_array_equal(np.stack(read(tmp_path / "f.npz")), array)


def test_a_row_is_read_without_the_rest(tmp_path):
    array = np.arange(24).reshape(4, 6)
    np.savez_compressed(tmp_path / "f.npz", a=array)
    with open_archive(tmp_path / "f.npz") as archive, open_member(archive, "a") as member:
        next(member.rows())
        assert member.file.tell() == 128 + 6 * 8  # a header of 128 bytes and one row of int64


def test_a_pickle_is_refused_unopened(tmp_path):
    np.savez(tmp_path / "f.npz", a=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match=r"f\.npz: key 'a': holds a pickle"):
        read(tmp_path / "f.npz")


def test_a_missing_key_is_named_with_those_there_are(tmp_path):
    np.savez(tmp_path / "f.npz", b=np.zeros(2), c=np.zeros(2))
    with pytest.raises(InputError, match=r"f\.npz: key 'a': missing; the file has: b, c"):
        read(tmp_path / "f.npz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no array at all", "no NumPy array"),
        (npy(np.zeros(3)) + b"tail", "does not fill its"),
        (npy(np.zeros(3), shape=(10**12,)), "does not fill its"),
        (npy(np.zeros((2, 2), order="F")), "Fortran order"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", r"header version 1\.0 expected, got 2\.0"),
    ],
)
def test_a_false_header_is_refused(tmp_path, content, message):
    write_member(tmp_path / "f.npz", content)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "f.npz")


def test_a_row_that_claims_too_much_is_refused_before_allocation(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.adapters.npz.MAX_ROW_BYTES", 1000)
    np.savez_compressed(tmp_path / "f.npz", a=np.zeros((2, 1001), np.uint8))
    with pytest.raises(InputError, match="claims 1001 bytes at once, more than the 1000 allowed"):
        read(tmp_path / "f.npz")


def test_a_truncated_or_foreign_file_is_refused_by_name(tmp_path):
    path = tmp_path / "f.npz"
    np.savez_compressed(path, a=np.arange(1000))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"f\.npz: damaged, encrypted or no \.npz archive"):
        read(path)
    with pytest.raises(InputError, match=r"absent\.npz: no such file"):
        read(tmp_path / "absent.npz")


def test_a_flipped_byte_is_noticed(tmp_path):
    path = tmp_path / "f.npz"
    np.savez(path, a=np.zeros(1000, np.uint8))
    content = bytearray(path.read_bytes())
    content[600] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="damaged"):
        read(path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_whatever_became_of_an_archive_is_read_or_refused_in_one_line(tmp_path, save):
    path = tmp_path / "f.npz"
    save(path, a=np.arange(300))
    refusals(read, path, path.read_bytes(), number=400)


HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"


@pytest.mark.parametrize("mark", [b"(", b"'", b"\\", b"9", b"\0"])
def test_a_header_with_a_stray_mark_is_read_or_refused_by_its_key(tmp_path, mark):
    content = npy(np.zeros(3))
    start = content.index(HEADER)
    told = []
    for at in range(start, start + len(HEADER)):
        write_member(tmp_path / "f.npz", content[:at] + mark + content[at + 1 :])
        try:
            read(tmp_path / "f.npz")
        except InputError as error:
            told.append(str(error))
    assert len(told) > 40
    assert all("key 'a': " in message and "\n" not in message for message in told)


def test_an_encrypted_or_unknown_member_is_damage(tmp_path):
    path = tmp_path / "f.npz"
    np.savez(path, a=np.zeros(3))
    content = path.read_bytes()
    place = content.index(b"PK\x01\x02")
    for offset, value in ((8, 1), (8, 32), (10, 99)):
        changed = bytearray(content)
        changed[place + offset] = value
        path.write_bytes(bytes(changed))
        with pytest.raises(InputError, match=r"f\.npz: .*damaged, encrypted or no \.npz archive"):
            read(path)

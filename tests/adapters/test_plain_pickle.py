import pickle

import numpy as np
import pytest

from pipeline.adapters.plain_pickle import load_plain
from pipeline.errors import InputError
from tests.sources import python_2_pickle


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">i2", "f4", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_arrays_come_back_as_they_were(dtype, order, protocol):
    array = np.asarray(np.arange(12).reshape(3, 4).astype(dtype), order=order)
    content = pickle.dumps({"data": array}, protocol=protocol)
    if protocol == 5:
        # Its arrays travel as buffers, which need another name of NumPy's.
        with pytest.raises(InputError, match="refused"):
            load_plain(content)
        return
    read = load_plain(content)["data"]
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype


def test_what_python_2_wrote_comes_back_with_bytes_for_text():
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    read = load_plain(python_2_pickle({b"data": array, b"labels": [4, 2]}))
    assert read[b"labels"] == [4, 2]
    np.testing.assert_array_equal(read[b"data"], array)


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"c__builtin__\ngetattr\n.",
        b"cnumpy\nload\n.",
        pickle.dumps(np.array([{}], dtype=object).dtype.type),
    ],
)
def test_every_other_name_is_refused(content):
    with pytest.raises(InputError, match="which could run code: refused"):
        load_plain(content)


def test_an_array_may_not_claim_more_than_its_bytes():
    content = pickle.dumps({"data": np.zeros(3, np.uint8)}, protocol=3)
    claim = content.replace(
        b"K\x03\x85", b"J\xff\xff\xff\x7f\x85"
    )  # shape (3,) becomes (2^31 - 1,)
    assert claim != content
    with pytest.raises(InputError, match=r"\(2147483647,\) uint8 does not hold 3 bytes"):
        load_plain(claim)


@pytest.mark.parametrize("code", ["O", "S5", "M8[s]"])
def test_an_array_of_anything_but_numbers_is_refused(code):
    content = pickle.dumps({"data": np.zeros(2, code)}, protocol=3)
    with pytest.raises(InputError, match="an array of numbers expected|refused"):
        load_plain(content)


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps([1, 2])[:-3]])
def test_half_a_pickle_is_refused(content):
    with pytest.raises(InputError, match="no plain pickle"):
        load_plain(content)

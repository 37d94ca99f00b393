"""Read a pickle that holds nothing but plain data: text, numbers, lists, dictionaries, arrays.

A pickle is a program. This one may call nothing: the three names that a pickled array needs are
answered by stand-ins of our own, and every other name is refused, so that no code of any module
runs and no array is allocated that its own bytes do not fill.
"""

from __future__ import annotations

import io
import pickle
from math import prod
from typing import Any, Literal

import numpy as np

from pipeline.errors import InputError

PLAIN_KINDS = "biuf"


class _PickledType:
    """Stands for numpy.dtype: remembers the type's code, such as u1."""

    def __init__(self, code: bytes | str, *_: object) -> None:
        self.code = code if isinstance(code, str) else code.decode()
        self.order = "|"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        self.order = order if isinstance(order, str) else order.decode()

    def resolve(self) -> np.dtype:
        if self.code[:1] not in PLAIN_KINDS:
            message = f"an array of numbers expected, got type '{self.code}'"
            raise InputError(message)
        return np.dtype(f"{self.order}{self.code}")


class _PickledArray:
    """Stands for numpy.ndarray: takes its shape, type and bytes, which must agree."""

    def __init__(self, *_: object) -> None:
        self.array: np.ndarray | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, pickled_type, fortran_order, content = state
        dtype = pickled_type.resolve()
        if len(content) != prod(shape) * dtype.itemsize:
            message = f"an array of {shape} {dtype} does not hold {len(content)} bytes"
            raise InputError(message)
        order: Literal["F", "C"] = "F" if fortran_order else "C"
        self.array = np.ndarray(shape, dtype, buffer=content, order=order)


_STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _PickledArray,
    ("numpy._core.multiarray", "_reconstruct"): _PickledArray,
    ("numpy", "ndarray"): _PickledArray,
    ("numpy", "dtype"): _PickledType,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            asked = f"{module}.{name}"
            message = f"the pickle asks for {asked:.100}, which could run code: refused"
            raise InputError(message)
        return _STAND_INS[module, name]


def load_plain(content: bytes) -> Any:
    r"""Return what a pickle holds, its Python 2 text as bytes.

    Raises `InputError` if it asks for anything but plain data, or is no whole pickle.

    >>> load_plain(pickle.dumps({"labels": [3, 1]}))
    {'labels': [3, 1]}
    >>> load_plain(b"cos\nsystem\n.")
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: the pickle asks for os.system, which could run code: refused
    """
    try:
        return _plain(_PlainUnpickler(io.BytesIO(content), encoding="bytes").load())
    except InputError:
        raise
    except Exception as error:
        # A malformed pickle may fail in any way, since it is a program of a foreign author.
        message = f"no plain pickle: {type(error).__name__}"
        raise InputError(message) from error


def _plain(value: Any) -> Any:
    """Put the arrays where their stand-ins are, at the top and one level down."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value.array if isinstance(value, _PickledArray) else value

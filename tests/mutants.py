"""Files as a disk or an editor may have damaged them: seeded, so that a fault comes back."""

import numpy as np

from pipeline.errors import InputError

FRAGMENTS = (
    b"", b"\0", b"\xff", b"\xef\xbb\xbf", b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"{", b"[",
    b":", b"*a", b"&a ", b"!!int ", b"<<: ", b"NaN", b"-1", b"1e999", b"null", b"9" * 5000,
    b"[" * 2000, b"2020-13-45",
)  # fmt: skip
"""What is put into a file: what parsers stumble on."""


def mutants(content, *, number, seed=0):
    """Yield damaged copies of some bytes: cut, flipped, doubled, left out, or with a fragment."""
    generator = np.random.default_rng(seed)
    changes = (_cut, _flip, _double, _leave_out, _insert, _overwrite)
    for _ in range(number):
        damaged = content
        for _ in range(generator.integers(1, 4)):
            damaged = changes[generator.integers(len(changes))](damaged, generator)
        yield damaged


def refusals(read, path, content, *, number):
    """Read damaged copies of a file; return the refusals, each a line that names the file.

    Any other exception is a defect, and goes on.
    """
    told = []
    for damaged in mutants(content, number=number):
        path.write_bytes(damaged)
        try:
            read(path)
        except InputError as error:
            told.append(str(error))
    for message in told:
        assert message.startswith(f"{path}: ")
        assert len(message.splitlines()) == 1
    return told


def _span(content, generator):
    start = int(generator.integers(len(content) + 1))
    return start, min(len(content), start + int(generator.integers(1, 40)))


def _cut(content, generator):
    return content[: _span(content, generator)[0]]


def _flip(content, generator):
    damaged = bytearray(content)
    if damaged:
        damaged[generator.integers(len(damaged))] ^= 1 << int(generator.integers(8))
    return bytes(damaged)


def _double(content, generator):
    start, end = _span(content, generator)
    return content[:end] + content[start:]


def _leave_out(content, generator):
    start, end = _span(content, generator)
    return content[:start] + content[end:]


def _insert(content, generator):
    start, _ = _span(content, generator)
    return content[:start] + FRAGMENTS[generator.integers(len(FRAGMENTS))] + content[start:]


def _overwrite(content, generator):
    start, end = _span(content, generator)
    return content[:start] + generator.bytes(end - start) + content[end:]

"""One identifier in all the spellings that spreadsheets and headers give it."""

from __future__ import annotations

import re
import unicodedata

_NUMBER = re.compile(r"([+-]?)0*([0-9]+?)(?:[.,]0*)?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:[,' \u2019][0-9]{3})+")
"""Thousands apart, as a spreadsheet shows them."""

_AS_TEXT = re.compile(r"'(.*)|=\"(.*)\"")
"""What keeps a spreadsheet from taking an identifier for a number."""

_ROUNDED = re.compile(r"[+-]?[0-9](?:[.,][0-9]+)?e\+[0-9]+")


_LARGEST_EXACT = 2**53
"""Beyond it floats skip whole numbers."""


def cell_text(value: object) -> str:
    """Return a cell as text; a whole number that shared its column with a gap is a float there.

    One that is too long was rounded on the way: it is spelt as a spreadsheet does, so that it
    `is_rounded`.

    >>> cell_text(3.0), cell_text("3.0"), cell_text(2.0**60)
    ('3', '3.0', '1.15292e+18')
    """
    if not (isinstance(value, float) and value.is_integer()):
        return str(value)
    return str(int(value)) if abs(value) < _LARGEST_EXACT else f"{value:.5e}"


def plain_identifier(text: str) -> str:
    """Return an identifier as all its spellings have it.

    Spaces around it, characters that are not seen, the case of its letters, the form of its
    accents, marks that it is text, and, where it is a whole number, zeros in front, decimals of
    zero and marks between thousands do not count: a spreadsheet changes all of them. Two patients
    who differ in nothing else are taken for one, which hides no leak.

    >>> [plain_identifier(each) for each in ("1000.0", " 1000", "0042", "P-07 ", "1.5", "00")]
    ['1000', '1000', '42', 'p-07', '1.5', '0']
    >>> [plain_identifier(each) for each in ("1000,0", "1,000", "'0042", '="0042"')]
    ['1000', '1000', '42', '42']
    """
    normal = unicodedata.normalize("NFKC", text)
    plain = "".join(each for each in normal if unicodedata.category(each) != "Cf").strip()
    if kept := _AS_TEXT.fullmatch(plain):
        plain = (kept[1] or kept[2] or "").strip()
    plain = plain.casefold()
    if _GROUPED.fullmatch(plain):
        plain = re.sub(r"[,' \u2019]", "", plain)
    number = _NUMBER.fullmatch(plain)
    if number is None:
        return plain
    sign = "-" if number[1] == "-" and number[2] != "0" else ""
    return f"{sign}{number[2]}"


def is_rounded(text: str) -> bool:
    """Return whether an identifier is what a spreadsheet makes of a long number.

    Those that begin alike are then one, and none is as its source has it.

    >>> is_rounded("1.23457E+11"), is_rounded("1,23E+11"), is_rounded("123456789012")
    (True, True, False)
    """
    return _ROUNDED.fullmatch(plain_identifier(text)) is not None

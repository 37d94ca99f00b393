"""What a case may say of its patient: sex in three words, age in years, capped."""

from __future__ import annotations

import math
import re
from datetime import date, datetime

from pipeline.adapters.case import NOT_RECORDED

OLDEST_STATED = 90.0
"""Years; higher ages single a person out and are given as this."""

_UNKNOWN = ("", "?", "-", "u", "n", "na", "n/a", "nan", "none", "unknown", NOT_RECORDED)
_SEXES = {"f": "female", "m": "male", "o": "other"}
_AGE = re.compile(r"(\d{1,3})([YMWD])")
_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}


def is_unknown(stated: str) -> bool:
    """Return whether a cell says that something is not known, rather than something unusable.

    >>> is_unknown(""), is_unknown("N/A"), is_unknown("x")
    (True, True, False)
    """
    return stated.strip().lower() in _UNKNOWN


def normal_sex(stated: str) -> str:
    """Return "female", "male", "other" or "not recorded" for a code or word in any case.

    >>> normal_sex("F"), normal_sex("Male"), normal_sex("?")
    ('female', 'male', 'not recorded')
    """
    lowered = stated.strip().lower()
    known = _SEXES.get(lowered[:1], NOT_RECORDED)
    return known if lowered in {lowered[:1], known} else NOT_RECORDED


def normal_age(years: float) -> float | None:
    """Return an age in years as a case may carry it, or None for what is no age.

    >>> normal_age(52.5), normal_age(97), normal_age(-1)
    (52.5, 90.0, None)
    """
    if not (math.isfinite(years) and 0 <= years < 150):
        return None
    return min(float(years), OLDEST_STATED)


def age_from_dicom(stated: str) -> float | None:
    """Return the years in a DICOM age string, or None where it is none.

    >>> age_from_dicom("045Y"), age_from_dicom("006M"), age_from_dicom("old")
    (45.0, 0.5, None)
    """
    match = _AGE.fullmatch(stated.strip().upper())
    return normal_age(int(match[1]) * _YEARS[match[2]]) if match else None


def years_between(birth: str, study: str) -> float | None:
    """Return the whole years from one DICOM date to another, or None where one is none.

    >>> years_between("19700630", "20200101")
    49.0
    """
    born, seen = _date(birth), _date(study)
    if born is None or seen is None:
        return None
    had_birthday = (seen.month, seen.day) >= (born.month, born.day)
    return normal_age(seen.year - born.year - (not had_birthday))


def _date(stated: str) -> date | None:
    try:
        return datetime.strptime(stated.strip(), "%Y%m%d").date()  # noqa: DTZ007 - a day, no time
    except ValueError:
        return None

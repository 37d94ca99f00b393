import pytest

from pipeline.adapters.people import age_from_dicom, normal_age, normal_sex, years_between


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("F", "female"),
        ("m", "male"),
        ("Other", "other"),
        ("", "not recorded"),
        ("Fox", "not recorded"),
    ],
)
def test_sex_is_one_of_four_words(stated, expected):
    assert normal_sex(stated) == expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [("001D", 1 / 365.25), ("052W", 52 * 7 / 365.25), ("089Y", 89), ("45", None), ("", None)],
)
def test_a_dicom_age_has_a_unit(stated, expected):
    assert age_from_dicom(stated) == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(("years", "expected"), [(89.9, 89.9), (90, 90), (101, 90), (150, None)])
def test_the_oldest_are_not_singled_out(years, expected):
    assert normal_age(years) == expected


@pytest.mark.parametrize("years", [float("nan"), float("inf"), -0.1])
def test_what_is_no_age_is_none(years):
    assert normal_age(years) is None


@pytest.mark.parametrize(
    ("birth", "study", "expected"),
    [
        ("20000229", "20210228", 20),
        ("20000229", "20210301", 21),
        ("20210301", "20200101", None),
        ("2000", "20210301", None),
        ("", "", None),
    ],
)
def test_birthdays_count(birth, study, expected):
    assert years_between(birth, study) == expected

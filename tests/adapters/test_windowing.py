import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.dicom.arguments import ReadingArguments
from pipeline.adapters.refused import Refused
from pipeline.adapters.windowing import (
    CentreWindow,
    PercentileWindow,
    Window,
    as_type,
    chosen_window,
    require_window_for,
)
from pipeline.config.reading import check_config
from pipeline.errors import InputError

VALUES = np.array([-1000.0, -160, 40, 239, 240, 3000], np.float32)


def test_a_window_runs_from_black_to_white():
    window = chosen_window(VALUES, CentreWindow(centre=40, width=400), tagged=None)
    # 40 is the middle of -160..240, hence 127.5 of 255, and halves go to the even number.
    expected = [0, 0, 128, round(399 / 400 * 255), 255, 255]
    np.testing.assert_array_equal(window(VALUES, "uint8"), expected)


def test_other_types_keep_the_units():
    window = Window(-160, 240)
    expected = [-160, -160, 40, 239, 240, 240]
    assert window(VALUES, "int16").dtype == np.int16
    np.testing.assert_array_equal(window(VALUES, "int16"), expected)
    np.testing.assert_array_equal(window(VALUES, "float32"), np.float32(expected))


@given(
    st.lists(st.floats(-2000, 4000, width=32), min_size=1, max_size=20),
    st.floats(-500, 500, width=32),
    st.floats(2, 2000, width=32),
)
def test_inverting_mirrors_the_grey_levels(values, lowest, width):
    window = Window(lowest, lowest + width)
    values = np.array(values, np.float32)
    shown, mirrored = (window(values, "uint8", inverted=flag) for flag in (False, True))
    # Both may round a half to the same side.
    assert np.abs(shown.astype(int) + mirrored - 255).max() <= 1


def test_a_window_does_not_change_its_input():
    values = VALUES.copy()
    Window(-160, 240)(values, "uint8", inverted=True)
    np.testing.assert_array_equal(values, VALUES)


def test_a_constant_image_is_black():
    values = np.full(4, 7.0, np.float32)
    window = chosen_window(values, "tag", tagged=None)
    np.testing.assert_array_equal(window(values, "uint8"), np.zeros(4))


def test_the_tag_is_followed_where_there_is_one():
    assert chosen_window(VALUES, "tag", tagged=Window(1, 2)) == Window(1, 2)
    assert chosen_window(VALUES, "tag", tagged=None) == Window(-1000, 3000)


def test_none_keeps_all_values():
    assert chosen_window(VALUES, "none", tagged=Window(1, 2)) == Window(-1000, 3000)


def test_percentiles_are_those_of_the_values():
    values = np.arange(101, dtype=np.float32)
    choice = PercentileWindow(percentile=(5, 90))
    assert chosen_window(values, choice, tagged=None) == Window(5, 90)


FILLED = np.array([-2000.0, 0, 10, 20, 100, 9000], np.float32)
FILL = (FILLED < -1000) | (FILLED > 1000)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("tag", Window(0, 100)),
        ("none", Window(0, 100)),
        (PercentileWindow(percentile=(0, 100)), Window(0, 100)),
        (PercentileWindow(percentile=(0, 50)), Window(0, 15)),
        (CentreWindow(centre=5, width=2), Window(4, 6)),
    ],
)
def test_fill_decides_no_window(choice, expected):
    assert chosen_window(FILLED, choice, None, FILL) == expected


def test_the_patient_has_every_grey_level_though_the_frame_was_filled_up():
    window = chosen_window(FILLED, "tag", None, FILL)
    np.testing.assert_array_equal(window(FILLED, "uint8"), [0, 0, 26, 51, 255, 255])


def test_a_frame_of_nothing_but_fill_is_refused():
    with pytest.raises(Refused, match="nothing but padding"):
        chosen_window(FILLED, "tag", None, np.ones(6, bool))
    assert chosen_window(FILLED, "tag", Window(1, 2), np.ones(6, bool)) == Window(1, 2)


def test_percentiles_that_meet_are_no_window():
    values = np.zeros(1000, np.float32)
    values[:5] = 7  # what there is to see lies beyond the 99th percentile
    with pytest.raises(Refused, match="window without width"):
        chosen_window(values, PercentileWindow(), tagged=None)


def test_rounding_stays_within_the_type():
    values = np.array([-32768.4, 1.5, 2.5, 32767.4])
    np.testing.assert_array_equal(as_type(values, "int16"), [-32768, 2, 2, 32767])
    np.testing.assert_array_equal(as_type(np.array([-0.6, 255.6]), "uint8"), [0, 255])


@pytest.mark.parametrize("value", [-32769, 32768, 40_000])
def test_a_value_that_int16_cannot_hold_is_not_saturated(value):
    values = np.array([0, value], np.float32)
    with pytest.raises(Refused, match="values beyond int16"):
        chosen_window(values, "none", tagged=None)(values, "int16")
    narrowed = CentreWindow(centre=0, width=2000)
    shown = chosen_window(values, narrowed, tagged=None)(values, "int16")
    np.testing.assert_array_equal(shown, [0, np.sign(value) * 1000])


@pytest.mark.parametrize(
    ("dtype", "window", "match"),
    [("uint8", "none", "uint8 images need a window"), ("int16", "tag", "keep physical values")],
)
def test_refuses_a_window_that_does_not_suit_the_type(dtype, window, match):
    with pytest.raises(ValueError, match=match):
        require_window_for(dtype, window)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ("soft", r"key 'window': expected tag, none, .* or \{percentile\}, got 'soft'$"),
        (40, "key 'window': expected tag, none, .*, got 40$"),
        ({}, r"key 'window': expected tag, none, .* or \{percentile\}"),
        ({"level": 40}, r"key 'window': expected tag, none, .* or \{percentile\}"),
        ({"centre": 40}, "missing key 'window.width'$"),
        (
            {"centre": 40, "width": 0},
            r"key 'window\.width': Input should be greater than 0, got 0$",
        ),
        ({"centre": 40, "width": 400, "unit": "HU"}, "unknown key 'window.unit'$"),
        ({"percentile": [1, "most"]}, r"key 'window\.percentile\.1': .* got 'most'$"),
        ({"percentile": [99, 1]}, r"key 'window': percentile must rise .* got \[99, 1\]"),
        ({"percentile": [0, 150]}, r"key 'window': percentile must rise .* got \[0, 150\]"),
        ({"percentile": [5, 5]}, r"key 'window': percentile must rise .* got \[5, 5\]"),
    ],
)
def test_a_fault_of_a_window_is_one_line_of_the_form_that_is_meant(window, message):
    with pytest.raises(InputError, match=f"^d.yaml: {message}"):
        check_config({"window": window}, ReadingArguments, place="d.yaml")


def test_refuses_a_window_without_width():
    with pytest.raises(ValueError, match="greater than 0"):
        CentreWindow(centre=0, width=0)


@pytest.mark.parametrize(
    "values",
    [[0, 1e-35], [0, 1e32], [-1e32, 0]],
    ids=["too close", "too large", "too far below zero"],
)
@pytest.mark.parametrize("choice", ["none", PercentileWindow(percentile=(0, 100))])
def test_values_that_float32_cannot_scale_are_refused_rather_than_shown_as_any_grey(values, choice):
    with pytest.raises(Refused, match="window out of range"):
        chosen_window(np.array(values, np.float32), choice, tagged=None)


@pytest.mark.parametrize("window", [Window(0, 1e-40), Window(-1e31, 0)])
def test_a_window_of_the_header_that_float32_cannot_scale_by_is_refused(window):
    with pytest.raises(Refused, match="window out of range"):
        chosen_window(VALUES, "tag", tagged=window)

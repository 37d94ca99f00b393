import re
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest

from pipeline.figures import axes_frame, risk_coverage_figure, to_svg
from pipeline.figures.style import DARK, SERIES
from tests.figures.examples import FIGURES, drawn, losses_curve, svg_of


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_frames_give_the_same_bits(name):
    assert drawn(name) == svg_of(name)


@pytest.mark.parametrize("name", FIGURES)
def test_the_users_own_settings_do_not_reach_a_figure(name):
    plain = svg_of(name)
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.grid": False}):
        assert drawn(name) == plain


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_an_image_with_a_name_and_a_description(name):
    root = ET.fromstring(svg_of(name))  # noqa: S314 - our own text
    ns = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    named = {each.get("id"): each.text for each in root if each.tag in {f"{ns}title", f"{ns}desc"}}
    assert [named[part] for part in root.get("aria-labelledby").split()] == [
        "x < y & z",
        "A description",
    ]


@pytest.mark.parametrize("name", FIGURES)
def test_every_id_begins_with_the_figures_name_and_every_reference_has_its_id(name):
    svg = svg_of(name)
    ids = re.findall(r"\sid=\"([^\"]+)\"", svg)
    references = re.findall(r"(?:url\(#|href=\"#)([^\")]+)", svg)
    assert all(each.startswith(f"{name}-") for each in ids)
    assert set(references) <= set(ids)


@pytest.mark.parametrize("name", FIGURES)
def test_every_colour_has_a_dark_twin(name):
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg_of(name))) <= set(DARK)


@pytest.mark.parametrize("name", FIGURES)
def test_words_stay_text_and_no_date_is_written(name):
    svg = svg_of(name)
    assert "<text" in svg
    assert "<metadata" not in svg
    assert not re.search(r"\b20\d\d-\d\d-\d\d", svg)


def luminance(colour):
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("colour", SERIES)
def test_every_series_stands_out_three_to_one_in_light_and_dark(colour):
    assert (1.0 + 0.05) / (luminance(colour) + 0.05) >= 3
    assert (luminance(DARK[colour]) + 0.05) / (luminance(DARK["#ffffff"]) + 0.05) >= 3


def test_a_label_in_dollars_is_no_formula():
    figure = risk_coverage_figure(
        losses_curve("$1 <b>"), losses=["$1 <b>"], target=0.05, unit="200 patients"
    )
    svg = to_svg(figure, name="f", title="t", description="d")
    assert "$1 &lt;b&gt;" in svg


def test_the_frame_is_where_the_axes_are_drawn():
    figure = FIGURES["exact_band"]()
    frame = axes_frame(figure)
    svg = to_svg(figure, name="f", title="t", description="d")
    width, height = (float(part) for part in re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups())
    places = re.findall(r'<use xlink:href="#f-m\w+" x="([\d.]+)" y="([\d.]+)"', svg)
    ticks = [(float(x), float(y)) for x, y in places if float(x) > 0]
    xs, ys = {x for x, _ in ticks}, {y for _, y in ticks}
    # The ticks of 0% and 100% stand at the axes' ends.
    assert min(xs) == pytest.approx(frame.left * width, abs=0.01)
    assert max(xs) == pytest.approx(frame.right * width, abs=0.01)
    assert max(ys) == pytest.approx(frame.bottom * height, abs=0.01)
    assert 0 < frame.top < frame.bottom < 1

import dataclasses
import functools
import re
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest

from pipeline.plots import (
    BarPanel,
    BarSeries,
    ConfidenceHistogram,
    CurvePanel,
    DecisionCurve,
    ExactBand,
    ForestPanel,
    ForestRow,
    GroupCurve,
    MarkedPoint,
    ReliabilityBins,
    RiskCurve,
    SmoothBand,
    TrainingCurve,
    axes_frame,
    bars_figure,
    costs_figure,
    curve_panels_figure,
    exact_band_figure,
    forest_figure,
    net_benefit_figure,
    reliability_figure,
    risk_coverage_figure,
    silent_errors_figure,
    to_svg,
    training_figure,
)
from pipeline.plots.style import DARK, SERIES


def bins():
    count = np.array([0.0, 9.0, 10.0, 29.0, 30.0, 522.0])
    centre = (np.arange(6) + 0.5) / 6
    undefined = np.where(count == 0, np.nan, 1.0)
    return ReliabilityBins(
        title="before",
        count=count,
        confidence=centre * undefined,
        accuracy=0.9 * centre * undefined,
        consistency_lower=(centre - 0.05) * undefined,
        consistency_upper=(centre + 0.05) * undefined,
        histogram=ConfidenceHistogram(np.arange(7) / 6, 0.9 * count, 0.1 * count),
    )


def band():
    answered = np.arange(30.0, 201.0)
    wrong = np.floor(answered / 20)
    return ExactBand(answered, wrong, wrong / answered / 2, 2 * wrong / answered + 0.01, 200)


def curve():
    coverage = np.arange(1, 101) / 100
    return RiskCurve("gce", 1, coverage, 0.1 * coverage**2, np.full(100, np.nan))


def smooth():
    confidence = np.linspace(0.3, 1, 20)
    return SmoothBand(confidence, confidence**2, confidence**2 - 0.1, confidence**2 + 0.1)


def forest():
    rows = [
        ForestRow("site: north (n = 100)", 0.04, 0.01, 0.10),
        ForestRow("site: south (n = 20)", None, 0.0, 0.17),
        ForestRow("site: west", None, None, None, "masked"),
    ]
    return ForestPanel("wrong, % of the answered", rows, 0.05)


def decisions(highest):
    grid = np.array([0.1, 0.2, 0.5])
    value = np.array([0.3, 0.2, 0.1]) * highest
    undefined = np.full(3, np.nan)
    return [
        DecisionCurve("this model", 0, grid, value, 0.9 * value, 1.1 * value),
        DecisionCurve("act on all", None, grid, value - 0.1 * highest, undefined, undefined),
        DecisionCurve("act on none", None, grid, 0 * value, undefined, undefined),
    ]


def bars_():
    spread = np.array([0.01, np.nan])
    series = [BarSeries(name, np.array([0.9, 0.5]), spread) for name in ("gce", "cross_entropy")]
    return bars_figure([BarPanel("right, %", series)], groups=["many", "few"])


def curve_panel(*, labels=("north", "south"), spread=np.nan):
    coverage = np.arange(30, 101) / 100
    curves = [
        GroupCurve(label, i, coverage, 0.1 * coverage, np.full(71, spread),
                   MarkedPoint(0.7, 0.07, 0.03, 0.12))
        for i, label in enumerate(labels)
    ]  # fmt: skip
    return CurvePanel("site", "answered, % of the group's patients", curves)


FIGURES = {
    "curve_panels": lambda: curve_panels_figure(
        [curve_panel(), curve_panel(labels=("F",))], target=0.05, mark="approved threshold"
    ),
    "bars": bars_,
    "smooth": lambda: reliability_figure([dataclasses.replace(bins(), smooth=smooth())]),
    "forest": lambda: forest_figure([forest(), forest()]),
    "costs": lambda: costs_figure(decisions(900.0), unit="patients"),
    "net_benefit": lambda: net_benefit_figure(
        decisions(0.4), positive="malignant", unit="patients"
    ),
    "reliability": lambda: reliability_figure([bins(), bins()]),
    "exact_band": lambda: exact_band_figure(band(), target=0.05, chosen=(150, 6), unit="patients"),
    "silent_errors": lambda: silent_errors_figure(band(), chosen=None, unit="patients"),
    "risk_coverage": lambda: risk_coverage_figure([curve()], target=0.05, unit="200 patients"),
    "training": lambda: training_figure(
        [("validation loss", [TrainingCurve("gce", 0, *[np.arange(3.0)] * 4)])]
    ),
}


def drawn(name):
    return to_svg(FIGURES[name](), name=name, title="x < y & z", description="A description")


# One drawing serves every test that only looks at it.
svg_of = functools.cache(drawn)


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_arrays_give_the_same_bits(name):
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


def test_bins_of_fewer_than_ten_are_left_out_and_those_below_thirty_are_hollow():
    diagram = reliability_figure([bins()]).axes[0]
    drawn = {line.get_label(): len(line.get_xdata()) for line in diagram.get_lines()}
    assert drawn["bins of 30 or more"] == 2
    assert drawn["bins of 10 to 29"] == 2


def test_reliability_axes_run_from_nothing_to_everything():
    diagram = reliability_figure([bins()]).axes[0]
    assert diagram.get_xlim() == diagram.get_ylim() == (0, 100)


@pytest.mark.parametrize("name", ["exact_band", "silent_errors", "risk_coverage"])
def test_selective_axes_begin_at_zero_and_name_unit_and_number(name):
    axes = FIGURES[name]().axes[0]
    assert axes.get_xlim() == (0, 100)
    assert axes.get_ylim()[0] == 0
    assert "200 patients" in axes.get_xlabel()


def test_a_label_in_dollars_is_no_formula():
    priced = RiskCurve("$1 <b>", 0, *[np.arange(1, 101) / 100] * 3)
    figure = risk_coverage_figure([priced], target=0.05, unit="200 patients")
    svg = to_svg(figure, name="f", title="t", description="d")
    assert "$1 &lt;b&gt;" in svg


def test_a_group_too_small_for_a_rate_has_an_interval_and_no_full_point():
    axes = forest_figure([forest()]).axes[0]
    faces = [line.get_markerfacecolor() for line in axes.get_lines() if line.get_marker() != "None"]
    assert faces == [SERIES[0], "#ffffff"]
    assert [text.get_text() for text in axes.texts] == ["masked", "all: 5.0%"]


def test_net_benefit_is_drawn_in_percent_against_a_named_preference():
    axes = FIGURES["net_benefit"]().axes[0]
    assert axes.get_lines()[0].get_ydata()[0] == pytest.approx(100 * 0.3 * 0.4)
    assert axes.get_xlabel().startswith("preference")
    assert axes.get_ylabel().startswith("benefit: true malignant found")


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


def test_curves_of_one_panel_differ_in_dash_and_mark_and_share_the_scale_of_risk():
    high = curve_panel(labels=("F",))
    high = dataclasses.replace(
        high, curves=[dataclasses.replace(high.curves[0], risk=4 * high.curves[0].risk)]
    )
    first, second = curve_panels_figure([curve_panel(), high], target=0.05).axes
    lines = {line.get_label(): line for line in first.get_lines()}
    assert lines["north"].get_linestyle() != lines["south"].get_linestyle()
    marks = [line.get_marker() for line in first.get_lines() if line.get_marker() in ("o", "s")]
    assert marks == ["o", "s"]
    assert first.get_ylim() == second.get_ylim()


def test_panels_of_the_same_curves_have_one_legend_and_others_one_each():
    same = curve_panels_figure([curve_panel(), curve_panel()], target=0.05)
    assert (len(same.legends), [axes.get_legend() for axes in same.axes]) == (1, [None, None])
    apart = curve_panels_figure([curve_panel(), curve_panel(labels=("F",))], target=0.05)
    assert not apart.legends
    assert all(axes.get_legend() is not None for axes in apart.axes)


def test_a_single_curve_goes_in_steps_and_a_mean_has_its_band():
    alone, mean = (
        curve_panels_figure([curve_panel(spread=spread)], target=0.05).axes[0]
        for spread in (np.nan, 0.01)
    )
    assert alone.get_lines()[0].get_drawstyle() == "steps-post"
    assert mean.get_lines()[0].get_drawstyle() == "default"
    # Beside the marks' intervals stands a band for each mean.
    assert len(mean.collections) == len(alone.collections) + 2


def test_a_curve_of_one_point_is_a_mark():
    point = np.array([1.0])
    curves = [GroupCurve("few", 0, point, 0.1 * point, np.full(1, np.nan))]
    axes = curve_panels_figure([CurvePanel("age", "answered", curves)], target=0.05).axes[0]
    assert axes.get_lines()[0].get_marker() == "o"

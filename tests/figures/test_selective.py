import pytest

from pipeline.figures import exact_band_figure, silent_errors_figure, workload_figure
from tests.figures.examples import FIGURES, NOBODY, POINT, band


@pytest.mark.parametrize("name", ["exact_band", "silent_errors", "risk_coverage"])
def test_selective_axes_begin_at_zero_and_name_unit_and_number(name):
    axes = FIGURES[name]().axes[0]
    assert axes.get_xlim() == (0, 100)
    assert axes.get_ylim()[0] == 0
    assert "200 patients" in axes.get_xlabel()


def test_the_approved_threshold_is_marked_where_it_came_out():
    figure = exact_band_figure(band(), band().iloc[::50], POINT, unit="patients")
    (mark,) = [line for line in figure.axes[0].get_lines() if line.get_marker() == "D"]
    assert mark.get_xdata()[0] == pytest.approx(100 * 150 / 200)
    assert mark.get_ydata()[0] == pytest.approx(100 * 6 / 150)


@pytest.mark.parametrize(
    "draw",
    [
        lambda point: exact_band_figure(band(), band().iloc[::50], point, unit="patients"),
        lambda point: silent_errors_figure(band(), point, unit="patients"),
        lambda point: workload_figure(band(), point, unit="patients"),
    ],
)
def test_where_nobody_is_answered_no_threshold_is_marked(draw):
    labels = [draw(point).axes[0].get_legend_handles_labels()[1] for point in (POINT, NOBODY)]
    assert ["approved threshold" in each for each in labels] == [True, False]

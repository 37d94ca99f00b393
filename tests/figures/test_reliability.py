from tests.figures.examples import reliability


def test_bins_of_fewer_than_ten_are_left_out_and_those_below_thirty_are_hollow():
    diagram = reliability("before").axes[0]
    drawn = {line.get_label(): line for line in diagram.get_lines()}
    full, few = drawn["bins of 30 or more"], drawn["bins of 10 to 29"]
    assert (len(full.get_xdata()), len(few.get_xdata())) == (2, 2)
    assert few.get_markerfacecolor() == "#ffffff"


def test_reliability_axes_run_from_nothing_to_everything():
    diagram = reliability("before").axes[0]
    assert diagram.get_xlim() == diagram.get_ylim() == (0, 100)


def test_without_counts_there_is_no_histogram_beneath():
    assert len(reliability("before", "after").axes) == 4
    assert len(reliability("before", "after", counted=False).axes) == 2


def test_a_smooth_curve_stands_in_the_place_of_a_line_from_bin_to_bin():
    line, curve = (reliability("before", smooth=smooth).axes[0] for smooth in (False, True))
    assert "smooth curve" not in line.get_legend_handles_labels()[1]
    assert "smooth curve" in curve.get_legend_handles_labels()[1]
    assert len(line.get_lines()) == len(curve.get_lines())

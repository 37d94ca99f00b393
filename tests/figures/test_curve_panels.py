from tests.figures.examples import curve_panels, group_curves, mean_curves


def test_curves_of_one_panel_differ_in_dash_and_mark_and_share_the_scale_of_risk():
    first, second = curve_panels(group_curves("north", "south"), group_curves("F", factor=4)).axes
    lines = {line.get_label(): line for line in first.get_lines()}
    assert lines["north"].get_linestyle() != lines["south"].get_linestyle()
    marks = [line.get_marker() for line in first.get_lines() if line.get_marker() in ("o", "s")]
    assert marks == ["o", "s"]
    assert first.get_ylim() == second.get_ylim()


def test_a_group_without_a_rate_at_the_threshold_has_no_mark():
    (axes,) = curve_panels(group_curves("north", "south"), marked=["south"]).axes
    marks = [line.get_marker() for line in axes.get_lines() if line.get_marker() in ("o", "s")]
    assert marks == ["s"]


def test_panels_of_the_same_curves_have_one_legend_and_others_one_each():
    curves = group_curves("north", "south")
    same = curve_panels(curves, curves)
    assert (len(same.legends), [axes.get_legend() for axes in same.axes]) == (1, [None, None])
    apart = curve_panels(curves, group_curves("F"))
    assert not apart.legends
    assert all(axes.get_legend() is not None for axes in apart.axes)


def test_a_single_curve_goes_in_steps_and_a_mean_has_its_band():
    alone, mean = (
        curve_panels(curves, marked=()).axes[0]
        for curves in (group_curves("north", "south"), mean_curves("north", "south"))
    )
    assert alone.get_lines()[0].get_drawstyle() == "steps-post"
    assert mean.get_lines()[0].get_drawstyle() == "default"
    assert (len(alone.collections), len(mean.collections)) == (0, 2)


def test_a_curve_of_one_point_is_a_mark():
    one = {"few": group_curves("few")["few"].iloc[-1:]}
    assert curve_panels(one).axes[0].get_lines()[0].get_marker() == "o"

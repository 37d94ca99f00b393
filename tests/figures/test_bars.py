from tests.figures.examples import FIGURES


def test_a_masked_group_has_a_bar_and_no_number():
    axes = FIGURES["bars"]().axes[0]
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["many\n(n = 90)", "few\n(masked)"]
    assert [round(bar.get_height(), 9) for bar in axes.patches] == [90, 50, 90, 50]

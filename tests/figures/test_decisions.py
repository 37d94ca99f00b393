import pytest

from tests.figures.examples import FIGURES


def test_net_benefit_is_drawn_in_percent_against_a_named_preference():
    axes = FIGURES["net_benefit"]().axes[0]
    assert axes.get_lines()[0].get_ydata()[0] == pytest.approx(100 * 0.12)
    assert axes.get_xlabel().startswith("preference")
    assert axes.get_ylabel().startswith("benefit: true malignant found")


def test_a_policy_without_a_model_has_no_band():
    axes = FIGURES["net_benefit"]().axes[0]
    assert len(axes.collections) == 1


def test_the_cost_of_answering_all_may_leave_the_axes_and_no_other():
    axes = FIGURES["costs"]().axes[0]
    highest = {line.get_label(): max(line.get_ydata()) for line in axes.get_lines()}
    assert axes.get_ylim()[1] == pytest.approx(1.25 * highest["this model"])
    assert highest["answer all"] > axes.get_ylim()[1]

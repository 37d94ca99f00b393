import numpy as np
import pandas as pd
import pytest

from pipeline.figures import evidence_figure, risk_so_far_figure
from pipeline.figures.watched import HIGHEST, LOWEST, MOST_POINTS


def test_the_risk_so_far_is_drawn_in_its_sequence_and_beside_the_target():
    rows = pd.DataFrame(
        {"labels": [1, 2], "risk": [0.0, 0.5], "lower": [0.0, 0.1], "upper": [0.9, 0.8]}
    )
    axes = risk_so_far_figure(rows, target=0.1).axes[0]
    risk, target = axes.get_lines()
    assert risk.get_ydata().tolist() == [0.0, 50.0]
    assert set(target.get_ydata()) == {10.0}
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (0.0, 90.0)


def test_evidence_beyond_the_scale_is_drawn_at_its_end():
    figure = evidence_figure(
        {"one": np.array([-1e3, 0.0, 1e3]), "none": np.array([])}, enough=20.0, units="patients"
    )
    one, none, enough = figure.axes[0].get_lines()
    assert one.get_ydata().tolist() == pytest.approx([LOWEST, 1.0, HIGHEST])
    assert len(none.get_ydata()) == 0
    assert set(enough.get_ydata()) == {20.0}


def test_a_long_line_is_thinned_and_keeps_its_ends():
    figure = evidence_figure({"long": np.linspace(0, 1, 10_000)}, enough=20.0, units="patients")
    line = figure.axes[0].get_lines()[0]
    assert len(line.get_xdata()) == MOST_POINTS
    assert (line.get_xdata()[0], line.get_xdata()[-1]) == (1, 10_000)

"""What explains the difference of two losses, from a designed experiment."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.findings.designed import answer_design, answer_response, effect_name
from pipeline.metrics.factorial import design_of
from tests.findings.designed_study import DESIGN, cells

LEVEL = 0.05
PLANTED = {(): 0.01, (2,): 0.02, (0, 1): -0.015}
"""Noise of 0.004 and 48 differences: an effect's standard error is 0.0012."""


def explaining(found):
    """Names of the effects that explain each response."""
    return [[effect_name(DESIGN, each.effect) for each in one.explaining]
            for one in found.responses]  # fmt: skip


def without_seed(evidence, seed, loss="gce"):
    runs = evidence.tables["runs"]
    kept = runs[~((runs["seed"] == seed) & (runs["loss"] == loss))]
    return replace(evidence, tables={"runs": kept})


def test_planted_effects_are_recovered_and_no_other_explains():
    found = answer_design(DESIGN, cells(PLANTED), LEVEL)
    assert found.missing == ()
    assert explaining(found) == [["batch size", "width × optimiser"]] * 2
    for one in found.responses:
        estimates = {each.effect.factors: each.effect.estimate for each in one.tested}
        # Three standard errors; of the mean, which has half the error, as many.
        assert estimates[(2,)] == pytest.approx(0.02, abs=0.0036)
        assert estimates[(0, 1)] == pytest.approx(-0.015, abs=0.0036)
        assert one.mean == pytest.approx(0.01, abs=0.0018)
        assert one.interval.lower < one.mean < one.interval.upper
        assert len(one.tested) == 4 + 6


@pytest.mark.parametrize("mean", [0.0, 0.01])
def test_without_an_effect_at_least_93_percent_of_tables_are_not_explained(mean):
    # Holm keeps 95 %; of 1,000 tables 93 % lies three standard errors below that.
    generator = np.random.default_rng(5)
    places = np.array([cell[2] for cell in design_of(4)], dtype=float)
    found = [
        answer_response(
            DESIGN, DESIGN.responses[0], generator.normal(mean, 0.004, (16, 3)), places, LEVEL
        )
        for _ in range(1000)
    ]
    assert np.mean([not each.explaining for each in found]) >= 0.93


def test_an_effect_that_is_real_and_small_beside_the_difference_does_not_explain_it():
    # Eight standard errors wide, and a tenth of the difference of every cell.
    found = answer_design(DESIGN, cells({(): 0.1, (0,): 0.01}), LEVEL)
    (width, *_) = found.responses[0].tested
    assert width.p_value_holm < 0.001
    assert not width.explains
    assert explaining(found) == [[], []]


def test_the_suspect_alone_is_a_line_over_the_doublings_of_a_class_s_cases_in_a_batch():
    found = answer_design(DESIGN, cells({(2,): 0.03}), LEVEL)
    assert sorted(set(found.suspects)) == [3.2, 25.6]
    line = found.responses[0].line
    # Three doublings from 3.2 to 25.6 cases.
    assert line.slope == pytest.approx(0.01, abs=0.001)
    assert line.interval.lower > 0
    assert line.share > 0.9


@pytest.mark.parametrize("place", [0, 7, 15])
def test_a_missing_cell_is_not_run_and_named(place):
    every = cells(PLANTED)
    del every[place]
    found = answer_design(DESIGN, every, LEVEL)
    assert found.responses == ()
    (missing,) = found.missing
    assert missing.startswith("no experiment with width ")


@pytest.mark.parametrize("loss", ["gce", "cross_entropy"])
def test_a_cell_that_lacks_a_seed_of_either_loss_is_not_run(loss):
    every = cells(PLANTED)
    every[3] = without_seed(every[3], 1, loss)
    found = answer_design(DESIGN, every, LEVEL)
    assert found.responses == ()
    assert "size/low-low-high-high, balanced accuracy: 2 of 3 seeds with both" in found.missing


def test_a_design_of_one_seed_is_not_run():
    every = [replace(each, row=each.row.model_copy(update={"seeds": [0]}))
             for each in cells(PLANTED)]  # fmt: skip
    every = [without_seed(without_seed(each, 1), 2) for each in every]
    assert "1 of 2 seeds" in answer_design(DESIGN, every, LEVEL).missing[0]


def test_other_studies_say_nothing_of_a_design():
    every = [replace(each, row=each.row.model_copy(update={"study": "gpu"})) for each in cells()]
    assert answer_design(DESIGN, every, LEVEL).missing == ("the study size is not published",)


def test_a_seed_beyond_those_planned_is_not_run_either():
    every = cells()
    runs = every[2].tables["runs"]
    beyond = runs[runs["seed"] == 0].assign(seed=9)
    every[2] = replace(every[2], tables={"runs": pd.concat([runs, beyond])})
    found = answer_design(DESIGN, every, LEVEL)
    assert found.responses == ()
    assert "4 of 3 seeds with both" in found.missing[0]

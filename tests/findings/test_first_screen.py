import pytest

from pipeline.config.claims import Claim
from pipeline.findings.first_screen import (
    chosen_cell,
    held_sentence,
    short_cell,
    verdict_cell,
)
from pipeline.findings.recommending import Candidate, Chosen
from pipeline.findings.verdicts import Answer, PartAnswer, Pooled
from tests.findings.simulated_evidence import comparison, evidence, part


def answered(*changes):
    """A claim whose parts each have one comparison, standing for it, of -0.05."""
    statement = Claim(key="c", statement="S", source="H", parts=[part(**each) for each in changes])
    parts = [
        PartAnswer(each, (comparison("for", "a", -0.05),), Pooled(1, 1, -0.05, None), "supported")
        for each in statement.parts
    ]
    return Answer(statement, tuple(parts), "supported")


def test_the_short_cell_gives_verdict_difference_unit_and_what_is_seen():
    assert short_cell(answered({"says": "Error"})) == "**supported**<br>error −5.00 (+25.00) points"
    assert short_cell(answered({"says": "Error"}, {"says": "Loss", "metric": "nll"})) == (
        "**supported**<br>error −5.00 (+25.00) points<br>loss −0.050 (+0.250) nats"
    )
    assert short_cell(None) == "not tested"


def test_the_short_cell_of_many_parts_counts_those_that_are_supported():
    assert short_cell(answered({}, {}, {}, {})) == "**supported**<br>4 of 4 parts supported"


def test_a_size_says_what_was_run_and_what_became_of_its_claims():
    every = [evidence("busi"), evidence("bccd", seeds=[0, 1])]
    assert held_sentence(every, [answered({}), answered({})]) == (
        "2 experiments on 2 data sets, 2 or 5 seeds each; of 2 claims 2 supported, 0 contradicted, "
        "0 undecided."
    )
    assert held_sentence([], []) == "not run."


def test_a_cell_counts_the_comparisons_of_all_parts():
    assert verdict_cell(answered({}, {})) == "**supported**, 2 for, 0 against, of 2"
    assert verdict_cell(None) == "not tested"


@pytest.mark.parametrize(
    ("tested", "passes", "cell"),
    [
        (False, False, "ce, no other was run"),
        (True, False, "**ce**, the simplest: none of 1 shown better"),
        (True, True, "**generative cross-entropy (gce)**, NLL −0.050 nats"),
    ],
)
def test_a_cell_of_what_to_use_says_whether_anything_was_shown_better(tested, passes, cell):
    (found,) = answered({}).parts
    if not tested:
        found = PartAnswer(found.part, (), None, "not tested")
    candidate = Candidate("gce", found, {"ece": -0.01}, passes=passes)
    assert chosen_cell(Chosen("ce", (candidate,), candidate if passes else None), "nll") == cell

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.claims import Claim
from pipeline.findings import wording
from pipeline.findings.recommending import Candidate, Chosen
from pipeline.findings.verdicts import Answer, PartAnswer, Pooled, pool, verdict_of
from tests.findings.simulated_evidence import comparison, part

PARTS = (
    part(),
    part(metric="accuracy", expected="higher"),
    part(kind="non_inferiority", margin=0.01),
    part(metric="nll", kind="non_inferiority", margin=0.1, expected="higher"),
)


BETTER = PartAnswer(
    part(), (comparison("for", "a", -0.05),), Pooled(1, 1, -0.05, None), "supported"
)


@st.composite
def part_answers(draw):
    chosen = draw(st.sampled_from(PARTS))
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["for", "against", "open"]),
                st.sampled_from("abcdefgh"),
                st.floats(-0.5, 0.5),
            ),
            max_size=12,
        )
    )
    all_tested = tuple(comparison(*row) for row in rows)
    pooled = pool(chosen, [each.measured for each in all_tested])
    return PartAnswer(chosen, all_tested, pooled, verdict_of([row[0] for row in rows]))


@given(part_answers())
def test_the_sentence_says_the_counts_the_verdict_and_the_direction_of_the_numbers(found):
    sentence = wording.part_sentence(found)
    if not found.tested:
        assert sentence.startswith("Not tested")
        return
    pattern = r"Of (\d+) comparisons?: (\d+) (.+), (\d+) (.+), (\d+) not distinguishable"
    numbers = re.match(pattern, sentence)
    num, num_for, claimed, num_against, opposite, num_open = numbers.groups()
    counts = [found.count(each) for each in ("for", "against", "open")]
    assert [int(num_for), int(num_against), int(num_open)] == counts
    assert int(num) == len(found.tested) == sum(counts)
    assert f": {found.verdict}." in sentence
    if found.part.margin is None:
        assert found.part.expected in claimed
        assert found.part.expected not in opposite
    else:
        assert (claimed, opposite) == ("within the margin", "significantly beyond it")


@given(part_answers())
def test_the_pooled_sentence_says_how_many_data_sets_lie_on_the_claims_side(found):
    if found.pooled is None or found.pooled.num_datasets == 1:
        return
    sentence = wording.part_sentence(found)
    num, side = re.search(r"Over (\d+) data sets .*?, (\d+) of them on", sentence).groups()
    assert int(num) == len({each.measured.dataset for each in found.tested})
    assert int(side) == found.pooled.num_favourable
    assert ("signed-rank" in sentence) == (found.pooled.p_value is not None)


def test_what_could_have_been_seen_is_said_with_seeds_sign_and_unit():
    row = comparison("open", "a", 0.0, 0.1)
    found = PartAnswer(part(), (row,), pool(part(), [row.measured]), "undecided")
    assert wording.part_sentence(found).endswith(
        "With 2 seeds a true difference of +25.00 points would have stood for the claim with a "
        "chance of 80 % (median over the comparisons)."
    )


@given(st.sampled_from(["ece", "accuracy", "nll", "aurc"]), st.floats(-1, 1))
def test_a_difference_has_the_sign_that_its_number_has(metric, value):
    text = wording.difference_text(metric, value)
    if text[0] in "+−":
        assert (text[0] == "+") == (value > 0)
    else:
        assert float(text) == 0.0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            "Rule: lower (Holm p at most 5 %) in at least half of the comparisons and higher in "
            "none; contradicted if higher in more than lower",
        ),
        (
            {"kind": "non_inferiority", "margin": 0.01},
            "Rule: the interval below +1.00 points in at least half of the comparisons and the "
            "mean above it (Holm p at most 5 %) in none; contradicted if above it in more",
        ),
        (
            {"kind": "non_inferiority", "margin": 0.01, "expected": "higher", "metric": "accuracy"},
            "Rule: the interval above −1.00 points in at least half of the comparisons and the "
            "mean below it (Holm p at most 5 %) in none; contradicted if below it in more",
        ),
    ],
)
def test_each_part_has_its_rule_with_direction_level_and_margin(changes, expected):
    assert wording.rule_text(part(**changes), 0.05) == expected


def test_a_claim_of_several_parts_says_what_each_came_to():
    statement = Claim(key="c", statement="S", source="H", parts=[part(says="A"), part(says="B")])
    parts = (
        PartAnswer(statement.parts[0], (), None, "not tested"),
        PartAnswer(statement.parts[1], (comparison("for", "a", 0.1),), None, "supported"),
    )
    found = Answer(statement, parts, "undecided")
    assert wording.claim_sentence(found) == "**Undecided.** A: not tested; B: supported."


@pytest.mark.parametrize(
    ("found", "passes", "words"),
    [
        (PartAnswer(part(), (), None, "not tested"), False, "No loss is recommended"),
        (BETTER, False, "Recommended loss: **ce**, the simplest"),
        (BETTER, True, "Recommended loss: **generative cross-entropy (gce)**"),
    ],
)
def test_the_recommendation_names_what_the_rule_chose(found, passes, words):
    candidate = Candidate("gce", found, {"ece": -0.01}, passes=passes)
    chosen = Chosen("ce", (candidate,), candidate if passes else None)
    assert wording.chosen_sentence("loss", chosen, "nll").startswith(words)

from dataclasses import replace

import pytest

from pipeline.localising.fitting import Validation
from pipeline.localising.wording import outcome_sentence, validation_sentence
from tests.localising.test_fitting import point_of
from tests.made_releases import make_release

RULE = make_release(rule__target=0.05).rule
SEEN = Validation(
    num_patients=400, answered=284, wrong=12, out_of_scope=0, upper_limit=0.068, broken=False
)


@pytest.mark.parametrize(
    ("changes", "judged"),
    [
        ({}, "12 of 284 (4.2%; 95% CI 2.2–7.3%), not shown to be at most 5%."),
        ({"upper_limit": 0.05}, "shown to be at most 5%."),
        ({"broken": True}, "more than 5%: do not use it here as it is."),
        ({"out_of_scope": 1}, "not shown to be at most 5%; 1 patient out of scope."),
    ],
)
def test_a_validation_says_what_was_shown(changes, judged):
    said = validation_sentence(replace(SEEN, **changes), RULE)
    assert said.startswith("As it is, the release answers 71.0% of 400 patients here, of which ")
    assert said.endswith(judged)


def test_who_answers_nobody_is_told_so():
    nobody = replace(SEEN, answered=0, wrong=0, upper_limit=1.0)
    said = validation_sentence(nobody, RULE)
    assert said == "As it is, the release answers nobody of 400 patients here."


def test_too_few_cases_says_how_many_more_are_needed():
    few = outcome_sentence(point_of(60, 0.05))
    assert few == "Too few cases to tell at 5%: at least 58 labelled patients more are needed."
    more = outcome_sentence(point_of(800, 0.02, spread=4.0))
    assert more.startswith("No threshold shown to meet 2%: too few cases, if errors stay as rare: ")
    assert more.endswith("labelled patients more are needed.")
    hopeless = outcome_sentence(point_of(800, 0.1, spread=0.3))
    assert hopeless.endswith("so more of them would not help.")

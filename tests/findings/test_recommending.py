import pytest

from pipeline.config.claims import Choice, Guard, Recommendation, Situation
from pipeline.findings.recommending import recommend
from tests.findings.simulated_evidence import evidence

SMALL, ELSE = (
    Situation(says="Small", datasets=["set0", "set1", "set2", "set3"]),
    Situation(says="Else"),
)
RULE = Recommendation(
    source="Here",
    metric="nll",
    expected="lower",
    guards=[
        Guard(metric="accuracy", expected="higher", margin=0.01),
        Guard(metric="ece", expected="lower", margin=0.01),
    ],
    losses=Choice(simplest="cross_entropy", candidates=["gce", "focal"]),
    calibrators=Choice(simplest="temperature", candidates=["ats"]),
    situations=[SMALL, ELSE],
)
LOSSES = ["cross_entropy", "gce", "focal"]


def sets(effects, num_datasets=4, **changes):
    changes = {"losses": LOSSES} | changes
    return [evidence(f"set{i}", effects, seed=i, **changes) for i in range(num_datasets)]


def recommended(effects, **changes):
    return recommend(RULE, SMALL, sets(effects, **changes), 0.05)


def test_without_a_difference_the_simplest_keeps_its_place():
    found = recommended({}, noise=0.0)
    assert (found.calibrator.name, found.loss.name) == ("temperature", "cross_entropy")
    assert found.loss.num_tested == 2


def test_a_better_candidate_takes_its_place_for_loss_and_calibrator_alike():
    found = recommended({("gce", "*"): {"nll": -0.05}, ("*", "ats"): {"nll": -0.05}})
    assert (found.calibrator.name, found.loss.name) == ("ats", "gce")


def test_the_calibrator_is_chosen_for_the_loss_that_was():
    # ATS helps GCE alone, which takes the place of cross-entropy.
    found = recommended({("gce", "*"): {"nll": -0.05}, ("gce", "ats"): {"nll": -0.05}})
    assert (found.loss.name, found.calibrator.name) == ("gce", "ats")
    assert recommended({("gce", "ats"): {"nll": -0.05}}).calibrator.name == "temperature"


def test_of_several_the_one_that_gains_most_is_taken():
    found = recommended({("gce", "*"): {"nll": -0.05}, ("focal", "*"): {"nll": -0.08}})
    assert found.loss.name == "focal"
    assert [each.passes for each in found.loss.candidates] == [True, True]


@pytest.mark.parametrize("lost", [{"accuracy": -0.03}, {"ece": 0.03}])
def test_a_gain_that_costs_accuracy_or_calibration_beyond_the_margin_is_refused(lost):
    found = recommended({("gce", "*"): {"nll": -0.05} | lost})
    assert found.loss.name == "cross_entropy"
    assert not found.loss.candidates[0].passes


def test_a_candidate_that_is_worse_somewhere_does_not_pass():
    better, worse = {("gce", "*"): {"nll": -0.05}}, {("gce", "*"): {"nll": 0.03}}
    every = sets(better, num_datasets=3) + [evidence("set3", worse, losses=LOSSES)]
    (gce, _) = recommend(RULE, SMALL, every, 0.05).loss.candidates
    assert (gce.found.count("for"), gce.found.count("against"), gce.passes) == (3, 1, False)


def test_half_of_the_data_sets_count_those_included_on_which_it_was_not_run():
    effects = {("gce", "*"): {"nll": -0.05}}
    others = [evidence(f"set{i}", seed=i, losses=["cross_entropy"]) for i in (1, 2, 3)]
    one = recommend(RULE, SMALL, [*sets(effects, num_datasets=1), *others], 0.05)
    two = recommend(RULE, SMALL, [*sets(effects, num_datasets=2), *others[1:]], 0.05)
    assert (one.loss.candidates[0].found.verdict, one.loss.name) == ("supported", "cross_entropy")
    assert two.loss.name == "gce"


def test_the_correction_is_over_all_comparisons_of_all_candidates():
    found = recommended({}).loss.candidates
    rows = [row for each in found for row in each.found.tested]
    least = min(rows, key=lambda row: row.p_value)
    assert len(rows) == 8
    assert least.p_value_holm == pytest.approx(min(1.0, 8 * least.p_value), rel=1e-12)


def test_only_the_data_sets_of_the_situation_count():
    effects = {("gce", "*"): {"nll": -0.05}}
    every = [*sets(effects), evidence("other", losses=LOSSES)]
    assert recommend(RULE, SMALL, every, 0.05).loss.name == "gce"
    found = recommend(RULE, ELSE, every, 0.05)
    assert found.loss.name == "cross_entropy"
    assert {row.measured.dataset for row in found.loss.candidates[0].found.tested} == {"other"}


def test_without_experiments_no_candidate_is_tested():
    found = recommend(RULE, SMALL, [], 0.05)
    assert (found.loss.num_tested, found.loss.best) == (0, None)
    assert found.loss.candidates[0].guards == {}

from pipeline.config.claims import Choice, Guard, Recommendation
from pipeline.findings.recommending import recommend
from tests.findings.simulated_evidence import evidence

RULE = Recommendation(
    metric="nll",
    expected="lower",
    guards=[
        Guard(metric="accuracy", expected="higher", margin=0.01),
        Guard(metric="ece", expected="lower", margin=0.01),
    ],
    losses=Choice(simplest="cross_entropy", candidates=["gce", "focal"]),
    calibrators=Choice(simplest="temperature", candidates=["ats"]),
    studies=["medical"],
)
LOSSES = ["cross_entropy", "gce", "focal"]


def recommended(effects, num_datasets=8, **changes):
    every = [
        evidence(f"set{i}", effects, seed=i, losses=LOSSES, **changes) for i in range(num_datasets)
    ]
    return recommend(RULE, every, 0.05)


def test_without_a_difference_the_simplest_keeps_its_place():
    found = recommended({}, noise=0.0)
    assert (found.calibrator.name, found.loss.name) == ("temperature", "cross_entropy")
    assert found.loss.num_tested == 2


def test_a_better_candidate_takes_its_place_for_loss_and_calibrator_alike():
    found = recommended({("gce", "*"): {"nll": -0.05}, ("*", "ats"): {"nll": -0.05}})
    assert (found.calibrator.name, found.loss.name) == ("ats", "gce")


def test_of_several_the_one_that_gains_most_is_taken():
    found = recommended({("gce", "*"): {"nll": -0.05}, ("focal", "*"): {"nll": -0.08}})
    assert found.loss.name == "focal"
    assert [each.passes for each in found.loss.candidates] == [True, True]


def test_a_gain_that_costs_accuracy_or_calibration_beyond_the_margin_is_refused():
    for lost in ({"accuracy": -0.03}, {"ece": 0.03}):
        found = recommended({("gce", "*"): {"nll": -0.05} | lost})
        assert found.loss.name == "cross_entropy"
        assert not found.loss.candidates[0].passes


def test_a_gain_on_too_few_data_sets_is_not_shown():
    # Of five data sets no signed-rank test reaches 5 %.
    found = recommended({("gce", "*"): {"nll": -0.05}}, num_datasets=5)
    assert found.loss.name == "cross_entropy"
    assert found.loss.candidates[0].p_value_holm is None


def test_the_correction_is_over_the_candidates():
    # Six data sets: p is 2/64 alone, and 4/64 with two candidates.
    found = recommended({("gce", "*"): {"nll": -0.05}}, num_datasets=6)
    assert found.loss.candidates[0].p_value_holm == 2 * 2 / 2**6
    assert found.loss.name == "cross_entropy"


def test_without_experiments_no_candidate_is_tested():
    found = recommend(RULE, [], 0.05)
    assert (found.loss.num_tested, found.loss.best) == (0, None)
    assert found.loss.candidates[0].guards == {}

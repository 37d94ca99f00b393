from pipeline.config.claims import PlannedExperiment, PlannedStudy
from pipeline.findings.coverage import missing_runs
from tests.findings.simulated_evidence import evidence

PLANNED = {
    "medical": PlannedStudy(
        size="thin",
        experiments=[
            PlannedExperiment(dataset="busi"),
            PlannedExperiment(dataset="bccd", network="vit"),
        ],
        losses=["cross_entropy", "gce"],
        seeds=5,
    )
}


def test_a_study_that_the_plan_lacks_is_not_run_and_its_experiments_are_named():
    assert missing_runs(PLANNED, [evidence("busi", study="quick")]) == [
        "medical: not run. It was to hold busi, bccd with vit."
    ]


def test_an_experiment_with_another_network_does_not_stand_for_the_one_planned():
    assert missing_runs(PLANNED, [evidence("busi"), evidence("bccd")]) == [
        "medical, bccd with vit: not run."
    ]


def test_what_was_run_as_planned_is_not_listed():
    assert missing_runs(PLANNED, [evidence("busi"), evidence("bccd", network="vit")]) == []


def test_fewer_losses_and_seeds_than_planned_are_said():
    less = evidence("busi", losses=["cross_entropy"], seeds=[0, 1, 2])
    assert missing_runs(PLANNED, [less, evidence("bccd", network="vit")]) == [
        "medical, busi-thin: gce not run.",
        "medical, busi-thin: 3 of 5 seeds run.",
    ]


def test_an_experiment_may_be_planned_with_losses_and_seeds_of_its_own():
    wider = PlannedExperiment(dataset="busi", losses=["gce", "mbls"], seeds=10)
    planned = {"medical": PlannedStudy(size="thin", experiments=[wider], losses=["brier"], seeds=5)}
    assert missing_runs(planned, [evidence("busi")]) == [
        "medical, busi-thin: mbls not run.",
        "medical, busi-thin: 5 of 10 seeds run.",
    ]

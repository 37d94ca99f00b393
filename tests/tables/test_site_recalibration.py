import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from pipeline.artifacts import ForeignPredictions, Predictions
from pipeline.calibrators import fit_calibrator
from pipeline.metrics.nll import nll
from pipeline.tables.parts.partners import PartnerRun
from pipeline.tables.parts.run import Applied, Run
from pipeline.tables.site_recalibration import NUM_DRAWS, halve, site_recalibration_table

CALIBRATORS = ("identity", "temperature", "bcts")
BLIND = ["bbse", "estimated_accuracy"]
SCORES = ["accuracy", "nll", "ece", "brier"]


def draw(seed, *, num_cases, prevalence, sharpness=1.0, images=1):
    """Normal features around each class's corner: logits are exact at equal prevalence."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, size=num_cases, p=prevalence)
    features = 2.0 * np.eye(3)[labels] + generator.normal(size=(num_cases, 3))
    names = np.array([f"case-{number}" for number in range(num_cases)])
    return Predictions(
        logits=sharpness * 2.0 * features,
        labels=labels,
        cases=names,
        patients=np.array([f"{number // images}" for number in range(num_cases)]),
    )


HOME = {"prevalence": [1 / 3, 1 / 3, 1 / 3]}
AWAY = {"prevalence": [0.8, 0.15, 0.05]}


def make_run(*, with_threshold=True, home=HOME):
    calibration = draw(1, num_cases=4_000, **home)
    fitted = {
        name: fit_calibrator(name, calibration.logits, calibration.labels) for name in CALIBRATORS
    }

    def applied(predictions):
        return Applied(predictions, {name: fit(predictions.logits) for name, fit in fitted.items()})

    test, threshold = draw(2, num_cases=400, **home), draw(3, num_cases=4_000, **home)
    return Run(
        "simulated", 0, applied(test), applied(threshold) if with_threshold else None, fitted
    )


@pytest.fixture(scope="module")
def run():
    return make_run()


def table_of(run, there, *, kind="site"):
    return site_recalibration_table([PartnerRun(run, "south", kind, there)], seed=0)


def by_correction(table, calibrator):
    return table[table["calibrator"] == calibrator].set_index("correction")


def test_another_prevalence_is_mended_without_a_label(run):
    table = by_correction(table_of(run, draw(4, num_cases=4_000, **AWAY)), "bcts")
    for correction in ("em", "bbse"):
        for score in ("nll", "brier", "ece"):
            assert table.loc[correction, score] < table.loc["none", score]
        assert table.loc[correction, "accuracy"] > table.loc["none", "accuracy"]


def test_overconfidence_at_a_site_is_mended_by_its_labels(run):
    there = draw(4, num_cases=4_000, sharpness=3.0, **HOME)
    for calibrator in CALIBRATORS:
        table = by_correction(table_of(run, there), calibrator)
        assert table.loc["few_shot_100", "nll"] < table.loc["none", "nll"]
        assert table.loc["few_shot_100", "ece"] < table.loc["none", "ece"]


def test_a_site_like_home_loses_little(run):
    table = by_correction(table_of(run, draw(4, num_cases=4_000, **HOME)), "bcts")
    # 2,000 cases without labels cost less than a hundredth of a nat; labels shrink to no change.
    assert (table["nll"] < table.loc["none", "nll"] + 0.01).all()


def test_em_is_for_bcts_alone_and_few_shots_for_as_many_cases_as_there_are(run):
    table = table_of(run, draw(4, num_cases=120, **AWAY))
    shots = ["few_shot_20", "few_shot_50"]
    for calibrator in ("identity", "temperature"):
        assert list(by_correction(table, calibrator).index) == ["none", *BLIND, *shots]
    assert list(by_correction(table, "bcts").index) == ["none", "em", *BLIND, *shots]


def test_without_labelled_cases_of_the_source_no_prevalence_is_estimated():
    table = table_of(make_run(with_threshold=False), draw(4, num_cases=120, **AWAY))
    assert set(table["correction"]) == {"none", "few_shot_20", "few_shot_50"}


def test_a_source_that_never_predicts_a_class_has_no_bbse():
    run = make_run(home={"prevalence": [0.5, 0.5, 0.0]})
    table = table_of(run, draw(4, num_cases=120, prevalence=[0.5, 0.5, 0.0]))
    assert "bbse" not in set(by_correction(table, "bcts").index)
    assert "em" in set(by_correction(table, "bcts").index)


def test_nothing_is_tested_on_what_it_was_fitted_on_and_no_patient_is_parted():
    patients = draw(0, num_cases=101, images=3, **HOME).patients
    halvings = list(halve(patients, seed=0))
    assert len(halvings) == NUM_DRAWS
    for halves in halvings:
        assert sorted([*halves.adapted, *halves.tested]) == list(range(101))
        assert not set(patients[halves.adapted]) & set(patients[halves.tested])
        assert len(set(patients[halves.adapted])) == 34 // 2
        # Whole patients one after the other, so that few shots are of few patients.
        changes = (patients[halves.adapted][1:] != patients[halves.adapted][:-1]).sum()
        assert changes == 34 // 2 - 1
    assert len({tuple(halves.adapted) for halves in halvings}) == NUM_DRAWS


def test_what_is_told_of_no_correction_is_the_mean_over_the_draws(run):
    there = draw(4, num_cases=90, images=2, **AWAY)
    row = by_correction(table_of(run, there), "temperature").loc["none"]
    log_probabilities = run.calibrators["temperature"](there.logits)
    parts = [halves.tested for halves in halve(there.patients, seed=0)]
    expected = np.mean([nll(log_probabilities[part], there.labels[part]) for part in parts])
    assert row["nll"] == pytest.approx(expected, rel=1e-12)
    assert row["num_draws"] == NUM_DRAWS
    assert row["cases"] == 46  # 23 of 45 patients, two images each


def test_damaged_images_count_as_a_site_and_foreign_ones_or_a_single_patient_do_not(run):
    there = draw(4, num_cases=60, **AWAY)
    pd.testing.assert_frame_equal(
        table_of(run, there, kind="corruption"), table_of(run, there, kind="site")
    )
    foreign = ForeignPredictions(there.logits, there.cases, there.patients)
    assert len(table_of(run, foreign, kind="far_ood")) == 0
    alone = Predictions(**(vars(there) | {"patients": np.full(60, "one")}))
    assert len(table_of(run, alone)) == 0


def test_the_simulation_is_calibrated_at_home():
    predictions = draw(7, num_cases=20_000, **HOME)
    confidence = softmax(predictions.logits, axis=1).max(axis=1).mean()
    accuracy = (predictions.logits.argmax(axis=1) == predictions.labels).mean()
    # Within four standard errors of 20,000 cases.
    assert confidence == pytest.approx(accuracy, abs=0.012)

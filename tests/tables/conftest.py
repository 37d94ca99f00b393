import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from pipeline.artifacts import Predictions
from pipeline.calibrators import fit_calibrator
from pipeline.tables.parts.run import Applied, Run

CALIBRATORS = ("identity", "temperature")


def simulated_split(generator, *, patients, sharpness):
    """Labels drawn from known probabilities; logits too sharp by a known factor."""
    sizes = generator.integers(1, 4, size=patients)
    patient = np.repeat(np.arange(patients), sizes)
    fair = generator.normal(scale=4.0, size=(len(patient), 3))
    truth = softmax(fair, axis=1)
    labels = (truth.cumsum(axis=1) < generator.random(len(patient))[:, None]).sum(axis=1)
    return Predictions(
        logits=(sharpness * fair).astype(np.float32),
        labels=labels,
        cases=np.array([f"case-{i}" for i in range(len(patient))]),
        patients=np.array([f"patient-{i}" for i in patient]),
        groups=pd.DataFrame({"site": np.where(patient % 2, "north", "south")}),
        truth=truth,
    )


def simulated_run(loss, seed, *, sharpness, with_threshold=True):
    # The same test cases for every run, as in an experiment.
    test = simulated_split(np.random.default_rng(0), patients=150, sharpness=sharpness)
    jitter = np.random.default_rng([1, seed]).normal(scale=0.1, size=test.logits.shape)
    test = Predictions(**(vars(test) | {"logits": test.logits + jitter.astype(np.float32)}))
    threshold = simulated_split(np.random.default_rng(2), patients=400, sharpness=sharpness)
    calibration = simulated_split(np.random.default_rng(3), patients=300, sharpness=sharpness)
    fitted = {
        name: fit_calibrator(name, calibration.logits, calibration.labels) for name in CALIBRATORS
    }

    def applied(predictions):
        return Applied(predictions, {name: fit(predictions.logits) for name, fit in fitted.items()})

    return Run(loss, seed, applied(test), applied(threshold) if with_threshold else None, fitted)


@pytest.fixture(scope="session")
def runs():
    """Two losses with two seeds each, one of them three times as sure as it should be."""
    return [
        simulated_run(loss, seed, sharpness=sharpness)
        for loss, sharpness in [("sharp", 3.0), ("fair", 1.0)]
        for seed in (0, 1)
    ]


@pytest.fixture(scope="session")
def runs_without_threshold_cases():
    return [simulated_run("fair", 0, sharpness=1.0, with_threshold=False)]


def hand_run(confidence, correct, *, patients, groups, seed=0, calibrator="identity"):
    """A run of two classes whose confidences and faults are written down case by case.

    Every case is read as class "ill"; it is so where it is right, and "healthy" where it is wrong.
    """
    confidence, correct = np.array(confidence), np.array(correct, dtype=bool)
    log_probabilities = np.log(np.column_stack([1 - confidence, confidence]))
    predictions = Predictions(
        logits=log_probabilities,
        labels=correct.astype(int),
        cases=np.array([f"case-{i}" for i in range(len(correct))]),
        patients=np.array(patients),
        groups=pd.DataFrame(groups),
    )
    applied = Applied(predictions, {calibrator: log_probabilities})
    identity = fit_calibrator("identity", log_probabilities, predictions.labels)
    return Run("hand", seed, applied, None, {calibrator: identity})


@pytest.fixture(scope="session")
def hand():
    """Return `hand_run`."""
    return hand_run

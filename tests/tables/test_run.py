import numpy as np

from pipeline.tables.parts.run import first_run, first_seeds


def test_a_case_is_answered_only_with_all_of_its_patient(hand):
    run = hand([0.9, 0.6, 0.8], [1, 1, 1], patients=["a", "a", "b"], groups={})
    np.testing.assert_allclose(run.test.patient_confidence("identity"), [0.6, 0.6, 0.8])
    assert run.test.answered("identity", 0.7).tolist() == [False, False, True]


def test_without_a_threshold_nobody_is_answered(hand):
    run = hand([0.9, 0.8], [1, 1], patients=["a", "b"], groups={})
    assert not run.test.answered("identity", np.nan).any()


def test_the_model_shown_is_each_losses_first(runs):
    assert [(run.loss, run.seed) for run in first_seeds(runs)] == [("sharp", 0), ("fair", 0)]
    assert first_run(runs, "fair") is runs[2]

"""The module that is exported: members, calibrator, rule and scope."""

import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.calibrators.identity import Identity
from pipeline.errors import InputError
from pipeline.releasing.exported_calibrators import exportable
from pipeline.releasing.exporting import require_no_pickle, run_module
from pipeline.releasing.likeness import fit_likeness, likeness_of
from pipeline.releasing.manifest import TIE
from pipeline.releasing.program import Program
from pipeline.training import Classifier, Normalisation


def classifier(seed, scale=1.0):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Flatten(), nn.Linear(8 * 8, 3))
    normalisation = Normalisation(torch.tensor([100.0]), torch.tensor([50.0]))
    return Classifier(network, normalisation, scale)


IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), dtype=np.uint8)


def outputs(members, *, threshold=0.6, scope_threshold=-np.inf):
    likeness = fit_likeness(IMAGES, members[0].normalisation)
    program = Program(
        members,
        exportable(Identity()),
        likeness,
        threshold=threshold,
        scope_threshold=scope_threshold,
    )
    return run_module(program)(IMAGES)


def softmax(member):
    logits = member(torch.from_numpy(IMAGES)).double()
    return torch.softmax(logits, dim=1).numpy()


def test_one_member_is_the_classifier_that_was_trained():
    found = outputs([classifier(0, scale=3.0)])
    np.testing.assert_allclose(found["probabilities"], softmax(classifier(0, 3.0)), atol=1e-6)
    np.testing.assert_array_equal(found["confidence"], found["probabilities"].max(axis=1))


def test_several_members_are_the_mean_of_their_probabilities():
    members = [classifier(seed, scale=2.0) for seed in range(3)]
    mean = np.mean([softmax(classifier(seed, 2.0)) for seed in range(3)], axis=0)
    np.testing.assert_allclose(outputs(members)["probabilities"], mean, atol=1e-6)


def test_answers_who_is_as_sure_as_asked_and_in_scope():
    scores = likeness_of(fit_likeness(IMAGES, classifier(0).normalisation), IMAGES)
    middle = float(np.median(scores))
    found = outputs([classifier(0)], scope_threshold=middle)
    expected = (found["confidence"] >= 0.6) & (found["scope_score"] >= middle)
    np.testing.assert_array_equal(found["decision"], expected)
    assert 0 < expected.sum() < ((found["confidence"] >= 0.6).sum())


def test_without_a_threshold_nobody_is_answered_however_sure():
    found = outputs([classifier(0, scale=1e6)], threshold=None)
    assert found["confidence"].max() == 1
    assert not found["decision"].any()


def test_a_confidence_that_ties_with_the_threshold_is_answered():
    confidence = outputs([classifier(0)])["confidence"]
    threshold = float(np.median(confidence[:-1]))
    for shift, answered in ((0.0, True), (TIE / 2, True), (3 * TIE, False)):
        found = outputs([classifier(0)], threshold=threshold + shift)
        tied = confidence == threshold
        assert tied.any()
        assert (found["decision"][tied] == answered).all()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p/data/sample_inputs/model.pt", b"\x80\x02."),
        ("p/data/constants/model_constants_config.json", b'{"use_pickle": true}'),
        ("p/data/weights/model_weights_config.json", b'{"a":{"use_pickle":true}}'),
    ],
)
def test_refuses_a_program_that_would_unpickle(tmp_path, name, content):
    path = tmp_path / "program.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)
    with pytest.raises(InputError, match="a program without pickles expected, got p/data"):
        require_no_pickle(path)


def test_refuses_a_file_that_is_no_program(tmp_path):
    (tmp_path / "program.pt2").write_bytes(b"\x80\x02.")
    with pytest.raises(InputError, match=r"program\.pt2: a program of torch\.export expected"):
        require_no_pickle(tmp_path / "program.pt2")

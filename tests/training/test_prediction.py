import pytest
import torch
from torch import nn

from pipeline.errors import InputError
from pipeline.training.images import Normalisation
from pipeline.training.prediction import Classifier, require_finite_logits
from tests.training.examples import draw_cases, small_network

AS_STORED = Normalisation(mean=torch.zeros(1), sd=torch.ones(1))


def make_classifier(network=None, scale=1.0):
    return Classifier(network or small_network(), AS_STORED, logit_scale=scale)


def images_of(num_cases):
    return torch.from_numpy(draw_cases(num_cases)[0])


def test_logits_are_float32_without_gradient_and_dropout_is_off():
    classifier, images = make_classifier(), images_of(10)
    logits = classifier(images)
    assert logits.shape == (10, 3)
    assert logits.dtype == torch.float32
    assert not logits.requires_grad
    assert torch.equal(logits, classifier(images))


def test_cases_are_independent_of_the_batches_they_are_read_in(monkeypatch):
    classifier, images = make_classifier(), images_of(10)
    whole = classifier(images)
    monkeypatch.setattr("pipeline.training.prediction.VALUES_AT_ONCE", 3 * 64)
    # Sums in another order: equal to a few roundings of float32.
    torch.testing.assert_close(classifier(images), whole, rtol=1e-5, atol=1e-5)


def test_an_image_larger_than_a_batch_is_read_alone(monkeypatch):
    monkeypatch.setattr("pipeline.training.prediction.VALUES_AT_ONCE", 1)
    assert make_classifier()(images_of(3)).shape == (3, 3)


def test_the_loss_scale_multiplies_the_networks_outputs():
    network, images = small_network(), images_of(4)
    plain, scaled = make_classifier(network)(images), make_classifier(network, scale=30.0)(images)
    assert torch.equal(scaled, 30 * plain)


def test_refuses_logits_that_are_not_finite():
    class Broken(nn.Module):
        def forward(self, images):
            return images.flatten(1)[:, :2] / 0

    with pytest.raises(InputError, match="NaN or infinity for 4 of 4 cases: lower the learning"):
        make_classifier(Broken())(images_of(4))


def test_accepts_logits_that_are_only_large():
    require_finite_logits(torch.tensor([[1e4, -1e4]]))

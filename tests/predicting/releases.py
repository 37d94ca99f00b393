"""Releases made by hand: a small untrained network, whose program is a module in memory."""

import numpy as np
import torch

from pipeline.adapters.identity import Pseudonyms
from pipeline.calibrators.temperature import TemperatureScaling
from pipeline.predicting.predictor import Predictor
from pipeline.releasing import Released
from pipeline.releasing.exported_calibrators import exportable
from pipeline.releasing.exporting import run_module
from pipeline.releasing.likeness import fit_likeness
from pipeline.releasing.program import Program
from pipeline.training import Classifier, Normalisation
from pipeline.training.images import measure_normalisation
from tests.made_releases import SHA256, make_release
from tests.training.examples import small_network

PSEUDONYMS = Pseudonyms(b"nobody outside of tests has this")
CALIBRATOR = TemperatureScaling(0.02)
"""Sharp, so that an untrained network is sure of something."""


def make_classifier(channels=1, image_size=(8, 8)):
    """An untrained network, the same every time."""
    torch.manual_seed(0)
    network = small_network(channels=channels)
    if len(image_size) == 3:
        network = torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool3d(4), torch.nn.Flatten(), torch.nn.Linear(64 * channels, 3)
        )
    channel = torch.ones(channels)
    return Classifier(network.eval(), Normalisation(channel * 100, channel * 50), 1.0)


def make_program(release, examples=None):
    """The program of an untrained network, with the scope of some example images."""
    classifier = make_classifier(release.channels, release.image_size)
    if examples is None:
        shape = (40, *release.image_size, release.channels)
        examples = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    likeness = fit_likeness(examples, measure_normalisation(torch.from_numpy(examples)))
    return Program(
        [classifier],
        exportable(CALIBRATOR),
        likeness,
        threshold=release.rule.threshold,
        scope_threshold=release.scope.threshold,
    )


def make_predictor(folder, release=None, *, examples=None, **options):
    """A predictor that needs no file of its release."""
    release = release or make_release()
    predictor = Predictor(Released(folder, release, SHA256), pseudonyms=PSEUDONYMS, **options)
    predictor.program = run_module(make_program(release, examples))
    return predictor

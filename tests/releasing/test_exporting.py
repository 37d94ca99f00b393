"""Every network of the project, with every kind of head, comes through both exporters."""

import numpy as np
import pytest
import torch

from pipeline.calibrators.temperature import TemperatureScaling
from pipeline.networks import NETWORKS
from pipeline.releasing.exported_calibrators import exportable
from pipeline.releasing.exporting import (
    export,
    load_onnx,
    load_program,
    run_module,
    write_onnx,
    write_program,
)
from pipeline.releasing.likeness import fit_likeness
from pipeline.releasing.program import Program
from pipeline.training import Classifier, Normalisation
from pipeline.training.session import finish_network
from tests.calibrators.simulations import overconfident
from tests.calibrators.test_laws import VARIANTS, fit
from tests.networks.building import build
from tests.networks.test_laws import EXAMPLES

SAME = 1e-5
"""Float32 sums in another order."""

VOLUMES = ("densenet", "resnet18", "vit")
CASES = [(kind, 2, False) for kind in NETWORKS] + [(kind, 3, False) for kind in VOLUMES]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "axes", "cosine"), [*CASES, ("densenet", 2, True)])
def test_both_programs_give_what_the_network_gives(kind, axes, cosine, tmp_path):
    example = EXAMPLES[kind]
    size = (example.side,) * axes
    network = build(kind, size, channels=3, **example.arguments)
    finish_network(network, cosine_head=cosine)
    images = np.random.default_rng(0).integers(0, 256, (40, *size, 3), dtype=np.uint8)
    normalisation = Normalisation(
        torch.tensor([120.0, 130.0, 140.0]), torch.tensor([70.0, 75.0, 80.0])
    )
    program = Program(
        [Classifier(network.eval(), normalisation, 2.0)],
        exportable(TemperatureScaling(1.5)),
        fit_likeness(images, normalisation),
        threshold=0.4,
        scope_threshold=-1.2,
    )
    exported = export(program, (3, *size))
    write_program(exported, tmp_path / "program.pt2")
    write_onnx(exported, tmp_path / "program.onnx")
    expected = run_module(program)(images[:5])
    for load, name in ((load_program, "program.pt2"), (load_onnx, "program.onnx")):
        found = load(tmp_path / name)(images[:5])
        for output, values in expected.items():
            np.testing.assert_allclose(found[output], values, rtol=SAME, atol=SAME)


class EveryCalibrator(torch.nn.Module):
    """Logits in place of images; what all calibrators make of them, side by side."""

    def __init__(self, calibrators):
        super().__init__()
        self.calibrators = torch.nn.ModuleList(map(exportable, calibrators))

    def forward(self, image):
        logits = image.flatten(1).double()
        found = torch.cat([each(logits) for each in self.calibrators], dim=1).exp()
        rest = found.amax(dim=1)
        return found, rest, (rest > 0).long(), rest


@pytest.mark.slow
def test_both_programs_give_what_every_calibrator_gives(tmp_path):
    fitted = [fit(name, *overconfident(0, 800)) for name in VARIANTS]
    logits = overconfident(1, 200)[0].astype(np.float32)
    exported = export(EveryCalibrator(fitted), (1, logits.shape[1]))
    write_program(exported, tmp_path / "program.pt2")
    write_onnx(exported, tmp_path / "program.onnx")
    expected = np.concatenate([np.exp(each(logits)) for each in fitted], axis=1)
    for load, name in ((load_program, "program.pt2"), (load_onnx, "program.onnx")):
        found = load(tmp_path / name)(logits[:, :, None])
        # In float64, but for Python floats (log 3 of `monotone`), which ONNX has in float32.
        np.testing.assert_allclose(found["probabilities"], expected, rtol=0, atol=1e-7)

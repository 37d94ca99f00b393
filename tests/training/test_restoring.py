import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pipeline.artifacts import read_json, read_predictions, read_prepared
from pipeline.stages.train import run
from pipeline.training import restore_classifier
from tests.training.examples import CPU, write_project


@pytest.mark.parametrize("loss", ["cross_entropy", "ldam"])
def test_record_and_weights_give_the_logits_that_training_wrote(tmp_path, monkeypatch, loss):
    for name, value in CPU.items():
        monkeypatch.setenv(name, value)
    key = write_project(tmp_path, losses=[loss])
    run(key, root=tmp_path)
    folder = tmp_path / f"data/logits/study/experiment/{loss}/seed-0"
    classifier = restore_classifier(
        read_json(folder / "run.json"), load_file(folder / "weights.safetensors")
    )
    prepared = read_prepared(tmp_path / "data/prepared/squares")
    images = torch.from_numpy(np.array(prepared.images[prepared.rows("test")]))
    written = read_predictions(folder / "test.parquet").logits
    np.testing.assert_array_equal(classifier(images).numpy(), written)


def test_refuses_weights_of_another_network(tmp_path):
    record = {
        "network": {"kind": "resnet10", "arguments": {"widths": [2, 2, 2, 2], "stem": "small"}},
        "image_size": [8, 8],
        "channels": 1,
        "classes": ["a", "b"],
        "cosine_head": False,
        "normalisation": {"mean": [0.0], "sd": [1.0]},
        "logit_scale": 1.0,
    }
    with pytest.raises(RuntimeError, match="Missing key"):
        restore_classifier(json.loads(json.dumps(record)), {})

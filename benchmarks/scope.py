"""Which score tells a foreign image: the network's confidence and energy, or the image itself.

Of every data set of the study `quick`, whose stages must be finished: the share of foreign images
that each score puts out of scope, where half a percent of the study's own held-out images are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from pipeline.adapters.matching import match
from pipeline.artifacts import WEIGHTS, Prepared, load_prepared, read_json
from pipeline.metrics.selection_scores import confidence, energy
from pipeline.releasing.likeness import fit_likeness, likeness_of, scope_threshold
from pipeline.training import Classifier, restore_classifier

SETS = {"phantom": "digits", "digits": "phantom"}
"""Each with the one that is foreign to it."""

MOST_IMAGES = 300
Score = Callable[[np.ndarray], np.ndarray]


def main(root: Path) -> None:
    torch.set_num_threads(1)
    if not (root / "data/logits/quick").is_dir():
        print("needs the study `quick`: make reproduce")
        return
    for name, other in SETS.items():
        prepared = load_prepared(root / f"data/prepared/{name}")
        strangers = foreign_images(prepared, load_prepared(root / f"data/prepared/{other}"))
        for loss in ("cross_entropy", "gce"):
            run = root / f"data/logits/quick/{name}-thin_densenet/{loss}/seed-0"
            classifier = restore_classifier(read_json(run / "run.json"), load_file(run / WEIGHTS))
            print(f"\n{name}, {loss}, seed 0")
            for score, function in scores_of(classifier, prepared).items():
                print(line(score, function, prepared, strangers))


def scores_of(classifier: Classifier, prepared: Prepared) -> dict[str, Score]:
    likeness = fit_likeness(prepared.images[prepared.rows("train")], classifier.normalisation)

    def logits(images: np.ndarray) -> np.ndarray:
        return classifier(torch.from_numpy(np.ascontiguousarray(images))).numpy()

    return {
        "confidence": lambda images: confidence(logits(images)),
        "energy": lambda images: energy(logits(images)),
        "likeness": lambda images: likeness_of(likeness, images),
    }


def foreign_images(prepared: Prepared, other: Prepared) -> dict[str, np.ndarray]:
    test = prepared.images[prepared.rows("test")][:MOST_IMAGES]
    generator = np.random.default_rng(0)
    size, channels = test.shape[1:-1], test.shape[-1]
    flat = test.reshape(len(test), -1)
    blanks = [np.full((1, *test.shape[1:]), value, np.uint8) for value in (0, 128, 255)]
    return {
        other.card["name"]: np.stack(
            [match(np.asarray(image), size, channels) for image in other.images[:MOST_IMAGES]]
        ),
        "noise": generator.integers(0, 256, test.shape).astype(np.uint8),
        "blank": np.concatenate(blanks),
        "inverted": 255 - test,
        "shuffled pixels": generator.permuted(flat, axis=1).reshape(test.shape),
        "upside down": test[:, ::-1],
    }


def line(name: str, score: Score, prepared: Prepared, strangers: dict[str, np.ndarray]) -> str:
    held_out = [prepared.images[prepared.rows(split)] for split in ("calibration", "threshold")]
    threshold = scope_threshold(np.concatenate([score(images) for images in held_out]))
    own = (score(prepared.images[prepared.rows("test")]) < threshold).mean()
    caught = (
        f"{kind} {100 * (score(images) < threshold).mean():.0f} %"
        for kind, images in strangers.items()
    )
    return f"{name:10s} own test images {100 * own:.1f} %; {', '.join(caught)}"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())

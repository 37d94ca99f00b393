"""A two-level factorial whose effects on the difference of two losses are known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.config.designs import Design
from pipeline.config.method import NetworkConfig, Recipe
from pipeline.findings import Evidence
from pipeline.findings.records import DataSettings, Settings
from pipeline.metrics.factorial import design_of
from tests.findings.simulated_evidence import CENTRES, card, experiment_row

SEEDS = (0, 1, 2)
DESIGN = Design.model_validate(
    {
        "key": "size", "question": "Why?", "source": "Simulated", "study": "size", "loss": "gce",
        "against": "cross_entropy", "share": 0.5,
        "factors": [
            {"name": "width", "setting": "network.arguments.widths.0", "levels": [8, 24]},
            {"name": "optimiser", "setting": "recipe.optimiser.kind", "levels": ["sgd", "adam"]},
            {"name": "batch size", "setting": "recipe.batch_size", "levels": [32, 256]},
            {"name": "images a class", "setting": "data.train_cases_a_class", "levels": [50, 400]},
        ],
        "responses": [
            {"says": "Balanced accuracy", "metric": "balanced_accuracy", "calibrator": "identity"},
            {"says": "Likelihood", "metric": "nll", "calibrator": "temperature"},
        ],
        "suspect": {"says": "cases of a class in a batch", "setting": "recipe.batch_size",
                    "over": "data.num_classes"},
    }
)  # fmt: skip

Planted = dict[tuple[int, ...], float]
"""Effects by the factors' places; of no factor: the mean difference."""


def settings(cell: tuple[int, ...]) -> Settings:
    width, optimiser, batch_size, images = (
        factor.levels[(1 + code) // 2] for factor, code in zip(DESIGN.factors, cell, strict=True)
    )
    return Settings(
        network=NetworkConfig(kind="resnet10", arguments={"widths": [width, 2 * width]}),
        recipe=Recipe.model_validate(
            {"epochs": 7, "batch_size": batch_size,
             "optimiser": {"kind": optimiser, "learning_rate": 0.1}}
        ),
        data=DataSettings(num_classes=10, train_cases_a_class=images),
    )  # fmt: skip


def cells(planted: Planted | None = None, *, noise: float = 0.004, seed: int = 0) -> list[Evidence]:
    """An experiment a cell: the losses share each seed's luck and differ by what is planted."""
    generator = np.random.default_rng(seed)
    found = []
    for cell in design_of(len(DESIGN.factors)):
        name = "-".join("low" if code < 0 else "high" for code in cell)
        row = experiment_row("cifar", study="size", experiment=name, recipe=name, seeds=list(SEEDS))
        difference = sum(
            value * (np.prod([cell[place] for place in places]) / 2 if places else 1)
            for places, value in (planted or {}).items()
        )
        rows = []
        for number in SEEDS:
            luck = generator.normal(0, 0.02)
            for calibrator in row.calibrators:
                for loss in row.losses:
                    added = difference + generator.normal(0, noise) if loss == "gce" else 0.0
                    rows.append({"loss": loss, "calibrator": calibrator, "seed": number}
                                | {key: each + luck + added for key, each in CENTRES.items()}
                                )  # fmt: skip
        tables = {"runs": pd.DataFrame(rows)}
        found.append(Evidence(row=row, card=card(), epochs=7, tables=tables,
                              settings=settings(cell)))  # fmt: skip
    return found

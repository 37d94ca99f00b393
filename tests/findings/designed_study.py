"""A two-level factorial whose effects on the difference of two losses are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.config.designs import Design
from pipeline.config.method import NetworkConfig, Recipe
from pipeline.findings import Evidence
from pipeline.findings.cells import Cell, level_text
from pipeline.findings.designed import factorial_cells
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
        "lines": {
            "source": "Simulated", "study": "size_lines", "apart": "optimiser",
            "centre": {"width": 16, "batch size": 128, "images a class": 200},
            "levels": {"width": [8, 16, 32, 64], "batch size": [32, 128, 512],
                       "images a class": [50, 200, 1000]},
            "limits": ["A limit of the lines."],
        },
    }
)  # fmt: skip

Planted = dict[tuple, float]
"""Effects by the factors' places, of no factor the mean difference; of lines by kind and factor."""


def settings(cell: Cell) -> Settings:
    width, optimiser, batch_size, images = cell
    return Settings(
        network=NetworkConfig(kind="resnet10", arguments={"widths": [int(width), 2 * int(width)]}),
        recipe=Recipe.model_validate(
            {"epochs": 7, "batch_size": int(batch_size),
             "optimiser": {"kind": optimiser, "learning_rate": 0.1}}
        ),
        data=DataSettings(num_classes=10, train_cases_a_class=images),
    )  # fmt: skip


def cells(planted: Planted | None = None, *, noise: float = 0.004, seed: int = 0) -> list[Evidence]:
    """An experiment a cell: the losses share each seed's luck and differ by what is planted."""
    generator = np.random.default_rng(seed)
    found = []
    for codes, levels in zip(design_of(len(DESIGN.factors)), factorial_cells(DESIGN), strict=True):
        difference = sum(
            value * (np.prod([codes[place] for place in places]) / 2 if places else 1)
            for places, value in (planted or {}).items()
        )
        name = "-".join("low" if code < 0 else "high" for code in codes)
        found.append(simulated(generator, "size", name, levels, difference, noise))
    return found


def line_cells(
    planted: Planted | None = None, *, noise: float = 0.004, seed: int = 0
) -> list[Evidence]:
    """An experiment a cell of the lines.

    By kind and factor: "change" over a line, "bend" at the middle of its doublings, "pair" half of
    what it changes more under Adam.
    """
    generator = np.random.default_rng(seed)
    lines = DESIGN.lines
    names = [factor.name for factor in DESIGN.factors]
    found = {}
    for apart, sign in (("sgd", -1), ("adam", 1)):
        for moved, levels in lines.levels.items():
            for level in levels:
                at = lines.centre | {"optimiser": apart, moved: level}
                difference = 0.0
                for (kind, factor), value in (planted or {}).items():
                    place = placed(lines.levels[factor], at[factor])
                    difference += (
                        value
                        * {"change": place, "bend": 4 * place * (1 - place), "pair": sign * place}[
                            kind
                        ]
                    )
                cell = tuple(at[name] for name in names)
                name = "-".join(level_text(each).replace(",", "") for each in cell)
                found.setdefault(
                    cell, simulated(generator, lines.study, name, cell, difference, noise)
                )
    return list(found.values())


def placed(levels: Sequence[float], level: float) -> float:
    """Where a level is on its line: 0 at the first, 1 at the last, by doublings."""
    return float(np.log2(level / levels[0]) / np.log2(levels[-1] / levels[0]))


def simulated(
    generator: np.random.Generator,
    study: str,
    name: str,
    levels: Cell,
    difference: float,
    noise: float,
) -> Evidence:
    row = experiment_row("cifar", study=study, experiment=name, recipe=name, seeds=list(SEEDS))
    rows = []
    for number in SEEDS:
        luck = generator.normal(0, 0.02)
        for calibrator in row.calibrators:
            for loss in row.losses:
                added = difference + generator.normal(0, noise) if loss == "gce" else 0.0
                rows.append({"loss": loss, "calibrator": calibrator, "seed": number}
                            | {key: each + luck + added for key, each in CENTRES.items()}
                            )  # fmt: skip
    return Evidence(row=row, card=card(), epochs=7, tables={"runs": pd.DataFrame(rows)},
                    settings=settings(levels))  # fmt: skip

"""Tables as people bring them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

from pipeline.bring_your_own.cases import Given, read_all


def logits_table(num_cases: int, *, seed: int, classes=("a", "b", "c")) -> pd.DataFrame:
    """One case a patient, every class among them, ids that are no numbers."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=2.0, size=(num_cases, len(classes)))
    labels = np.arange(num_cases) % len(classes)
    return pd.DataFrame(
        {f"logit_{name}": logits[:, k] for k, name in enumerate(classes)}
        | {"label": np.array(classes)[labels]}
    )


def probability_table(num_cases: int, *, seed: int, decimals: int) -> pd.DataFrame:
    """The same with probabilities rounded as a printer rounds them."""
    table = logits_table(num_cases, seed=seed)
    logits = table.filter(like="logit_")
    rounded = softmax(logits.to_numpy(), axis=1).round(decimals)
    columns = [name.replace("logit_", "probability_") for name in logits]
    return pd.DataFrame(rounded, columns=columns).assign(label=table["label"])


def write(table: pd.DataFrame, path: Path, **options) -> Path:
    table.to_csv(path, index=False, **options)
    return path


def read_given(path: Path, groups: Sequence[str] = (), chosen: Sequence[str] = ()) -> Given:
    """The cases in one file alone."""
    return read_all([path], groups, chosen)[0]

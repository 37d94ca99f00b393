"""Curves of policies with their bootstrap limits, one table a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from pipeline.metrics.intervals import LEVEL

Curves = Mapping[str, Float[np.ndarray, "*resamples grid"]]


def curve_tables(
    key: Mapping[str, Any],
    grid: Mapping[str, np.ndarray],
    value: str,
    curves: Curves,
    blocks: Sequence[Curves],
) -> Iterator[pd.DataFrame]:
    """Yield one table a policy: the value on the grid with its percentile interval."""
    tail = (1.0 - LEVEL) / 2
    for policy, values in curves.items():
        resampled = np.concatenate([block[policy] for block in blocks])
        lower, upper = np.quantile(resampled, [tail, 1.0 - tail], axis=0)
        columns = {"policy": policy, **grid, value: values, "lower": lower, "upper": upper}
        yield pd.DataFrame({**key, **columns})

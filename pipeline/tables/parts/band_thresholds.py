"""The thresholds at which a curve's counts are taken."""

from __future__ import annotations

from typing import Any

import pandas as pd


def thresholds_of(exact_band: pd.DataFrame, key: dict[str, Any]) -> pd.Series:
    """Return the thresholds of one curve of the `exact_band_table`."""
    own = (exact_band[list(key)] == pd.Series(key)).all(axis=1)
    return exact_band[own]["threshold"]

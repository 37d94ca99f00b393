"""The parts that a data set is split into, by what each is for."""

from __future__ import annotations

from typing import Literal, get_args

Split = Literal["train", "val", "calibration", "threshold", "test"]
"""Fitted on; chosen by; calibrators; thresholds; read once, at the end."""

SPLITS: tuple[Split, ...] = get_args(Split)

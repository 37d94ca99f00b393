"""No calibration: the network's own softmax, as the row every other calibrator is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pipeline.calibrators.calibrator import checked_cases, checked_logits
from pipeline.calibrators.softmax import log_softmax
from pipeline.shapes import Labels, Logits, LogProbabilities

MINIMUM_CASES = 1


@dataclass(frozen=True)
class Identity:
    """Apply the log-softmax and nothing else."""

    preserves_argmax: ClassVar[bool] = True

    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return the log-softmax of each row."""
        return log_softmax(checked_logits(logits))


def fit_identity(logits: Logits, labels: Labels) -> Identity:
    """Check the calibration cases (at least 1) and learn nothing from them."""
    checked_cases(logits, labels, at_least=MINIMUM_CASES)
    return Identity()

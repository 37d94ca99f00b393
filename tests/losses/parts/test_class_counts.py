import math

import numpy as np
import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses.parts.class_counts import training_counts


@pytest.mark.parametrize("counts", [[3, 1], (3, 1), np.array([3, 1]), torch.tensor([3, 1])])
def test_reads_counts_of_any_sequence(counts):
    expected = torch.tensor([3.0, 1.0], dtype=torch.float64)
    assert torch.equal(training_counts(counts, num_classes=2, because=""), expected)


@pytest.mark.parametrize("counts", [[3, 1.5], [3, -1], [3, math.nan], [3, math.inf]])
def test_refuses_counts_that_count_nothing(counts):
    with pytest.raises(InputError, match="class_counts must be whole numbers >= 0, got"):
        training_counts(counts, num_classes=2, because="")

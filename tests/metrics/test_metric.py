import numpy as np

from pipeline.metrics.cases import prepare_cases
from pipeline.metrics.metric import Metric
from pipeline.metrics.weighting import case_weights


def count_wrong(losses, num_bins, *, weights=None):
    return case_weights(weights, len(losses)) @ losses / num_bins


WRONG = Metric(
    name="wrong_a_bin",
    function=count_wrong,
    kind="accuracy",
    better="lower",
    label="Wrong",
    description="Wrong a bin.",
)


def test_hands_the_named_fields_and_the_weights_to_its_definition():
    cases = prepare_cases(np.log([[0.9, 0.1], [0.9, 0.1]]), np.array([1, 0]), num_bins=2)
    assert WRONG(cases) == 1 / 2
    np.testing.assert_array_equal(WRONG(cases, np.array([[3.0, 0.0], [0.0, 1.0]])), [3 / 2, 0])


def test_is_defined_for_any_labels_unless_said():
    assert WRONG.why_undefined(np.array([1])) is None

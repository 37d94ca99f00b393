import numpy as np

from pipeline.metrics.top_label import top_label


def test_the_lowest_index_wins_a_tie():
    top = top_label(np.log([[0.25, 0.5, 0.5], [0.4, 0.2, 0.4]]), np.array([2, 0]))
    np.testing.assert_array_equal(top.predicted, [1, 0])
    np.testing.assert_array_equal(top.correct, [False, True])


def test_confidence_never_exceeds_one_though_a_rounded_logarithm_may():
    confidence = top_label(np.array([[1e-7, -np.inf]], dtype=np.float32), np.array([0])).confidence
    assert confidence[0] == 1.0


def test_reads_saturated_float32_as_certain():
    saturated = np.array([[0.0, -104.0], [-np.inf, 0.0]], dtype=np.float32)
    top = top_label(saturated, np.array([0, 0]))
    np.testing.assert_array_equal(top.confidence, [1.0, 1.0])
    np.testing.assert_array_equal(top.correct, [True, False])
    assert top.confidence.dtype == np.float64


def test_reads_columns_of_any_memory_layout_alike():
    rows = np.log(np.random.default_rng(0).dirichlet(np.ones(3), 20))
    labels = np.zeros(20, dtype=int)
    columns = np.asfortranarray(rows)
    np.testing.assert_array_equal(
        top_label(rows, labels).confidence, top_label(columns, labels).confidence
    )

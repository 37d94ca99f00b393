import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.preparing.subsampling import (
    class_counts,
    keep_cases,
    long_tail_counts,
    proportional_counts,
)
from tests.sources import make_cases, make_dataset

CLASSES = ["a", "b", "c", "d"]


def balanced(num_a_class=200):
    labels = np.tile(np.arange(4), num_a_class)
    split = np.where(np.arange(len(labels)) < 4 * num_a_class // 2, "train", "test")
    return make_cases(labels, split=split)


def long_tailed(ratio, seed=0):
    changes = {"classes": CLASSES, "long_tail": {"imbalance_ratio": ratio, "seed": seed}}
    return keep_cases(balanced(), make_dataset(**changes))


def test_cifar_10_at_ratio_100_keeps_the_published_counts():
    # Cao et al. 2019: 5,000 images of the most frequent class, 50 of the rarest, 12,406 in all.
    counts = long_tail_counts([5000] * 10, imbalance_ratio=100)
    assert (counts[0], counts[9], sum(counts)) == (5000, 50, 12406)


def test_classes_that_differ_already_are_thinned_from_the_most_frequent_down():
    # ranks: c (1000), a (400), b (100); targets 1000, 1000 / sqrt(100) = 100, 10
    assert long_tail_counts([400, 100, 1000], imbalance_ratio=100) == [100, 10, 1000]
    assert long_tail_counts([3, 2, 1000], imbalance_ratio=100) == [3, 2, 1000]


def test_ratios_are_nested_and_leave_the_test_alone():
    mild, strong = long_tailed(10), long_tailed(50)
    assert set(strong["case"]) < set(mild["case"])
    whole = balanced()
    for thinned in (mild, strong):
        assert class_counts(thinned, "test", 4) == class_counts(whole, "test", 4)
        assert thinned["case"].tolist() == [c for c in whole["case"] if c in set(thinned["case"])]
    # n_k = int(100 f^(k/3)), f = 1/10
    assert class_counts(mild, "train", 4) == [100, 46, 21, 10]


def test_another_seed_keeps_other_cases_of_the_same_number():
    one, other = long_tailed(10, seed=0), long_tailed(10, seed=1)
    assert set(one["case"]) != set(other["case"])
    assert class_counts(one, "train", 4) == class_counts(other, "train", 4)


@given(
    counts=st.lists(st.integers(0, 300), min_size=2, max_size=6).filter(any),
    limit=st.integers(6, 500),
)
def test_a_limit_keeps_the_classes_proportions(counts, limit):
    kept = proportional_counts(counts, limit)
    total = sum(counts)
    assert sum(kept) == min(limit, total)
    for number, count in zip(kept, counts, strict=True):
        assert min(count, 1) <= number <= count
        # Raising rare classes to one case may cost each frequent class up to one for each of them.
        assert number <= max(count * min(limit / total, 1), 1) + 1


def test_a_limit_applies_to_its_split_alone():
    dataset = make_dataset(classes=CLASSES, max_cases={"train": 40})
    kept = keep_cases(balanced(), dataset)
    assert class_counts(kept, "train", 4) == [10, 10, 10, 10]
    assert class_counts(kept, "test", 4) == [100, 100, 100, 100]


def test_a_limit_below_the_number_of_classes_is_refused():
    with pytest.raises(InputError, match="must leave one case for each of 3 classes, got 2"):
        proportional_counts([5, 5, 5], limit=2)

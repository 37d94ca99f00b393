import json
from dataclasses import asdict

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.shares import share


@pytest.mark.parametrize(("count", "of"), [(0, 1), (1, 1), (7, 412), (412, 412)])
def test_a_share_is_its_quotient_with_the_exact_interval(count, of):
    found = share(count, of, level=0.9)
    assert (found.count, found.of, found.rate) == (count, of, count / of)
    assert found.interval == proportion_interval(count, of, 0.9)


def test_a_share_of_no_cases_has_no_rate():
    found = share(0, 0, level=0.95)
    assert (found.count, found.of, found.rate, found.interval) == (0, 0, None, None)


def test_counts_summed_by_numpy_can_be_written_as_json():
    counts = np.array([3, 4])
    assert json.loads(json.dumps(asdict(share(counts[0], counts.sum(), level=0.95))))["of"] == 7


@pytest.mark.parametrize(("count", "of"), [(1, 0), (3, 2), (-1, 2)])
def test_refuses_more_than_there_are(count, of):
    with pytest.raises(InputError, match=rf"count must lie in 0\.\.cases, got {count} of {of}"):
        share(count, of, level=0.95)

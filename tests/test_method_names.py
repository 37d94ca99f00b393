from pathlib import Path

import pytest

from pipeline.method_names import NAMES, legend, named

CONFIGS = Path(__file__).parents[1] / "configs"
KINDS = ("losses", "calibrators")
KEYS = {kind: {path.stem for path in (CONFIGS / kind).glob("*.yaml")} for kind in KINDS}


def test_a_name_is_of_one_loss_or_calibrator_and_no_two_have_the_same():
    assert not KEYS["losses"] & KEYS["calibrators"] & NAMES.keys()
    assert set(NAMES) <= KEYS["losses"] | KEYS["calibrators"]
    assert len(set(NAMES.values())) == len(NAMES)


@pytest.mark.parametrize("key", ["gce", "cross_entropy", "ats_auto", "identity", "temperature"])
def test_what_the_published_studies_compare_has_a_name(key):
    assert key in NAMES


def test_a_loss_of_ones_own_is_called_by_its_key():
    assert named("my_loss") == "my_loss"
    assert legend(["my_loss"]) == ""

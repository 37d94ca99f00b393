from pathlib import Path

from pipeline.method_names import NAMES, legend, named

CONFIGS = Path(__file__).parents[1] / "configs"
KINDS = ("losses", "calibrators")
KEYS = {kind: {path.stem for path in (CONFIGS / kind).glob("*.yaml")} for kind in KINDS}


def test_a_name_is_of_one_loss_or_calibrator_and_no_two_have_the_same():
    assert not KEYS["losses"] & KEYS["calibrators"] & NAMES.keys()
    assert len(set(NAMES.values())) == len(NAMES)


def test_every_loss_and_calibrator_of_the_project_has_a_name():
    assert set(NAMES) == KEYS["losses"] | KEYS["calibrators"]


def test_a_loss_of_ones_own_is_called_by_its_key():
    assert named("my_loss") == "my_loss"
    assert legend(["my_loss"]) == ""

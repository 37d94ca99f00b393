import importlib
import inspect
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.calibrators import CALIBRATORS, fit_calibrator
from pipeline.errors import InputError
from tests.calibrators.simulations import overconfident

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs" / "calibrators").glob("*.yaml"))


@pytest.mark.parametrize("kind", CALIBRATORS)
def test_key_module_function_and_test_file_share_a_name(kind):
    module = importlib.import_module(f"pipeline.calibrators.{kind}")
    assert getattr(module, f"fit_{kind}") is CALIBRATORS[kind]
    assert (Path(__file__).parent / f"test_{kind}.py").is_file()


def test_every_calibrator_has_a_config_of_its_name():
    assert set(CALIBRATORS) <= {path.stem for path in CONFIGS}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_can_be_fitted(path):
    config = yaml.safe_load(path.read_text())
    assert config.keys() <= {"kind", "arguments"}
    assert path.stem.startswith(config["kind"])
    fitted = fit_calibrator(config["kind"], *overconfident(0, 120), **config.get("arguments", {}))
    assert np.isfinite(fitted(overconfident(1, 10)[0])).all()


@pytest.mark.parametrize("kind", CALIBRATORS)
def test_settings_are_by_keyword_and_have_a_default(kind):
    logits, labels, *settings = inspect.signature(CALIBRATORS[kind]).parameters.values()
    assert (logits.name, labels.name) == ("logits", "labels")
    for setting in settings:
        assert setting.kind is inspect.Parameter.KEYWORD_ONLY
        assert setting.default is not inspect.Parameter.empty


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="unknown calibrator 'platt'; known calibrators: ats,"):
        fit_calibrator("platt", *overconfident(0, 10))


def test_an_unknown_argument_is_refused_with_the_known_ones():
    with pytest.raises(
        InputError,
        match="unknown argument 'bin' of calibrator 'ats'; known arguments: bins, interpolation, ",
    ):
        fit_calibrator("ats", *overconfident(0, 10), bin=3)
    with pytest.raises(InputError, match="unknown argument 'bins' .* known arguments: none"):
        fit_calibrator("temperature", *overconfident(0, 10), bins=3)

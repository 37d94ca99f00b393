from dataclasses import replace

import pytest

from pipeline.errors import InputError
from pipeline.launching.agreement import Identity, own_identity, require_agreement

HERE = Identity(
    {"python": "3.11.7", "torch": "2.13.0", "monai": "1.6.0", "calibrated-imaging": "0.2.0"},
    "a" * 64,
    "b" * 40,
)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"versions": HERE.versions | {"torch": "2.12.0"}}, "torch 2.12.0, here 2.13.0"),
        ({"versions": HERE.versions | {"python": "3.12.1"}}, "python 3.12.1, here 3.11.7"),
        ({"versions": {"python": "3.11.7", "torch": "2.13.0"}}, "monai not installed, here 1.6.0"),
        ({"sources": "c" * 64}, "another code of the pipeline"),
        ({"sources": "c" * 64, "revision": "unknown"}, "another code of the pipeline"),
        ({"revision": "d" * 40}, f"commit {'d' * 40}, here {'b' * 40}"),
    ],
)
def test_a_worker_that_would_compute_something_else_is_refused(change, message):
    with pytest.raises(InputError) as error:
        require_agreement(HERE, replace(HERE, **change), place="10.0.0.2")
    assert str(error.value) == f"worker 10.0.0.2 is not like this machine: {message}"


@pytest.mark.parametrize(
    "change",
    [
        {},
        # Code that was sent comes without git, and need not be installed.
        {"revision": "unknown"},
        {"versions": {k: v for k, v in HERE.versions.items() if k != "calibrated-imaging"}},
    ],
)
def test_a_worker_with_the_same_code_and_versions_is_taken(change):
    require_agreement(HERE, replace(HERE, **change), place="10.0.0.2")
    require_agreement(replace(HERE, **change), HERE, place="10.0.0.2")


def test_a_change_of_any_module_is_told(tmp_path, monkeypatch):
    (tmp_path / "losses").mkdir()
    for name in ("__init__.py", "losses/gce.py"):
        (tmp_path / name).write_text("ONE = 1\n")
    monkeypatch.setattr("pipeline.launching.agreement.PACKAGE_FOLDER", tmp_path)
    before = own_identity()
    assert own_identity() == before
    (tmp_path / "losses/gce.py").write_text("ONE = 2\n")
    assert own_identity().sources != before.sources
    (tmp_path / "losses/gce.py").write_text("ONE = 1\n")
    (tmp_path / "losses/gce.py").rename(tmp_path / "losses/brier.py")
    assert own_identity().sources != before.sources

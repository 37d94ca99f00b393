"""What takes seconds to make, made once however many processes share the tests."""

import fcntl
from pathlib import Path

import pytest
from hypothesis import settings

from tests.small_study import EXPERIMENT, STUDY, run_small_study

# A law is about what is returned: a busy machine is no counterexample to it.
settings.register_profile("laws", deadline=None)
settings.load_profile("laws")


def shared(tmp_path_factory, name, make):
    """Return a folder that the first process to ask fills; nobody changes it afterwards."""
    base = tmp_path_factory.getbasetemp()
    # With several processes each has a folder of its own in that of the session.
    session = base.parent if base.name.startswith("popen-") else base
    folder, done = session / name, session / f"{name}.done"
    with (session / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def small_study(tmp_path_factory) -> Path:
    """Give the root of `tests.small_study`, all its stages done; not to be changed."""
    return shared(tmp_path_factory, "small-study", run_small_study)


@pytest.fixture(scope="session")
def small_release(tmp_path_factory, small_study) -> Path:
    """Give the release of the small study's headline model; not to be changed."""
    # Imported here: only who asks for a release pays for torch.
    from pipeline.releasing.from_study import Options, release_model
    from pipeline.releasing.sources import Wanted

    def make(folder):
        release_model(small_study, STUDY, EXPERIMENT, Wanted(), folder, Options())

    return shared(tmp_path_factory, "small-release", make)

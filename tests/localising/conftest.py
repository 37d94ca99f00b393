import shutil

import pytest


@pytest.fixture(scope="session")
def clinic(tmp_path_factory, small_study):
    """A place's files and labels: the small study's own, which its release knows to be alike."""
    place = tmp_path_factory.mktemp("clinic")
    raw = small_study / "data/raw/phantom"
    shutil.copytree(raw / "images", place / "images")
    shutil.copy(raw / "labels.csv", place / "labels.csv")
    return place

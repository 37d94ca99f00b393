import re

from tests.projects import ROOT

HASHED = re.compile(r"(\S+==\S+)((?: +--hash=sha256:[0-9a-f]{64})+)")


def lines_of(name):
    text = (ROOT / name).read_text("utf-8").replace("\\\n   ", "")
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_every_locked_package_has_its_version_and_a_hash_in_the_hashed_lock():
    hashed = [HASHED.fullmatch(line) for line in lines_of("requirements-hashes.lock")]
    assert [found[1] for found in hashed] == lines_of("requirements.lock")

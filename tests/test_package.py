import hashlib
import re
import tomllib
from importlib.metadata import metadata

import pytest
import yaml

from tests.projects import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
HOLDER = "The calibrated-imaging authors"

# sha256 of https://www.apache.org/licenses/LICENSE-2.0.txt.
APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"

# The GNU General and Affero General Public Licences ask whoever passes a work on to put all of it
# under them, which Apache-2.0 does not promise. The Lesser one and Mozilla's speak of the library's
# own files alone, so they are not looked for.
GENERAL_PUBLIC = re.compile(r"(?<!L)GPL|General Public License", re.IGNORECASE)
LESSER = re.compile(r"(Lesser|Library) General Public License", re.IGNORECASE)

# What names the General Public Licence and may be used all the same, and why. All come with DVC.
ADMITTED = {
    "asyncssh": "EPL-2.0 OR GPL-2.0-or-later",  # whoever uses it chooses
    "dulwich": "Apache-2.0 OR GPL-2.0-or-later",  # whoever uses it chooses
    "grandalf": "GPLv2 | EPLv1",  # whoever uses it chooses
    "pygit2": "GPLv2 with linking exception",  # combinations are free of any restriction
}


def stated_licences(name):
    """What a distribution says its licence is; of a whole text in that place, the first line."""
    found = metadata(name)
    stated = [found.get("License-Expression", ""), found.get("License", "").strip().split("\n")[0]]
    classifiers = found.get_all("Classifier") or []
    stated += [each for each in classifiers if each.startswith("License ::")]
    return [each for each in stated if each]


def is_general_public(licence):
    return bool(GENERAL_PUBLIC.search(LESSER.sub("", licence)))


def locked():
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    return [line.split("==")[0] for line in lines]


def test_one_version_stands_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert citation["version"] == PROJECT["version"]
    assert newest[1] == PROJECT["version"]


def test_the_licence_is_apache_2_word_for_word():
    text = (ROOT / "LICENSE").read_text("utf-8")
    owner = f"Copyright 2026 {HOLDER}"
    assert text.count(owner) == 1
    standard = text.replace(owner, "Copyright [yyyy] [name of copyright owner]")
    assert hashlib.sha256(standard.encode()).hexdigest() == APACHE_2


def test_one_licence_and_one_author_stand_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["license"] == PROJECT["license"] == "Apache-2.0"
    assert citation["authors"] == PROJECT["authors"] == [{"name": HOLDER}]


def test_the_method_is_cited_as_its_authors():
    (paper,) = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["references"]
    assert [each["family-names"] for each in paper["authors"]] == ["Zhan", "Zhou", "Shen"]
    assert [each["value"] for each in paper["identifiers"]] == ["arXiv:2604.06689"]


def test_nothing_locked_is_under_the_general_public_licence_alone():
    named = {name: stated_licences(name) for name in locked()}
    found = {name: each for name, each in named.items() if any(map(is_general_public, each))}
    assert {name: each[0] for name, each in found.items()} == ADMITTED


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("GPL-3.0-only", True),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", True),
        ("AGPL-3.0-or-later", True),
        ("LGPL-2.1-or-later", False),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", False),
        ("MPL-2.0", False),
        ("Apache-2.0", False),
    ],
)
def test_the_general_public_licence_is_told_from_the_lesser(licence, expected):
    assert is_general_public(licence) is expected


def test_the_lock_holds_what_the_package_depends_on_and_no_decoder_under_gpl():
    names = {name.lower().replace("_", "-") for name in locked()}
    assert set(PROJECT["dependencies"]) <= names
    assert "pylibjpeg-libjpeg" not in names

import ast
import subprocess
from unittest.mock import patch

import numpy as np
import pytest

from pipeline import provenance
from pipeline.provenance import (
    array_sha256,
    fingerprint,
    has_uncommitted_changes,
    package_versions,
    source_hashes,
    source_revision,
)


def git(root, *arguments):
    identity = ("-c", "user.name=n", "-c", "user.email=e@e")
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True)


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline/gce.py").write_text("a = 1\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "-m", "Start")
    return tmp_path


def test_a_fingerprint_is_the_sha256_of_canonical_json():
    # printf '[{"a":1,"b":[0.5,null]},"x"]' | sha256sum
    expected = "e2535b9d1ecd2d26d0cd024884db0011d628fdb277007491b602aef975ff67e5"
    assert fingerprint({"b": [0.5, None], "a": 1}, "x") == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [(({"a": 1},), ({"a": 2},)), (("a", "b"), (["a", "b"],)), ((1,), ("1",)), ((0.1,), (0.2,))],
)
def test_different_inputs_have_different_fingerprints(first, second):
    assert fingerprint(*first) != fingerprint(*second)


def test_refuses_to_hash_what_json_cannot_tell_apart():
    with pytest.raises(ValueError, match="not JSON compliant"):
        fingerprint(float("nan"))


def test_an_arrays_hash_follows_its_values_type_and_shape_and_not_its_layout():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert array_sha256(array) == array_sha256(np.asfortranarray(array))
    others = [array + 1, array.astype(np.float64), array.reshape(3, 2), -0.0 * array]
    assert array_sha256(array) not in [array_sha256(each) for each in others]


def test_a_clean_checkout_is_its_commit(repository):
    head = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert source_revision(repository) == head.stdout.strip()
    assert not has_uncommitted_changes(repository)


def test_an_edited_or_a_new_module_is_an_uncommitted_change(repository):
    (repository / "notes.txt").write_text("not code")
    assert not has_uncommitted_changes(repository)
    (repository / "pipeline/mdca.py").write_text("b = 2\n")
    assert has_uncommitted_changes(repository)


def test_code_outside_a_repository_has_an_unknown_revision(tmp_path):
    assert source_revision(tmp_path) == "unknown"
    assert has_uncommitted_changes(tmp_path)


def test_code_without_git_has_an_unknown_revision(repository, monkeypatch):
    monkeypatch.setattr(provenance.shutil, "which", lambda name: None)
    assert source_revision(repository) == "unknown"


def test_versions_name_python_and_what_results_depend_on():
    assert {"python", "torch", "numpy", "monai", "lightning-fabric"} <= set(package_versions())


def test_a_package_that_is_not_installed_is_said_to_be_so(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("no-such-package",))
    assert package_versions()["no-such-package"] == "not installed"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Make a package with two losses, one of which imports a shared part."""
    folder = tmp_path / "pipeline"
    (folder / "losses/parts").mkdir(parents=True)
    for name, text in {
        "__init__": "",
        "errors": "",
        "losses/__init__": "from pipeline.losses.gce import loss\n",
        "losses/gce": "import torch\nfrom pipeline.errors import E\n"
        "from pipeline.losses.parts import batch\n",
        "losses/focal": "from pipeline.losses.parts.power import f\n",
        "losses/parts/__init__": "",
        "losses/parts/batch": "",
        "losses/parts/power": "",
    }.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.setattr(provenance, "PACKAGE_FOLDER", folder)
    return folder


def hashes_of(*modules):
    return source_hashes(modules, follow=["pipeline.losses"])


def test_a_module_stands_for_itself_and_the_parts_it_imports(package):
    assert list(hashes_of("pipeline.losses.gce")) == [
        "pipeline.losses.gce",
        "pipeline.losses.parts.batch",
    ]


def test_a_package_stands_for_all_its_modules(package):
    assert list(hashes_of("pipeline.losses.parts")) == [
        "pipeline.losses.parts",
        "pipeline.losses.parts.batch",
        "pipeline.losses.parts.power",
    ]


def test_editing_one_loss_changes_its_own_hashes_alone(package):
    gce, focal = hashes_of("pipeline.losses.gce"), hashes_of("pipeline.losses.focal")
    (package / "losses/focal.py").write_text("from pipeline.losses.parts.power import g\n")
    assert hashes_of("pipeline.losses.gce") == gce
    assert hashes_of("pipeline.losses.focal") != focal


def test_editing_a_shared_part_changes_the_losses_that_import_it(package):
    gce, focal = hashes_of("pipeline.losses.gce"), hashes_of("pipeline.losses.focal")
    (package / "losses/parts/batch.py").write_text("edited = True\n")
    assert hashes_of("pipeline.losses.gce") != gce
    assert hashes_of("pipeline.losses.focal") == focal


MODULE = '''"""Say what the module does."""

import torch


@final
class Loss(Base):
    """Say what the loss does."""

    scale: float = 0.5

    def __call__(self, logits, *, power=2, **rest):
        """Say what is returned."""
        # Say why.
        return (logits * self.scale) ** power + f"{rest:>8}"


async def stub():
    """Say what it will do."""
'''


def hash_of(folder, text):
    (folder / "losses/gce.py").write_text(text)
    return hashes_of("pipeline.losses.gce")["pipeline.losses.gce"]


def edited(old, new):
    assert MODULE.count(old) == 1
    return MODULE.replace(old, new)


@pytest.mark.parametrize(
    "text",
    [
        edited("what the module does", "it otherwise"),
        edited('"""Say what the module does."""\n', ""),
        edited("what the loss does", "it otherwise"),
        edited("Say what is returned.", "Say it.\n\n        And more.\n        "),
        edited('        """Say what is returned."""\n', ""),
        edited("what it will do", "it otherwise"),
        edited('"""Say what it will do."""', "pass"),
        edited("# Say why.", "# Say it otherwise."),
        edited("        # Say why.\n", ""),
        edited("import torch\n", "import torch  # type: ignore\n\n\n"),
        edited(
            "self, logits, *, power=2, **rest", "\n        self, logits, *, power = 2, **rest\n    "
        ),
        edited("(logits * self.scale) ** power", "((logits*self.scale)**(power))"),
        edited('f"{rest:>8}"', "f'{rest:>8}'"),
        edited("0.5", "5e-1"),
    ],
)
def test_wording_and_formatting_leave_a_modules_hash(package, text):
    assert hash_of(package, text) == hash_of(package, MODULE)


@pytest.mark.parametrize(
    "text",
    [
        edited("0.5", "0.25"),
        edited("power=2", "power=3"),
        edited("power=2", "power=2.0"),
        edited("power=2", 'power="2"'),
        edited("power=2", "power=None"),
        edited("power=2", "power"),
        edited("*, power", "power"),
        edited("self.scale)", "self.size)"),
        edited("logits * self", "logits / self"),
        edited(">8", ">9"),
        edited(' + f"{rest:>8}"', ""),
        edited(": float", ": int"),
        edited("@final", "@frozen"),
        edited("@final\n", ""),
        edited("(Base)", "(Other)"),
        edited("class Loss", "class Gain"),
        edited("import torch", "import torch as t"),
        edited("async def", "def"),
        edited("    scale: float", '    """No docstring any more."""\n    scale: float').replace(
            '    """Say what the loss does."""\n', "    size = 1\n"
        ),
        edited('"""Say what is returned."""', 'f"""Say what is returned."""'),
        edited('"""Say what is returned."""', "note = 'Say what is returned.'"),
        edited('"""Say what it will do."""', "return 0"),
        f"{MODULE}\n1\n",
    ],
)
def test_whatever_else_a_module_says_changes_its_hash(package, text):
    assert hash_of(package, text) != hash_of(package, MODULE)


def test_a_string_that_is_no_docstring_counts(package):
    assert hash_of(package, "a = 1\n'first'\n") != hash_of(package, "a = 1\n'second'\n")


def test_a_modules_hash_is_that_of_its_tree_in_plain_words(package):
    tree = ["Module", {"body": [["Assign", {"targets": [TARGET], "value": ONE}]]}]
    assert hash_of(package, '"""Say it."""\na = 1  # why\n') == fingerprint(tree)


TARGET = ["Name", {"id": "'a'", "ctx": ["Store", {}]}]
ONE = ["Constant", {"value": "1"}]


def test_every_module_is_parsed_once(package):
    with patch.object(ast, "parse", wraps=ast.parse) as parse:
        found = hashes_of("pipeline.losses", "pipeline.losses.gce")
    assert parse.call_count == len(found) == 5

"""A release is opened only as it was packed, and by what can read it."""

import json
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.errors import InputError
from pipeline.hashes import write_hashes
from pipeline.releasing import read_release
from pipeline.releasing.model import restore_model


@pytest.fixture
def copy(small_release, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(small_release, folder)
    return folder


def rewrite(folder, **changes):
    """Change the manifest and hash everything anew, as who means harm or another version would."""
    path = folder / "release.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    rehash(folder)


def rehash(folder):
    (folder / "SHA256SUMS").unlink()
    write_hashes(folder)


def list_more(folder, name):
    with (folder / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  {name}\n")


def link(folder, name):
    """Move a folder away, and put a link to it in its place."""
    (folder / name).rename(folder.parent / name)
    (folder / name).symlink_to(f"../{name}")


def test_a_copy_is_the_same_release(copy, small_release):
    original, opened = read_release(small_release), read_release(copy)
    assert opened.release == original.release
    assert opened.sha256 == original.sha256
    assert opened.release.rule.found


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda folder: (folder / "models/program.onnx").write_bytes(b""),
         "models/program.onnx is not as it was written"),
        (lambda folder: (folder / "models/model.safetensors").unlink(),
         "models/model.safetensors is missing, though SHA256SUMS beside it lists it"),
        (lambda folder: (folder / "models/model.pt").write_bytes(b"cos\nsystem\n"),
         "models/model.pt was not written with the others"),
        (lambda folder: (folder / "models/otherSHA256SUMS.sig").write_bytes(b""),
         "models/otherSHA256SUMS.sig was not written with the others"),
        (lambda folder: (folder / "SHA256SUMS").unlink(),
         "a release expected, with release.json and SHA256SUMS"),
        (lambda folder: (folder / "SHA256SUMS").write_text("all well\n"),
         "line 1: a SHA-256 and a file's name expected"),
        (lambda folder: list_more(folder, "../elsewhere"), "line 11: a file below the folder"),
        (lambda folder: list_more(folder, "/etc/hostname"), "line 11: a file below the folder"),
        (lambda folder: list_more(folder, "LICENSE"), "expected, each once"),
        (lambda folder: list_more(folder, "a" * 300), "cannot be read: File name too long"),
        (lambda folder: link(folder, "models"), "models: a folder expected, got a link to one"),
    ],
    ids=["changed", "missing", "added", "named like a signature", "no hashes", "bad hashes",
         "outside", "absolute", "twice", "too long", "linked folder"],
)  # fmt: skip
def test_refuses_a_file_that_is_not_as_it_was_packed(copy, spoil, fault):
    spoil(copy)
    with pytest.raises(InputError, match=fault):
        read_release(copy)


def test_refuses_a_folder_that_is_no_release(tmp_path):
    with pytest.raises(InputError, match="a release expected, with release.json and SHA256SUMS"):
        read_release(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"version": 2}, "release.json: format 1 expected, which this version reads, got 2"),
        ({"version": []}, "release.json: format 1 expected, which this version reads, got []"),
        ({"provenance": []}, "release.json: key 'provenance'"),
        ({"name": "north\\south"}, "release.json: key 'name'"),
        ({"name": "north\x1b[31m"}, "release.json: key 'name'"),
        ({"name": " "}, "release.json: key 'name'"),
        ({"colour": "red"}, "release.json: unknown key 'colour'"),
        ({"classes": ["one"]}, "release.json: key 'classes'"),
        ({"codes": {}}, "release.json: 'codes' needs one for each of the 'classes'"),
        ({"members": []}, "release.json: key 'members'"),
        ({"parent": "the other one"}, "release.json: key 'parent'"),
        ({"critical_classes": ["x"]}, "'critical_classes' are among them"),
        ({"image_size": [10**9, 10**9]}, "'image_size' and 'channels' make more than"),
    ],
)
def test_refuses_a_manifest_that_it_does_not_understand(copy, changes, fault):
    rewrite(copy, **changes)
    with pytest.raises(InputError, match=re.escape(fault)):
        read_release(copy)


def test_refuses_a_manifest_that_is_no_object(copy):
    (copy / "release.json").write_text("[1]")
    rehash(copy)
    with pytest.raises(InputError, match=r"release\.json: Input should be"):
        read_release(copy)


def test_refuses_a_release_of_another_version_of_this_package(copy):
    provenance = json.loads((copy / "release.json").read_text())["provenance"]
    provenance["versions"]["calibrated-imaging"] = "0.0.1"
    rewrite(copy, provenance=provenance)
    with pytest.raises(InputError, match=r"packed by calibrated-imaging 0\.0\.1, this is "):
        read_release(copy)


def test_refuses_a_rule_that_says_it_was_found_without_a_threshold(copy):
    rule = json.loads((copy / "release.json").read_text())["rule"]
    rewrite(copy, rule=rule | {"threshold": None})
    with pytest.raises(InputError, match="'threshold' goes with status: found"):
        read_release(copy)


def test_a_release_can_be_put_together_anew(small_release):
    released = read_release(small_release)
    model = restore_model(released)
    assert model.calibrator == released.calibrator
    assert [path.name for path in model.weights] == ["model.safetensors"]
    assert model.likeness.centre.shape == (32,)


WEIGHTS, LIKENESS = "models/model.safetensors", "models/likeness.safetensors"
OTHER_WEIGHTS = "model.safetensors: weights of the network that release.json states expected"
UNFIT = "release.json: networks, a calibrator and a scope that fit one another expected"


def with_tensor(folder, file, name):
    """Put three zeros into a file of tensors, under a name that may be there already."""
    tensors = load_file(folder / file) | {name: torch.zeros(3, dtype=torch.float64)}
    save_file(tensors, folder / file)
    rehash(folder)


def with_member(folder, **changes):
    (member,) = json.loads((folder / "release.json").read_text())["members"]
    rewrite(folder, members=[member | changes])


def with_state(folder, **changes):
    stated = json.loads((folder / "release.json").read_text())["calibrator"]
    rewrite(folder, calibrator=stated | {"state": stated["state"] | changes})


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda folder: with_tensor(folder, WEIGHTS, "class_layers.out.bias2"), OTHER_WEIGHTS),
        (lambda folder: ((folder / WEIGHTS).write_bytes(b""), rehash(folder)), OTHER_WEIGHTS),
        (lambda folder: rewrite(folder, channels=3), OTHER_WEIGHTS),
        (lambda folder: with_member(folder, mean=[0.0, 0.0]), UNFIT),
        (lambda folder: with_tensor(folder, LIKENESS, "centre"), UNFIT),
        (lambda folder: with_state(folder, log_temperatures=[]), UNFIT),
    ],
    ids=["more weights", "no weights", "channels", "normalisation", "scope", "calibrator"],
)
def test_refuses_parts_that_do_not_fit_one_another(copy, spoil, fault):
    spoil(copy)
    with pytest.raises(InputError, match=fault):
        restore_model(read_release(copy))


@pytest.mark.parametrize("path", ["../elsewhere.safetensors", "/tmp/x.safetensors", "models/.x"])
def test_reads_no_weights_whose_hash_it_did_not_check(copy, path):
    with_member(copy, weights=path)
    with pytest.raises(InputError, match=r"key 'members\.0\.weights'"):
        read_release(copy)

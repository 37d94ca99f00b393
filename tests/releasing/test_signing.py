"""Signatures are OpenSSH's own: whoever is not allowed, or signed something else, is told apart."""

import shutil
import subprocess

import pytest

from pipeline.errors import InputError
from pipeline.hashes import write_hashes
from pipeline.releasing import read_release, signing
from pipeline.releasing.signing import require_signature, sign

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs OpenSSH")


def make_key(folder, name):
    """Make a key without a passphrase; return it, and a list that allows it alone."""
    key = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
    signers = folder / f"{name}.signers"
    signers.write_text(f"{name}@hospital.example {key.with_suffix('.pub').read_text()}")
    return key, signers


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name) for name in ("physicist", "stranger")}


@pytest.fixture
def signed(small_release, keys, tmp_path):
    folder = tmp_path / "signed"
    shutil.copytree(small_release, folder)
    sign(folder / "SHA256SUMS", keys["physicist"][0])
    return folder


def test_a_signed_release_opens_and_says_who_signed_it(signed, keys):
    released = read_release(signed, allowed_signers=keys["physicist"][1])
    assert released.signer == "physicist@hospital.example"
    assert read_release(signed).signer is None


def test_openssh_itself_verifies_the_signature(signed, keys):
    subprocess.run(
        [
            *("ssh-keygen", "-Y", "verify", "-f", keys["physicist"][1], "-n", "calibrated-imaging"),
            *("-I", "physicist@hospital.example", "-s", signed / "SHA256SUMS.sig"),
        ],
        input=(signed / "SHA256SUMS").read_bytes(),
        capture_output=True,
        check=True,
    )


def test_refuses_the_signature_of_whom_nobody_allowed(signed, keys):
    with pytest.raises(InputError, match=r"SHA256SUMS\.sig is of nobody whom .* allows"):
        read_release(signed, allowed_signers=keys["stranger"][1])


def test_refuses_a_release_that_is_not_signed(small_release, keys):
    with pytest.raises(InputError, match=r"is not signed: SHA256SUMS\.sig expected"):
        read_release(small_release, allowed_signers=keys["physicist"][1])


def test_refuses_the_signature_of_what_a_release_was_before(signed, keys):
    (signed / "LICENSE").write_text("everything is allowed")
    (signed / "SHA256SUMS").unlink()
    write_hashes(signed)
    assert read_release(signed)
    with pytest.raises(InputError, match="no signature of SHA256SUMS by physicist@hospital"):
        read_release(signed, allowed_signers=keys["physicist"][1])


def test_refuses_a_signature_that_was_made_for_something_else(signed, keys):
    (signed / "SHA256SUMS.sig").unlink()
    key, signers = keys["physicist"]
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", key, signed / "SHA256SUMS"]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(InputError, match="is no signature of SHA256SUMS"):
        read_release(signed, allowed_signers=signers)


def test_says_what_is_missing(tmp_path, keys, signed, monkeypatch):
    file = signed / "SHA256SUMS"
    with pytest.raises(InputError, match="a private SSH key expected"):
        sign(file, tmp_path / "none")
    with pytest.raises(InputError, match="a list of allowed signers expected"):
        require_signature(file, tmp_path / "none")
    (tmp_path / "text").write_text("no key")
    with pytest.raises(InputError, match="text: cannot sign: "):
        sign(file, tmp_path / "text")
    monkeypatch.setattr(signing.shutil, "which", lambda program: None)
    with pytest.raises(InputError, match="signatures need ssh-keygen"):
        require_signature(file, keys["physicist"][1])

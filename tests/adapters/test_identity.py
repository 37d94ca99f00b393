import hashlib
import hmac
import os
import stat
import unicodedata

import pytest

from pipeline.adapters.identity import (
    KEY_FILE,
    Pseudonyms,
    find_sources,
    hide_names,
    load_pseudonyms,
    trace_sources,
)
from pipeline.errors import InputError

PSEUDONYMS = Pseudonyms(b"a key for the tests")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_IDENTITY_KEY", raising=False)
    return tmp_path


def test_a_pseudonym_is_the_hmac_of_kind_and_value():
    expected = hmac.new(b"a key for the tests", b"patient\0P-0042", hashlib.sha256).hexdigest()
    assert PSEUDONYMS("patient", "P-0042") == expected[:20]


def test_another_kind_value_or_key_gives_another_pseudonym():
    others = {
        PSEUDONYMS("patient", "P-0042"),
        PSEUDONYMS("study", "P-0042"),
        PSEUDONYMS("patient", "P-0043"),
        Pseudonyms(b"another key for tests")("patient", "P-0042"),
    }
    assert len(others) == 4


def test_a_value_has_one_pseudonym_in_every_form_of_unicode():
    assert PSEUDONYMS("patient", "M\u00fcller") == PSEUDONYMS("patient", "Mu\u0308ller")


@pytest.mark.parametrize(
    ("one", "other"), [("0042", "42"), ("P-07", "p-07 "), ("1000", "1000.0"), ("P-07", "Ｐ-07")]
)
def test_spellings_of_one_patient_have_one_pseudonym_and_those_of_other_keys_do_not(one, other):
    assert PSEUDONYMS("patient", one) == PSEUDONYMS("patient", other)
    assert PSEUDONYMS("path", one) != PSEUDONYMS("path", other)


def test_zeros_within_a_patients_name_count():
    assert PSEUDONYMS("patient", "P-07") != PSEUDONYMS("patient", "P-7")


def test_a_name_that_is_no_text_has_a_pseudonym_too():
    latin, utf8 = (os.fsdecode("M\u00fcller".encode(each)) for each in ("latin-1", "utf-8"))
    assert PSEUDONYMS("path", latin) != PSEUDONYMS("path", utf8)


def test_the_hash_of_a_file_is_an_hmac_of_its_sha256():
    sha256 = hashlib.sha256(b"pixels").hexdigest()
    message = b"content\0" + sha256.encode()
    expected = hmac.new(b"a key for the tests", message, hashlib.sha256).hexdigest()
    assert PSEUDONYMS.of_content(sha256) == expected


def test_refuses_a_key_that_could_be_guessed():
    with pytest.raises(InputError, match="at least 16 bytes, got 6"):
        Pseudonyms(b"secret")


def test_the_key_is_made_on_first_use_and_kept(project):
    first = load_pseudonyms()
    assert stat.S_IMODE((project / KEY_FILE).stat().st_mode) == 0o600
    assert load_pseudonyms() == first
    assert [path.name for path in (project / "data").iterdir()] == [".identity_key"]


def test_two_projects_have_different_keys(project, monkeypatch, tmp_path_factory):
    first = load_pseudonyms()
    monkeypatch.chdir(tmp_path_factory.mktemp("other"))
    assert load_pseudonyms() != first


def test_the_environment_s_key_goes_before_the_file(project, monkeypatch):
    monkeypatch.setenv("PIPELINE_IDENTITY_KEY", "a key of the environment")
    assert load_pseudonyms() == Pseudonyms(b"a key of the environment")
    assert not (project / KEY_FILE).exists()


def test_no_part_of_a_path_is_left_but_public_words():
    jane, file = (PSEUDONYMS("path", part) for part in ("Doe Jane", "P-0042.dcm"))
    hidden = hide_names("ill/Doe Jane/P-0042.dcm", PSEUDONYMS, {"ill"})
    assert hidden == f"ill/~{jane}/~{file}"


def test_a_hidden_path_leads_back_to_its_file(tmp_path):
    real = tmp_path / "Doe Jane/CT/P-0042.dcm"
    real.parent.mkdir(parents=True)
    real.touch()
    source = hide_names("Doe Jane/CT/P-0042.dcm", PSEUDONYMS)
    assert find_sources(tmp_path, [source], PSEUDONYMS) == {source: real}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_path_leads_back_whatever_form_of_unicode_its_folder_has(tmp_path, form):
    real = tmp_path / unicodedata.normalize(form, "Läsion/Müller.png")
    real.parent.mkdir()
    real.touch()
    for public in (frozenset(), {"L\u00e4sion"}):
        source = hide_names(real.relative_to(tmp_path).as_posix(), PSEUDONYMS, public)
        assert source.startswith("~" if not public else "L\u00e4sion/~")
        assert find_sources(tmp_path, [source], PSEUDONYMS) == {source: real}


def test_a_broken_link_is_traced_though_it_is_no_file(tmp_path):
    (tmp_path / "gone").symlink_to("nowhere")
    source = hide_names("gone", PSEUDONYMS)
    assert trace_sources(tmp_path, [source], PSEUDONYMS) == {source: tmp_path / "gone"}
    with pytest.raises(InputError, match="no such file below"):
        find_sources(tmp_path, [source], PSEUDONYMS)


def test_a_name_of_ones_own_may_begin_like_a_mask(tmp_path):
    (tmp_path / "~old").touch()
    assert find_sources(tmp_path, ["~old"], PSEUDONYMS) == {"~old": tmp_path / "~old"}


def test_refuses_a_path_whose_file_is_gone(tmp_path):
    with pytest.raises(InputError, match=r"a/b\.dcm: no such file .* run acquire again"):
        find_sources(tmp_path, ["a/b.dcm"], PSEUDONYMS)

"""Addresses and TLS as the command line states them, or a line that says what is wrong."""

import pytest

from pipeline.errors import InputError
from pipeline.node.addresses import parse_address, tls_of


@pytest.mark.parametrize(
    "text", ["", "pacs", "pacs:104", "pacs:0:A", "pacs:65536:A", "pacs:x:A", ":104:A", "pacs:104:"]
)
def test_refuses_what_is_no_address(text):
    with pytest.raises(InputError, match="--send: HOST:PORT:AET expected"):
        parse_address(text)


def test_refuses_half_of_what_tls_needs(tmp_path):
    assert tls_of(None, None, None) is None
    with pytest.raises(InputError, match="go together: state all three, or none"):
        tls_of(tmp_path / "cert", tmp_path / "key", None)
    with pytest.raises(InputError, match="no PEM files that go together"):
        tls_of(tmp_path / "a", tmp_path / "b", tmp_path / "c").for_listening()

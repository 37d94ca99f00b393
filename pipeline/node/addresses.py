"""Who talks to whom: DICOM addresses, AE titles and TLS, as the command line states them."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import InputError

AE_TITLE = re.compile(r"[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?")
"""PS3.5, value representation AE: up to 16 printable characters, no backslash, trimmed."""

SILENT_SECONDS = 30.0
"""That a caller may leave a TLS connection without a word."""


@dataclass(frozen=True)
class Address:
    """Where an application entity listens, and its title."""

    host: str
    port: int
    aet: str


def parse_address(text: str) -> Address:
    """Return the address in HOST:PORT:AET.

    >>> parse_address("pacs.example:104:ARCHIVE")
    Address(host='pacs.example', port=104, aet='ARCHIVE')
    >>> parse_address("[::1]:104:ARCHIVE").host
    '::1'
    >>> parse_address("pacs.example")
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: --send: HOST:PORT:AET expected, got 'pacs.example'
    """
    host, port, aet = ["", "", *text.rsplit(":", 2)][-3:]
    is_port = port.isascii() and port.isdigit() and 0 < int(port) < 2**16
    if not (host and is_port and AE_TITLE.fullmatch(aet)):
        message = f"--send: HOST:PORT:AET expected, got {text!r}"
        raise InputError(message)
    return Address(host.removeprefix("[").removesuffix("]"), int(port), aet)


def require_ae_title(text: str, option: str) -> str:
    """Return an AE title; `InputError` names the option that states another text."""
    if not AE_TITLE.fullmatch(text):
        message = f"{option}: an AE title of 1 to 16 characters expected, got {text!r}"
        raise InputError(message)
    return text


def is_loopback(host: str) -> bool:
    """Return whether nobody but this machine reaches an address.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Tls:
    """Files in PEM: this node's certificate and key, and whose certificates it trusts."""

    certificate: Path
    key: Path
    authorities: Path

    def for_listening(self) -> ssl.SSLContext:
        """Return a context that lets in those alone who show a certificate of the authorities."""
        return self._loaded(_Listening(ssl.PROTOCOL_TLS_SERVER))

    def for_sending(self) -> ssl.SSLContext:
        """Return a context that shows our certificate, and checks the other's and its name."""
        return self._loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def _loaded(self, context: ssl.SSLContext) -> ssl.SSLContext:
        try:
            context.load_verify_locations(cafile=self.authorities)
            context.load_cert_chain(self.certificate, self.key)
        except OSError as error:
            message = f"--tls-cert, --tls-key, --tls-ca: no PEM files that go together: {error}"
            raise InputError(message) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        return context


class _Listening(ssl.SSLContext):
    """Lets each caller shake hands in its own thread: one who says nothing holds up nobody."""

    def wrap_socket(self, sock: socket.socket, *args: Any, **options: Any) -> ssl.SSLSocket:
        sock.settimeout(SILENT_SECONDS)
        return super().wrap_socket(sock, *args, **options | {"do_handshake_on_connect": False})


def tls_of(certificate: Path | None, key: Path | None, authorities: Path | None) -> Tls | None:
    """Return what three options state: all of it, or None where none is stated."""
    if certificate and key and authorities:
        return Tls(certificate, key, authorities)
    if certificate or key or authorities:
        message = "--tls-cert, --tls-key and --tls-ca go together: state all three, or none"
        raise InputError(message)
    return None

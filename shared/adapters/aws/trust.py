"""Whose certificates are taken for true: an AWS endpoint's are Amazon's own, and all others' those of any authority.

A list of all authorities takes 20 ms of CPU to load, Amazon's five roots 1 (docs/adr/0033-cold-starts.md).
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING, Final

from shared.config import is_narrow

if TYPE_CHECKING:
    from ssl import SSLContext

_AWS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
# OpenSSL's words for "no authority that I know": of an issuer, or of who signed themselves.
_UNKNOWN: Final = frozenset({2, 18, 19, 20, 21})


def tls_context(host: str) -> SSLContext:
    """The one context for all connections to hosts of its kind, made while initialising."""
    return _amazons() if is_narrow() and host.endswith(_AWS) else _everybodys()


@cache
def _everybodys() -> SSLContext:
    return ssl.create_default_context()


@cache
def _amazons() -> SSLContext:
    from shared.adapters.aws.amazon_roots import PEM  # noqa: PLC0415  # who talks to the emulator has no use for them

    context = ssl.create_default_context(cadata=PEM)
    context.sslsocket_class = _Widening
    return context


class Widened(ssl.SSLCertVerificationError):
    """An endpoint has shown a certificate of another authority, and its context knows all of them now: dial again."""


class _Widening(ssl.SSLSocket):
    """A connection to an endpoint of which Amazon's own certificate is expected."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as exc:
            if exc.verify_code not in _UNKNOWN:
                raise
            _widen(self.context, self.server_hostname or "")
            raise Widened(*exc.args) from exc


def _widen(context: SSLContext, host: str) -> None:
    if context.sslsocket_class is not _Widening:
        return  # another connection has
    from shared.observability import warn  # noqa: PLC0415  # as rare as can be

    context.load_default_certs()
    context.sslsocket_class = ssl.SSLSocket
    warn("an endpoint's certificate is not Amazon's", host=host)

"""A connection to an endpoint: one address after the other, then TLS, and nothing of it waits."""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any, Final

from shared.adapters.aws.trust import Widened

Address = tuple[Any, ...]
"""What `socket.getaddrinfo` says of one."""

_ON_ITS_WAY: Final = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})


def addresses_of(host: str, port: int) -> Sequence[Address]:
    """Where to connect to. Raises OSError where the name stands for nothing."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Connection:
    """A socket that never blocks. `is_ready`: requests can be sent; `wall` and `monotonic`: since when it is kept.

    `reader` waits for what comes in, once it is ready: whoever waits first makes it, for all that follow.

    Each address has its part of the time until `dialled_by`, by the monotonic clock; `due` is when that is over.
    """

    sock: socket.socket

    def __init__(
        self, addresses: Sequence[Address], host: str, tls: ssl.SSLContext | None, *, dialled_by: float
    ) -> None:
        self._addresses = list(addresses)
        self._host = host
        self._tls = tls
        self._is_dialled = self._is_wrapped = False
        self.dialled_by = dialled_by
        self.due = dialled_by
        self.is_ready = False
        self.wall = self.monotonic = 0.0
        self.reader: select.poll | None = None

    def close(self) -> None:
        if self._is_dialled:
            self.sock.close()

    def advance(self) -> int:
        """What to wait for before the next step, by select's names; 0 once it is ready.

        Raises OSError where no address is left that might answer, or TLS has failed.
        """
        if not self._is_dialled:
            self._dial(None)
            return select.POLLOUT
        if not self._is_wrapped:
            if failed := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._dial(OSError(failed, os.strerror(failed)))
                return select.POLLOUT
            self._wrap()
        if isinstance(self.sock, ssl.SSLSocket):
            self.due = self.dialled_by
            try:
                self.sock.do_handshake()
            except ssl.SSLWantReadError:
                return select.POLLIN
            except ssl.SSLWantWriteError:
                return select.POLLOUT
            except Widened:
                self._addresses.insert(0, self._address)
                self._is_wrapped = False
                self._dial(None)
                return select.POLLOUT
        self.is_ready = True
        return 0

    def expire(self) -> None:
        """The time for this address is over. Raises TimeoutError where there is no other."""
        if self._is_wrapped:
            raise TimeoutError("no handshake")
        self._dial(TimeoutError("no connection"))

    def _dial(self, failed: OSError | None) -> None:
        """Begin with the next address. Raises what the last one has failed with."""
        while self._addresses:
            self.close()
            now = time.monotonic()
            self.due = now + max(0.0, self.dialled_by - now) / len(self._addresses)
            self._address = self._addresses.pop(0)
            family, kind, protocol, _, address = self._address
            try:
                self.sock = socket.socket(family, kind, protocol)
            except OSError as exc:  # a kind of addresses that this machine has none of
                failed = exc
                continue
            self._is_dialled = True
            self.sock.setblocking(False)
            code = self.sock.connect_ex(address)
            if code in _ON_ITS_WAY:
                return
            failed = OSError(code, os.strerror(code))
        raise failed or OSError("the host has no address")

    def _wrap(self) -> None:
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            # A body that ends where the connection does has to end with TLS's own goodbye: any other may be cut.
            self.sock = self._tls.wrap_socket(
                self.sock, server_hostname=self._host, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
        self._is_wrapped = True

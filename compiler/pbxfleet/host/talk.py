"""One question to one proven socket: connect, ask, read a bounded answer in a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pbxfleet.host.proven import Proven, Unproven
from pbxfleet.model.asking import TIMEOUT_S

if TYPE_CHECKING:
    import socket

MOST_BYTES = 4 << 20  # some 200 settings of at most a few kilobytes, with a wide margin


class Talk:
    """A connection with one deadline, and one limit of bytes, for all of it."""

    def __init__(self, channel: socket.socket, until: float) -> None:
        self._channel = channel
        self._until = until
        self._left = MOST_BYTES

    @property
    def own_address(self) -> tuple[str, int]:
        """Address and port on our side."""
        found: tuple[str, int] = self._channel.getsockname()[:2]
        return found

    @property
    def certificate(self) -> bytes | None:
        """The certificate that was presented (DER), None without TLS."""
        import ssl

        if not isinstance(self._channel, ssl.SSLSocket):
            return None
        return self._channel.getpeercert(binary_form=True)

    def send(self, data: bytes) -> None:
        """All of it, or TimeoutError."""
        self._channel.settimeout(self.remaining_s())
        self._channel.sendall(data)

    def receive(self, size: int = 65536, *, within_s: float = TIMEOUT_S) -> bytes:
        """What has come, b"" at the end; TimeoutError at the deadline, ValueError if it is too much."""
        self._channel.settimeout(min(self.remaining_s(), within_s))
        data = self._channel.recv(size)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"the answer is longer than {MOST_BYTES} bytes")
        return data

    def remaining_s(self) -> float:
        """Seconds until the deadline; TimeoutError if there are none."""
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining


@contextmanager
def connected(
    proven: Proven,
    *,
    stream: bool,
    tls: bool,
    still_holds: Callable[[], bool],
    timeout_s: float = TIMEOUT_S,
) -> Iterator[Talk]:
    """A connection to that very socket; Unproven if it was no longer the instance's once connected.

    The proof comes again after connecting: between proof and connection the process may have ended
    and another one may have taken its place. The same listening socket cannot come back.
    """
    import socket

    until = time.monotonic() + timeout_s
    family = socket.AF_INET6 if ":" in proven.address else socket.AF_INET
    channel = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    try:
        channel.settimeout(timeout_s)
        channel.connect((proven.address, proven.port))
        if not still_holds():
            raise Unproven("its process ended while it was asked")
        if tls:
            channel = _with_tls(channel, until)
        yield Talk(channel, until)
    finally:
        channel.close()


def _with_tls(plain: socket.socket, until: float) -> socket.socket:
    """TLS without a look at the certificate.

    Names and issuers say nothing here: the kernel has proven which process listens, on this very
    machine, and instances have certificates for names of the world outside, or for none yet. Not to
    be used for anything but a proven local socket.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain.settimeout(max(0.01, until - time.monotonic()))
    return context.wrap_socket(plain)

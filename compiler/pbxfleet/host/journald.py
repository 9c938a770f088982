"""Entries for the journal of systemd, over its own protocol.

"Native Journal Protocol" of the systemd documentation: a datagram of fields, `NAME=value` and a line end,
or for a value with line ends the name alone, its length in eight bytes, little endian, and the value. What
is too long for a datagram goes into a sealed memory file, whose descriptor is sent instead.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping

from pbxfleet.core.errors import HostError

SOCKET = "/run/systemd/journal/socket"
TIMEOUT_S = 5.0  # a journal that is stuck must not keep a run
MOST_BYTES = 1 << 20


def encode_entry(fields: Mapping[str, str]) -> bytes:
    """The fields of one entry, in order; a value beyond a megabyte is cut there."""
    parts = []
    for name, text in fields.items():
        value = text.encode("utf-8", "replace")[:MOST_BYTES]
        if b"\n" in value:
            size = len(value).to_bytes(8, "little")
            parts.append(name.encode() + b"\n" + size + value + b"\n")
        else:
            parts.append(name.encode() + b"=" + value + b"\n")
    return b"".join(parts)


def send(fields: Mapping[str, str], path: str = "") -> None:
    """Hand one entry to the journal; HostError where there is none, or it does not take it."""
    path = path or SOCKET
    entry = encode_entry(fields)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(TIMEOUT_S)
        try:
            channel.connect(path)
            try:
                channel.send(entry)
            except OSError as error:
                if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
                    raise
                _send_file(channel, entry)
        except OSError as error:
            reason = error.strerror or str(error)
            raise HostError(path, reason, error.errno or 0) from error


def _send_file(channel: socket.socket, entry: bytes) -> None:
    import fcntl

    file = os.memfd_create("pbxfleet-journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with os.fdopen(os.dup(file), "wb") as stream:
            stream.write(entry)
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)
        socket.send_fds(channel, [b""], [file])
    finally:
        os.close(file)

"""The stand-in PBX for tests: releases of it, its directories, and what a client or /proc sees.

The product does not import this: its demo copies the package data and stamps the copies itself.
Every wait is bounded; processes are ended by their numbers, found through their own arguments.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import itertools
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

SOURCE = Path(__file__).resolve().parents[2] / "compiler" / "pbxfleet" / "standin"
VERSION = "70.5"
PATIENCE_S = 30.0

# Unprivileged ports, one per role; instances differ by address, as on a real host.
PORTS = {
    "ip_http_port": 18080,
    "ip_https_port": 18443,
    "sip_udp_port": 15060,
    "sip_tcp_port": 15060,
    "sip_tls_port": 15061,
    "tftp_port": 10069,
    "snmp_port": 10161,
    "ldap_port": 10389,
}

# Addresses are handed out in order from a place by chance, since test runs know nothing of others.
_START = int.from_bytes(os.urandom(4), "big")
_numbers = itertools.count()


class Release(NamedTuple):
    """The two files of a release; `sha256s` are their digests in hex, by file name."""

    pbxctrl: Path
    dat: Path
    sha256s: dict[str, str]


def stamped(text: str, version: str, python: str | None = None) -> str:
    """The script of a release: run by `python` (this test's own by default), of a version."""
    interpreter = python or getattr(sys, "_base_executable", sys.executable)
    _, rest = text.split("\n", 1)
    rest, count = re.subn(r'(?m)^VERSION = ".*"$', f'VERSION = "{version}"', rest)
    assert count == 1
    # One word of options: the kernel hands everything behind the interpreter over as one argument.
    return f"#!{interpreter} -IS\n{rest}"


def make_release(folder: Path, version: str = VERSION, python: str | None = None) -> Release:
    """`folder`/pbxctrl and `folder`/pbxctrl.dat of a version, the folder made when absent."""
    folder.mkdir(parents=True, exist_ok=True)
    pbxctrl, dat = folder / "pbxctrl", folder / "pbxctrl.dat"
    script = (SOURCE / "pbxctrl").read_text(encoding="utf-8")
    pbxctrl.write_text(stamped(script, version, python), encoding="utf-8")
    pbxctrl.chmod(0o755)
    _, rest = (SOURCE / "pbxctrl.dat").read_text(encoding="utf-8").split("\n", 1)
    dat.write_text(f"version {version}\n{rest}", encoding="utf-8")
    digests = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (pbxctrl, dat)}
    return Release(pbxctrl, dat, digests)


def fresh_address() -> str:
    """A loopback address that no other test uses, be it of another run at the same time."""
    rest, last = divmod(next(_numbers), 250)
    second, third = divmod((_START + rest) % (250 * 250), 250)
    return f"127.{second + 3}.{third + 1}.{last + 1}"


def configuration(settings: Mapping[str, str]) -> bytes:
    """A pbx.xml with these settings, in this order."""
    lines = [f"  <{name}>{escape(value)}</{name}>\n" for name, value in settings.items()]
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<config>\n' + "".join(lines) + "</config>\n"
    ).encode()


def bound_to(address: str, **settings: str) -> dict[str, str]:
    """Settings that bind every port to one address, with others laid over them."""
    host = f"[{address}]" if ":" in address else address
    binds = {name: f"{host}:{port}" for name, port in PORTS.items()}
    media = {"rtp_bind_ip4": address, "rtp_port_start": "40000", "rtp_port_end": "40999"}
    return {"sys_name": "test", "pw_user": "admin"} | binds | media | settings


# --- waiting ---------------------------------------------------------------------------------


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Return once `condition()` is true; fails the test after `timeout_s`."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"still not after {timeout_s:.0f} s: {what}"
        time.sleep(0.02)


def accepts(address: str, port: int) -> bool:
    """Whether a TCP connection to there is accepted just now."""
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def wait_listening(address: str, port: int, timeout_s: float = PATIENCE_S) -> None:
    """Return once a TCP connection to there is accepted."""
    wait_until(lambda: accepts(address, port), f"{address} port {port} listens", timeout_s)


# --- clients ---------------------------------------------------------------------------------


class Answer(NamedTuple):
    status: int
    body: str


def http_request(
    method: str, address: str, port: int, path: str, *, login: str = "", body: str | None = None
) -> Answer:
    """One request; `login` is `user:password`."""
    headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    connection = http.client.HTTPConnection(address, port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body and body.encode(), headers if login else {})
        response = connection.getresponse()
        return Answer(response.status, response.read().decode())
    finally:
        connection.close()


def http_get(address: str, port: int, path: str, login: str = "") -> Answer:
    return http_request("GET", address, port, path, login=login)


def http_post(address: str, port: int, path: str, body: str = "", login: str = "") -> Answer:
    return http_request("POST", address, port, path, login=login, body=body)


def sip_request(method: str, transport: str, via: str = "192.0.2.1:5060;rport") -> str:
    lines = (
        f"{method} sip:pbx.example.com SIP/2.0",
        f"Via: SIP/2.0/{transport.upper()} {via};branch=z9hG4bK-1",
        "From: <sip:probe@example.com>;tag=1",
        "To: <sip:pbx.example.com>",
        "Call-ID: 1@probe.example.com",
        f"CSeq: 7 {method}",
        "Max-Forwards: 70",
        "Content-Length: 0",
    )
    return "\r\n".join([*lines, "", ""])


def sip_options(address: str, port: int, transport: str = "udp") -> str:
    """The whole response to an OPTIONS request over udp or tcp."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as client:
        client.settimeout(PATIENCE_S)
        client.connect((address, port))
        client.sendall(sip_request("OPTIONS", transport).encode())
        received = b""
        while b"\r\n\r\n" not in received:
            part = client.recv(65535)
            assert part, "the connection was closed without a response"
            received += part
        return received.decode()


# --- /proc -----------------------------------------------------------------------------------


def arguments(pid: int) -> list[str]:
    """The command line of a process; empty when it is gone or has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")[:-1]
    except OSError:
        return []


def processes(below: Path) -> list[int]:
    """The processes that are stand-ins with a working directory at or below a folder."""
    found = []
    for name in os.listdir("/proc"):
        argv = arguments(int(name)) if name.isdigit() else []
        if "--dir" in argv[:-1]:
            directory = Path(argv[argv.index("--dir") + 1])
            if directory == below or below in directory.parents:
                found.append(int(name))
    return sorted(found)


def group(pid: int) -> int:
    return os.getpgid(pid)


def end_all(below: Path) -> None:
    """End every stand-in below a folder, supervisors too, and return when none is left."""
    end = time.monotonic() + PATIENCE_S
    while pids := processes(below):
        assert time.monotonic() < end, f"processes cannot be ended: {pids}"
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


class Bound(NamedTuple):
    """A socket a process has bound: `protocol` is tcp, tcp6, udp or udp6."""

    protocol: str
    address: str
    port: int


def bound(pid: int) -> set[Bound]:
    """Listening TCP and unconnected UDP sockets of one process, in its network namespace."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    return {
        found
        for protocol in ("tcp", "tcp6", "udp", "udp6")
        for inode, found in _table(pid, protocol)
        if inode in inodes
    }


def _table(pid: int, protocol: str) -> Iterator[tuple[str, Bound]]:
    wanted = "0A" if protocol.startswith("tcp") else "07"
    table = Path(f"/proc/{pid}/net/{protocol}")
    for line in table.read_text().splitlines()[1:] if table.exists() else ():
        fields = line.split()
        if fields[3] == wanted:
            address, _, port = fields[1].partition(":")
            # Each 32-bit word is printed in the byte order of the machine.
            words = [bytes.fromhex(address[i : i + 8]) for i in range(0, len(address), 8)]
            raw = b"".join(w[::-1] if sys.byteorder == "little" else w for w in words)
            family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
            yield fields[9], Bound(protocol, socket.inet_ntop(family, raw), int(port, 16))


def memory_kib(pid: int) -> dict[str, int]:
    """Memory of a process by the kernel's names (Rss, Pss, Private_Dirty ...), in KiB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {name: int(size) for name, size in re.findall(r"(?m)^(\w+): +(\d+) kB$", text)}

"""Facts of the machine: what it has, as the kernel says it."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.host.facts import cores, parse_addresses
from pbxfleet.host.local import LocalHost
from support.beds import require_programs, require_root


def test_the_machine(tmp_path: Path) -> None:
    facts = LocalHost(str(tmp_path), "direct").facts()
    assert facts.node == os.uname().nodename
    assert "127.0.0.1" in facts.addresses
    assert len(set(facts.addresses)) == len(facts.addresses)
    assert set(os.sched_getaffinity(0)) <= set(facts.cpus)


def test_without_a_list_of_cores_those_we_may_use_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pbxfleet.host.facts.ONLINE", "/nowhere")
    assert set(cores()) == os.sched_getaffinity(0)


def test_many_addresses_of_both_kinds() -> None:
    require_root("a network namespace")
    require_programs("a network namespace", "unshare", "ip")
    wanted = [f"198.18.{n // 250}.{n % 250 + 1}" for n in range(1000)]
    wanted += [f"2001:db8::{n + 1:x}" for n in range(1000)]
    lines = "".join(f"addr add {a}/{128 if ':' in a else 32} dev lo\n" for a in wanted)
    code = "from pbxfleet.host.facts import facts; print(*facts().addresses)"
    shell = f"ip link set lo up && ip -batch - && exec {sys.executable} -c '{code}'"
    argv = ("unshare", "--net", "sh", "-c", shell)
    done = subprocess.run(argv, input=lines, check=True, capture_output=True, text=True, timeout=60)
    assert sorted(done.stdout.split()) == sorted([*wanted, "127.0.0.1", "::1"])


def message(kind: int, payload: bytes) -> bytes:
    return (
        struct.pack("=IHHII", 16 + len(payload), kind, 2, 1, 0)
        + payload
        + b"\0" * (-len(payload) % 4)
    )


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def test_of_two_ends_our_own_is_taken() -> None:
    head = struct.pack("=BBBBI", 2, 32, 0, 0, 3)
    peer, own = attribute(1, bytes([10, 0, 0, 2])), attribute(2, bytes([10, 0, 0, 1]))
    label = attribute(3, b"ppp0\0")
    content = message(20, head + peer + own + label) + message(20, head + peer + label)
    assert parse_addresses(content) == (["10.0.0.1", "10.0.0.2"], False)
    assert parse_addresses(message(20, head + label) + message(3, b"\0\0\0\0")) == ([], True)


@pytest.mark.parametrize("content", [message(2, b"\0" * 20), struct.pack("=IHHII", 0, 20, 0, 0, 0)])
def test_an_error_of_the_kernel_is_an_error(content: bytes) -> None:
    with pytest.raises(HostError):
        parse_addresses(content)


def test_what_is_cut_off_ends() -> None:
    head = struct.pack("=BBBBI", 2, 32, 0, 0, 3)
    whole = message(20, head + attribute(2, bytes([10, 0, 0, 1])))
    for end in range(len(whole)):
        found, done = parse_addresses(whole[:end])
        assert not done
        assert found in ([], ["10.0.0.1"])

"""Text of /proc, as kernels wrote it, becomes the right data."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.host.lock import parse_holder
from pbxfleet.host.pidfile import parse_pid
from pbxfleet.host.procfs import (
    NET_FILES,
    ProcStat,
    SocketRow,
    address_text,
    parse_allowed_cores,
    parse_command_line,
    parse_core_list,
    parse_sockets,
    parse_stat,
)

SAMPLES = Path(__file__).parent / "samples"

EXPECTED = {
    "tcp": [
        SocketRow("tcp", "127.0.0.7", 18099, 194671),
        SocketRow("tcp", "0.0.0.0", 22, 1034),
    ],
    "tcp6": [
        SocketRow("tcp", "::1", 18098, 194672),
        SocketRow("tcp", "127.0.0.8", 18097, 194673),
        SocketRow("tcp", "2001:db8:0:1::a10", 5061, 194690),
    ],
    "udp": [
        SocketRow("udp", "0.0.0.0", 18093, 194677),
        SocketRow("udp", "127.0.0.7", 18096, 194675),
    ],
    "udp6": [SocketRow("udp", "::", 18095, 194674)],
}


@pytest.mark.parametrize(("name", "protocol", "state"), NET_FILES)
def test_only_receiving_sockets_are_listed(name: str, protocol: str, state: bytes) -> None:
    content = (SAMPLES / name).read_bytes()
    assert parse_sockets(content, protocol, state, "little") == EXPECTED[name]


def test_a_row_that_is_cut_off_is_left_out() -> None:
    content = (SAMPLES / "udp").read_bytes()
    first = content.index(b"46AD") + 10
    assert parse_sockets(content[:first], "udp", b"07", "little") == []
    assert parse_sockets(b"", "udp", b"07") == []


@pytest.mark.parametrize(
    ("words", "byte_order", "text"),
    [
        ("0A0200C0", "little", "192.0.2.10"),
        ("C000020A", "big", "192.0.2.10"),
        ("B80D0120000000000000000001000000", "little", "2001:db8::1"),
        ("20010DB8000000000000000000000001", "big", "2001:db8::1"),
        ("0000000000000000FFFF00000A0200C0", "little", "192.0.2.10"),
        ("00000000000000000000FFFFC000020A", "big", "192.0.2.10"),
        ("00000000", "little", "0.0.0.0"),
        ("00000000000000000000000000000000", "big", "::"),
    ],
)
def test_addresses_follow_the_byte_order_of_the_machine(
    words: str, byte_order: str, text: str
) -> None:
    assert address_text(bytes.fromhex(words), byte_order) == text


@given(st.binary(min_size=4, max_size=4))
def test_any_ipv4_address_reads_the_same_in_both_orders(packed: bytes) -> None:
    text = ".".join(map(str, packed))
    assert address_text(packed, "big") == text
    assert address_text(packed[::-1], "little") == text


STAT_TAIL = (
    b"1 22197 21835 0 -1 4194304 3046 6519 0 0 6 4 3 5 20 0 1 0 309785 18554880 3591 "
    b"18446744073709551615 93886383702016 93886383702357 140734833600688 0 0 0 0 0 0 0 0 0 17 0\n"
)


@pytest.mark.parametrize(
    "name", [b"pbxctrl", b"a b", b"a) S 1 (b", b")", b"(", b"", b"\xff\xfe", b") R 9 9 9"]
)
def test_the_name_of_a_process_may_hold_anything(name: bytes) -> None:
    content = b"22198 (" + name + b") S " + STAT_TAIL
    assert parse_stat(content) == ProcStat(22198, "S", 1, 22197, 309785)


@given(st.binary(max_size=15).filter(lambda name: b"\0" not in name))
def test_every_name_a_process_can_have_is_read(name: bytes) -> None:
    assert parse_stat(b"7 (" + name + b") Z " + STAT_TAIL).ended


@pytest.mark.parametrize("content", [b"", b"12", b"12 (x", b"12 (x) S 1 2"])
def test_a_stat_that_is_cut_off_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match="stat"):
        parse_stat(content)


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("0-1\n", (0, 1)),
        ("0-3,8,10-11\n", (0, 1, 2, 3, 8, 10, 11)),
        ("5", (5,)),
        ("", ()),
        ("\n", ()),
    ],
)
def test_core_lists(text: str, cores: tuple[int, ...]) -> None:
    assert parse_core_list(text) == cores


def test_allowed_cores_are_found_in_a_status() -> None:
    status = b"Name:\tx\nCpus_allowed:\t5\nCpus_allowed_list:\t0,2\nMems_allowed_list:\t0\n"
    assert parse_allowed_cores(status) == (0, 2)
    assert parse_allowed_cores(b"Name:\tx\n") == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"/usr/local/pbx-1/pbxctrl\0--dir\0/usr/local/pbx-1\0",
            ("/usr/local/pbx-1/pbxctrl", "--dir", "/usr/local/pbx-1"),
        ),
        (b"a\0\0b\0", ("a", "", "b")),
        (b"set by the program", ("set by the program",)),
        (b"", ()),
        (b"\xff\0", ("\udcff",)),
    ],
)
def test_command_lines(content: bytes, words: tuple[str, ...]) -> None:
    assert parse_command_line(content) == words


@pytest.mark.parametrize(
    ("device", "inode", "pid"),
    [
        ((0xFE, 0), 1311788, 4711),
        ((0xFE, 0), 1311789, None),  # not a flock
        ((0xFE, 0), 1311790, None),
        ((0x103, 2), 77, None),  # held in another process namespace
        ((0xFE, 1), 1311788, None),
    ],
)
def test_the_holder_of_a_lock(device: tuple[int, int], inode: int, pid: int | None) -> None:
    assert parse_holder((SAMPLES / "locks").read_bytes(), *device, inode) == pid


@pytest.mark.parametrize(
    ("content", "pid"),
    [
        (b"4711\n", 4711),
        (b"  4711  \n12\n", 4711),
        (b"", None),
        (b"\n", None),
        (b"-1\n", None),
        (b"0\n", None),
        (b"1e3", None),
        (b"99999999999999999999", None),
        ("٤٢".encode(), None),
        (b"\0" * 20, None),
    ],
)
def test_pid_files(content: bytes, pid: int | None) -> None:
    assert parse_pid(content) == pid

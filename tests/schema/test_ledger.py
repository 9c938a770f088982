"""The ledger: what compile wrote is what it reads, and what a merge broke is said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.net import PortRange
from pbxfleet.model.resolved import Allocation, Ledger
from pbxfleet.resolve.ledger_text import ledger_text
from pbxfleet.schema import read_ledger
from pbxfleet.source.load import load

FILE = "desired/ledger.toml"

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
ports = st.lists(st.integers(1, 65535), min_size=2, max_size=2)
allocations = st.builds(
    Allocation,
    host=names,
    addresses=st.lists(
        st.ip_addresses(network="203.0.113.0/24").map(str), max_size=2, unique=True
    ).map(tuple),
    cpu=st.none() | st.integers(0, 127),
    rtp=st.none() | ports.map(lambda p: str(PortRange(min(p), max(p)))),
    number=st.none() | st.integers(0, 999),
)


@given(st.dictionaries(names, allocations))
def test_what_compile_writes_is_read_back(written: dict[str, Allocation]) -> None:
    text = ledger_text(Ledger(written))
    read = read_ledger(load(FILE, text).value)
    assert read.diagnostics == ()
    assert read.value == Ledger(written)
    assert set(read.value.spans) == set(written)


def test_no_ledger_and_an_empty_one_hold_nothing() -> None:
    assert read_ledger(None).value == Ledger({})
    for text in (b"", b"# only a comment\n", b"format = 1\n"):
        assert read_ledger(load(FILE, text).value).value == Ledger({})


def test_what_a_person_or_a_merge_broke_is_said() -> None:
    text = b"""format = 1
[instances.acme]
addresses = ["203.0.113.10", "x"]
cpu = "2"
[instances.birch]
host = "fra1"
rtp = "9-1"
core = 3
"""
    read = read_ledger(load(FILE, text).value)
    assert read.value is None
    assert [(d.code, str(d.span), d.hint) for d in read.diagnostics] == [
        ("FMT105", f"{FILE}:2:12", 'for example host = "fra1"'),
        ("FMT116", f"{FILE}:3:31", "restore it from the last commit"),
        ("FMT107", f"{FILE}:4:7", "write 2 without quotes"),
        ("FMT117", f"{FILE}:7:7", 'write "1-9"'),
        ("FMT104", f"{FILE}:8:1", "known here: addresses, cpu, host, number, ports, rtp"),
    ]


def test_a_later_format_is_refused() -> None:
    read = read_ledger(load(FILE, b"format = 2\n").value)
    assert [d.code for d in read.errors] == ["FMT103"]

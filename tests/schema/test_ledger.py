"""The ledger: what compile wrote is what it reads, and what a merge broke is said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.resolved import Allocation, Ledger
from pbxfleet.resolve.ledger_text import ledger_text
from pbxfleet.schema import read_ledger, read_ledger_file
from pbxfleet.schema.ledger_lines import from_lines
from pbxfleet.source.load import load
from support.ledgers import ledgers

FILE = "desired/ledger.toml"


@given(ledgers())
def test_what_compile_writes_is_read_back(written: Ledger) -> None:
    text = ledger_text(written)
    for read in (read_ledger_file(FILE, text), read_ledger(load(FILE, text).value)):
        assert read.diagnostics == ()
        assert read.value == written
        assert set(read.value.spans) == {*written.allocations, *written.tombstones}


@given(ledgers())
def test_every_thing_has_the_place_of_its_line(written: Ledger) -> None:
    text = ledger_text(written)
    lines = text.decode().split("\n")
    read = read_ledger_file(FILE, text).value
    assert read is not None
    for (name, thing), span in read.lines.items():
        line = lines[span.line - 1]
        assert thing.text in line
        assert f'"{name}' in line


@given(ledgers(), st.data())
def test_the_fast_reader_says_what_the_full_one_says(written: Ledger, data: st.DataObject) -> None:
    """Whatever character is changed: either the full reader is asked, or both read the same."""
    text = ledger_text(written).decode()
    at = data.draw(st.integers(text.index("format"), len(text) - 1))
    new = data.draw(st.sampled_from(['"', "0", "a", " ", "[", "]", ".", "=", "-", "\n", "#", "é"]))
    changed = text[:at] + new + text[at + 1 :]
    fast = from_lines(FILE, changed)
    loaded = load(FILE, changed.encode())
    if fast is None or loaded.value is None:
        # Only one thing is read that is not TOML: a key, or a header, that is there twice.
        assert fast is None or {d.code for d in loaded.diagnostics} == {"SRC112"}
        return
    full = read_ledger(loaded.value)
    assert fast.value == full.value
    assert [d.code for d in fast.diagnostics] == [d.code for d in full.diagnostics]


def test_format_1_is_read() -> None:
    text = b"""format = 1
[instances.acme]
host = "fra1"
addresses = ["203.0.113.10", "2001:db8::1", "203.0.113.9"]
cpu = 2
rtp = "49152-50175"
ports = "8000-8009"
number = 7
"""
    read = read_ledger_file(FILE, text).value
    addresses = ("203.0.113.10", "203.0.113.9", "2001:db8::1")
    assert read is not None
    assert read.allocations == {
        "acme": Allocation("fra1", addresses, 2, "49152-50175", 7, "8000-8009")
    }
    assert read_ledger_file(FILE, ledger_text(read)).value == read


def test_two_lines_for_one_instance_are_refused() -> None:
    """As after a clean merge of two branches that each moved it."""
    text = b"""format = 2

[hosts.fra1.cores]
2 = "acme"
3 = "birch"
5 = "acme"

[hosts.fra2.addresses]
"203.0.113.9" = "birch"
"""
    for read in (read_ledger_file(FILE, text), read_ledger(load(FILE, text).value)):
        assert read.value is None
        assert [(d.code, d.span and d.span.line, d.related[0][0].line) for d in read.errors] == [
            ("ALC107", 6, 4),
            ("ALC107", 9, 5),
        ]


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
    read = read_ledger(load(FILE, b"format = 3\n").value)
    assert [d.code for d in read.errors] == ["FMT103"]
    assert read.errors[0].hint.startswith("write 2, or use the version")


def test_one_that_is_gone_was_where_its_things_are() -> None:
    lines = '[hosts.fra1.cores]\n3 = "birch"\n'
    for header in ("format = 2\n", "# by hand\nformat = 2\n"):
        text = f'{header}\n[tombstones]\nbirch = "ams1"\n\n{lines}'
        found = read_ledger_file("desired/ledger.toml", text.encode())
        assert [d.code for d in found.diagnostics] == ["ALC107"]
        same = text.replace("ams1", "fra1")
        assert read_ledger_file("desired/ledger.toml", same.encode()).diagnostics == ()

"""The ledger's file: canonical, read back as it was written, and honest when git merges it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.resolved import Allocation, Ledger
from pbxfleet.resolve import resolve
from pbxfleet.resolve.ledger_text import ledger_text
from pbxfleet.schema import read_ledger
from pbxfleet.source.load import load
from support.wishes import NO_LEDGER, fleet, host, instance, reference

FILE = "desired/ledger.toml"
ALLOCATIONS = st.builds(
    Allocation,
    host=st.sampled_from(["fra1", "ber-2"]),
    addresses=st.lists(
        st.sampled_from(["203.0.113.10", "203.0.113.11", "2001:db8::10"]), max_size=2, unique=True
    ).map(tuple),
    cpu=st.none() | st.integers(0, 63),
    rtp=st.sampled_from([None, "49152-50175"]),
    number=st.none() | st.integers(1, 99),
)
NAMES = st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,8}", fullmatch=True)
LEDGERS = st.dictionaries(NAMES, ALLOCATIONS, max_size=6).map(Ledger)


def read(content: bytes) -> Ledger:
    loaded = load(FILE, content)
    assert loaded.value is not None, loaded.diagnostics
    found = read_ledger(loaded.value)
    assert found.value is not None, found.diagnostics
    return found.value


@given(LEDGERS)
def test_what_is_written_is_read_back(ledger: Ledger) -> None:
    assert read(ledger_text(ledger)) == ledger


@given(LEDGERS)
def test_the_order_of_entries_does_not_show(ledger: Ledger) -> None:
    backwards = Ledger(dict(reversed(ledger.allocations.items())))
    assert ledger_text(backwards) == ledger_text(ledger)


def test_the_file_explains_itself() -> None:
    text = ledger_text(Ledger({"alpha": Allocation("fra1", ("203.0.113.10",), 2)})).decode()
    assert text.startswith("# What `auto` stands for")
    assert text.endswith(
        '\n\n[instances.alpha]\nhost = "fra1"\naddresses = ["203.0.113.10"]\ncpu = 2\n'
    )


BASE = ("birch", "elm")


def allocated(names: tuple[str, ...], ledger: Ledger) -> Ledger:
    desired = fleet(host(), *(instance(name, address="auto", cpu="auto") for name in names))
    return resolve(desired, reference(), ledger).ledger


def git(folder: Path, *words: str) -> int:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    argv = ("git", "-C", str(folder), *identity, *words)
    return subprocess.run(argv, capture_output=True, check=False, timeout=60).returncode


def merged(folder: Path, one: str, other: str) -> bytes | None:
    """Two branches of a fleet each add an instance; the merged ledger, None after a conflict."""
    file = folder / "ledger.toml"
    base = allocated(BASE, NO_LEDGER)
    assert git(folder, "init", "-q", "-b", "main") == 0
    file.write_bytes(ledger_text(base))
    assert git(folder, "add", "-A") == git(folder, "commit", "-qm", "base") == 0
    for branch, name in (("one", one), ("other", other)):
        assert git(folder, "checkout", "-q", "-b", branch, "main") == 0
        file.write_bytes(ledger_text(allocated((*BASE, name), base)))
        assert git(folder, "commit", "-qam", name) == 0
    return file.read_bytes() if git(folder, "merge", "-q", "one") == 0 else None


def test_neighbours_conflict(tmp_path: Path) -> None:
    assert merged(tmp_path, "cedar", "dogwood") is None


def test_a_clean_merge_that_shares_is_refused_by_name(tmp_path: Path) -> None:
    content = merged(tmp_path, "ash", "fir")
    assert content is not None
    ledger = read(content)
    assert set(ledger.allocations) == {*BASE, "ash", "fir"}
    names = (*BASE, "ash", "fir")
    desired = fleet(host(), *(instance(name, address="auto", cpu="auto") for name in names))
    found = resolve(desired, reference(), ledger).outcome.errors
    assert [one.code for one in found] == ["ALC104", "ALC104"]
    assert all("both ash and fir" in one.message for one in found)
    assert all(len(one.related) == 2 for one in found)


def test_following_the_hint_repairs_it(tmp_path: Path) -> None:
    content = merged(tmp_path, "ash", "fir")
    assert content is not None
    kept = {n: a for n, a in read(content).allocations.items() if n != "fir"}
    repaired = allocated((*BASE, "ash", "fir"), Ledger(kept))
    assert {n: repaired.allocations[n] for n in kept} == kept
    assert repaired.allocations["fir"] not in kept.values()

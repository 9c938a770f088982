"""Entries in the protocol of systemd's journal: long ones and ones with line ends, too."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.errors import HostError
from pbxfleet.host.journald import MOST_BYTES, encode_entry, send
from support.receivers import Journal, decode_entry

fields = st.dictionaries(
    st.text("ABCXYZ_", min_size=1, max_size=8), st.text(st.characters(exclude_categories=["Cs"]))
)


@given(fields)
def test_decoding_undoes_encoding(entry: dict[str, str]) -> None:
    assert decode_entry(encode_entry(entry)) == entry


@pytest.mark.parametrize("size", [10, 100_000, 700_000])
def test_every_size_arrives(tmp_path: Path, size: int) -> None:
    entry = {"MESSAGE": "first\nsecond", "PRIORITY": "4", "PBXFLEET_TEXT": "x" * size}
    with Journal(tmp_path / "socket") as journal:
        send(entry, journal.path)
        assert journal.entry() == entry


def test_a_value_beyond_a_megabyte_is_cut() -> None:
    assert len(decode_entry(encode_entry({"A": "x" * (MOST_BYTES + 1)}))["A"]) == MOST_BYTES


def test_a_machine_without_a_journal(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="No such file"):
        send({"MESSAGE": "x"}, str(tmp_path / "none"))

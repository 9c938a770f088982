"""What is remembered: records that are only written when they change, and a journal that survives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.host.base import Host
from pbxfleet.host.fake import FakeHost
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import FOLDER, JOURNAL, State, StateView
from pbxfleet.host.wrap import DryRunHost, FailingHost, Power, RecordingHost


@pytest.fixture(params=["local", "fake", "dry run"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    if request.param == "local":
        return LocalHost(str(tmp_path), "direct")
    return FakeHost() if request.param == "fake" else DryRunHost(FakeHost())


def test_records(host: Host) -> None:
    state = State(host)
    assert state.read_record("applied/acme") is None
    assert state.records("applied") == state.records() == ()
    assert state.write_record("applied/acme", b"1")
    assert state.write_record("applied/beta", b"2")
    assert state.write_record("release", b"3")
    assert not state.write_record("applied/acme", b"1")
    assert state.write_record("applied/acme", b"4")
    assert state.records("applied") == ("applied/acme", "applied/beta")
    assert state.records() == ("release",)
    assert StateView(host).read_record("applied/acme") == b"4"
    assert host.look(FOLDER).mode == 0o700
    state.remove_record("applied/beta")
    state.remove_record("applied/beta")
    assert state.records("applied") == ("applied/acme",)


@pytest.mark.parametrize("name", ["", "..", ".x", "a/../b", "/a", "a/", "a//b", "a\nb", "a/.b"])
def test_names_that_could_mean_another_place(name: str) -> None:
    state = State(FakeHost())
    with pytest.raises(ValueError, match="not a name"):
        state.write_record(name, b"")


def test_what_changes_nothing_touches_nothing() -> None:
    fake = FakeHost()
    state = State(fake)
    state.write_record("applied/acme", b"1")
    recording = RecordingHost(fake)
    state = State(recording)
    state.write_record("applied/acme", b"1")
    state.remove_record("none")
    state.close_journal()
    assert state.journal() == ()
    assert recording.effects == []


def test_the_journal(host: Host) -> None:
    state = State(host)
    assert state.journal() == ()
    for number in range(3):
        state.append_journal({"step": number, "what": "write", "umlaut": "\u00e4\n"})
    assert [entry["step"] for entry in State(host).journal()] == [0, 1, 2]
    assert State(host).journal()[0]["umlaut"] == "\u00e4\n"
    state.close_journal()
    assert state.journal() == ()
    state.append_journal({"step": 9})
    assert state.journal() == ({"step": 9},)


@given(
    entries=st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=8)), max_size=5),
    cut=st.integers(0, 60),
    more=st.dictionaries(st.text(max_size=5), st.integers()),
)
def test_a_line_that_was_cut_off_is_left_out_and_the_next_one_is_whole(
    entries: list[dict[str, str]], cut: int, more: dict[str, int]
) -> None:
    host = FakeHost()
    state = State(host)
    for entry in entries:
        state.append_journal(entry)
    content = host.read(JOURNAL) or b""
    kept = content[: max(0, len(content) - cut)]
    if content:
        host.write(JOURNAL, kept, 0o600, "")
    whole = kept.count(b"\n")
    state = State(host)
    seen = list(state.journal())
    # A line whose newline alone is missing may count: all of what it said is there.
    assert seen[:whole] == entries[:whole]
    assert len(seen) <= whole + 1
    state.append_journal(more)
    assert list(state.journal())[:whole] == entries[:whole]
    assert state.journal()[-1] == more


@given(n=st.integers(0, 12), after=st.booleans())
def test_after_a_power_cut_at_any_effect_the_next_run_remembers(n: int, after: bool) -> None:
    fake = FakeHost()
    failing = FailingHost(fake, n, after=after, error=Power())
    state = State(failing)
    try:
        for number in range(3):
            state.append_journal({"step": number})
            state.write_record("applied/acme", b"%d" % number)
        state.close_journal()
    except Power:
        assert failing.failed
    steps = [entry["step"] for entry in State(fake).journal()]
    record = State(fake).read_record("applied/acme")
    if not failing.failed:
        assert (steps, record) == ([], b"2")
    elif steps:  # announced before it is done: never is a record ahead of the journal
        assert steps == list(range(len(steps)))
        assert record in (None, b"%d" % steps[-1], b"%d" % (int(str(steps[-1])) - 1))
    state = State(fake)
    state.append_journal({"step": "again"})
    state.write_record("applied/acme", b"new")
    state.close_journal()
    assert (state.read_record("applied/acme"), state.journal()) == (b"new", ())

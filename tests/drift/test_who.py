"""Who made a difference: each rule names its author where it has evidence, and nobody where it has none."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pbxfleet.core.paths import HostPath
from pbxfleet.host.commands import Ran, Runner
from pbxfleet.host.endings import ending_of
from pbxfleet.host.owners import Owners
from pbxfleet.host.procdir import ProcDir
from pbxfleet.host.rooted import Root
from pbxfleet.host.traces import file_trace, process_trace
from pbxfleet.model.asking import Answer
from pbxfleet.model.drift import DriftItem
from pbxfleet.model.evidence import (
    NO_EVIDENCE,
    Earlier,
    Ending,
    Evidence,
    FileTrace,
    ProcessTrace,
)
from pbxfleet.model.runtime import setting_key, unproven_key
from pbxfleet.pbx.rest import changes_in, update_in
from pbxfleet.plan.who import RULES, attributed

UNIT = DriftItem("changed", "file:/etc/unit", "alpha", "content", "a", "b")
SETTING = DriftItem("changed", "settings:/srv/pbx.xml", "alpha", "sys_name", "A", "B")
LISTENER = DriftItem("runtime", "service:alpha", "alpha", "listener udp 0.0.0.0:69", None, "x")
SECOND = DriftItem("runtime", "service:alpha", "alpha", "processes", "1", "2 (1, 2)")
RELEASE = DriftItem("changed", "artefact:/srv/pbxctrl", "alpha", "release", "1", "2")
STOPPED = DriftItem("runtime", "service:alpha", "alpha", "running", "running", "stopped")
AT = "2026-01-01T00:00:00Z"
ENDED = Ending("exit-code", killed=False, status=3, at=AT)
KILLED = Ending("signal", killed=True, status=9, at=AT)
OLD = Earlier(7, version="1", now="2", same_inputs=True)
EDITED = FileTrace(0, "root (0)", AT, AT, "unit~")
ALICE = FileTrace(1000, "alice (1000)", "2026-01-01T00:00:00Z")

CASES: list[tuple[str, DriftItem, Evidence, str]] = [
    ("unfinished", UNIT, Evidence(frozenset({"file:/etc/unit"}), "a run"), "half-applied run"),
    ("unfinished elsewhere", UNIT, Evidence(frozenset({"file:/etc/other"}), "a run"), "unknown"),
    ("setting kept", SETTING, Evidence(unproven={"alpha": frozenset(
        {setting_key("sys_name", "B")})}), "pbx"),
    ("setting kept otherwise", SETTING, Evidence(unproven={"alpha": frozenset(
        {setting_key("sys_name", "C")})}), "unknown"),
    ("setting kept of another", SETTING, Evidence(unproven={"beta": frozenset(
        {setting_key("sys_name", "B")})}), "unknown"),
    ("listener kept", LISTENER, Evidence(unproven={"alpha": frozenset(
        {unproven_key(LISTENER.name, "x")})}), "pbx"),
    ("updated itself", RELEASE, Evidence(updated=frozenset({"alpha"})), "pbx"),
    ("another updated itself", RELEASE, Evidence(updated=frozenset({"beta"})), "unknown"),
    ("updated, and one file", UNIT, Evidence(updated=frozenset({"alpha"})), "unknown"),
    ("logged", SETTING, Evidence(logged={("alpha", "sys_name"): "log"}), "web administration"),
    ("another logged", SETTING, Evidence(logged={("alpha", "flag"): "log"}), "unknown"),
    ("logged, and a file", UNIT, Evidence(logged={("alpha", "content"): "log"}), "unknown"),
    ("of a login account", UNIT, Evidence(files={UNIT.resource: ALICE}), "person"),
    ("of a service account", UNIT, Evidence(files={UNIT.resource: ALICE},
                                            services=frozenset({1000})), "unknown"),
    ("of root", UNIT, Evidence(files={UNIT.resource: ALICE._replace(uid=0)}), "unknown"),
    ("of nobody", UNIT, Evidence(files={UNIT.resource: ALICE._replace(uid=65534)}), "unknown"),
    ("login session", SECOND, Evidence(processes={("alpha", "processes"): ProcessTrace(
        7, 1000, "alice (1000)", has_terminal=False)}), "person"),
    ("terminal", SECOND, Evidence(processes={("alpha", "processes"): ProcessTrace(
        7, None, "", has_terminal=True)}), "person"),
    ("an editor", UNIT, Evidence(files={UNIT.resource: EDITED}), "person"),
    ("an editor, and another mode", UNIT._replace(kind="mode"),
     Evidence(files={UNIT.resource: EDITED}), "unknown"),
    ("the other role", UNIT, Evidence(other_role=frozenset({UNIT.resource})), "failover event"),
    ("the other role, and a mode", UNIT._replace(name="mode"),
     Evidence(other_role=frozenset({UNIT.resource})), "unknown"),
    ("an older version", UNIT, Evidence(earlier={UNIT.resource: OLD}), "older pbxfleet"),
    ("the same version", UNIT, Evidence(earlier={UNIT.resource: OLD._replace(now="1")}), "unknown"),
    ("a version that did not say", UNIT,
     Evidence(earlier={UNIT.resource: OLD._replace(version="")}), "unknown"),
    ("an older declaration", UNIT,
     Evidence(earlier={UNIT.resource: OLD._replace(same_inputs=False)}), "unknown"),
    ("exited", STOPPED, Evidence(endings={"alpha": ENDED}), "pbx"),
    ("a fault", STOPPED, Evidence(endings={"alpha": KILLED._replace(status=11)}), "pbx"),
    ("killed", STOPPED, Evidence(endings={"alpha": KILLED}), "unknown"),
    ("stopped on request", STOPPED, Evidence(endings={"alpha": ENDED._replace(status=0)}), "unknown"),
    ("another exited", STOPPED, Evidence(endings={"beta": ENDED}), "unknown"),
    ("exited, and disabled", STOPPED._replace(name="enabled"),
     Evidence(endings={"alpha": ENDED}), "unknown"),
    ("neither", SECOND, Evidence(processes={("alpha", "processes"): ProcessTrace(
        7, None, "", has_terminal=False)}), "unknown"),
    ("nothing known", UNIT, NO_EVIDENCE, "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "known", "who"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_each_rule(item: DriftItem, known: Evidence, who: str) -> None:
    (found,) = attributed((item,), known)
    assert found.who == who
    assert found._replace(who="unknown", evidence="") == item
    if who != "unknown":
        assert found.evidence


def test_every_rule_has_a_case_and_stands_in_the_documentation() -> None:
    assert {rule.who for rule in RULES} == {case[3] for case in CASES} - {"unknown"}
    page = (Path(__file__).parents[2] / "docs/how-to/drift.md").read_text(encoding="utf-8")
    for rule in RULES:
        assert f"`{rule.who}`" in page
        assert rule.why in page


def log(*entries: object) -> Answer:
    return Answer(200, json.dumps(list(entries)).encode(), "")


ENTRY = {"time": 1_700_000_100, "admin": "jane", "ip": "198.51.100.7", "text": "sys_name: A -> B"}
LOGS: list[tuple[str, Callable[[dict[str, Any]], object], bool]] = [
    ("as it is", lambda e: e, True),
    ("a time as text", lambda e: {**e, "time": "1700000100"}, True),
    ("a time with a zone", lambda e: {**e, "time": "2023-11-14T22:15:00+00:00"}, True),
    ("other names of fields", lambda e: {"t": e["time"], "a": "jane", "x": e["text"]}, True),
    ("a time without a zone", lambda e: {**e, "time": "2023-11-14T22:15:00"}, False),
    ("before the last apply", lambda e: {**e, "time": 1_700_000_000}, False),
    ("no time", lambda e: {"text": e["text"]}, False),
    ("another setting", lambda e: {**e, "text": "my_sys_name: A -> B"}, False),
    ("part of a word", lambda e: {**e, "text": "sys_names"}, False),
    ("our own", lambda e: {**e, "admin": "pbxfleet"}, False),
    ("no object", lambda e: [e["time"], e["text"]], False),
]


@pytest.mark.parametrize(("change", "counts"), [c[1:] for c in LOGS], ids=[c[0] for c in LOGS])
def test_entries_of_the_changes_log(
    change: Callable[[dict[str, Any]], object], counts: bool
) -> None:
    found = changes_in(log(change(ENTRY)), {"sys_name"}, 1_700_000_050.0, "pbxfleet")
    assert bool(found) == counts
    wrapped = Answer(200, json.dumps({"total": 1, "rows": [change(ENTRY)]}).encode(), "")
    assert changes_in(wrapped, {"sys_name"}, 1_700_000_050.0, "pbxfleet") == found


def test_of_several_entries_the_last_one_is_told_and_nothing_secret() -> None:
    later = {**ENTRY, "time": 1_700_000_200, "admin": "joe", "text": "sys_name, pw_pass=geheim"}
    (found,) = changes_in(log(later, ENTRY), {"sys_name"}, 1_700_000_050.0, "us").values()
    assert found == (1_700_000_200, "joe", "198.51.100.7")
    for answer in (Answer(404, b"[]", ""), Answer(200, b"{", ""), Answer(0, b"", "no answer")):
        assert changes_in(answer, {"sys_name"}, 0.0, "us") == {}


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ({"finished": True, "success": True}, True),
        ({"finished": "true", "success": "true"}, True),
        ({"finished": 1, "success": 1}, True),
        ({"finished": True, "success": False}, False),
        ({"finished": False, "success": True}, False),
        ({}, False),
    ],
)
def test_an_update_of_its_own(told: dict[str, object], counts: bool) -> None:
    assert update_in(Answer(200, json.dumps(told).encode(), "")) == counts
    assert not update_in(Answer(404, json.dumps(told).encode(), ""))


@pytest.mark.parametrize(
    ("loginuid", "terminal", "expected"),
    [
        ("1000", "34816", (7, 1000, True)),
        ("4294967295", "0", (7, None, False)),
        (None, "0", (7, None, False)),
        ("nonsense", "34816", (7, None, True)),
    ],
)
def test_the_trace_of_a_process(
    tmp_path: Path, loginuid: str | None, terminal: str, expected: tuple[object, ...]
) -> None:
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "stat").write_text(f"7 (a ) b) S 1 7 7 {terminal} -1 0")
    if loginuid is not None:
        (folder / "loginuid").write_text(loginuid)
    trace = process_trace(ProcDir(str(tmp_path)), Owners(), 7)
    assert trace is not None
    assert (trace.pid, trace.login, trace.has_terminal) == expected
    assert process_trace(ProcDir(str(tmp_path)), Owners(), 8) is None


@pytest.mark.parametrize(
    ("item", "known", "said"),
    [
        (STOPPED, Evidence(endings={"alpha": KILLED}), "systemd says: killed by signal 9 at " + AT),
        (STOPPED, Evidence(endings={"alpha": Ending("success", killed=False, status=0, at=AT)}),
         "systemd says: stopped on request at " + AT),
        (UNIT, Evidence(earlier={UNIT.resource: OLD._replace(now="1")},
                        files={UNIT.resource: EDITED._replace(editor="")}),
         f"it is as generation 7 left it; the file was written {AT} and belongs to root (0)"),
        (UNIT._replace(kind="mode", name="mode"), Evidence(files={UNIT.resource: ALICE._replace(
            uid=0, account="root (0)", changed="2026-01-02T00:00:00Z")}),
         "something about the file was changed 2026-01-02T00:00:00Z; it belongs to root (0)"),
    ],
)  # fmt: skip
def test_circumstances_are_told_where_nobody_can_be_named(
    item: DriftItem, known: Evidence, said: str
) -> None:
    (found,) = attributed((item,), known)
    assert (found.who, found.evidence) == ("unknown", said)


SHOWN = "ActiveState={}\nSubState={}\nResult={}\nExecMainCode={}\nExecMainStatus={}\n" + (
    "ExecMainExitTimestamp={}\n"
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (("inactive", "dead", "success", 2, 15, "@1767225600"), ("success", False, 0)),
        (("inactive", "dead", "success", 1, 143, "@1767225600"), ("success", False, 0)),
        (("activating", "auto-restart", "signal", 2, 9, "@1767225600"), ("signal", True, 9)),
        (("failed", "failed", "core-dump", 3, 11, "@1767225600"), ("core-dump", True, 11)),
        (("failed", "failed", "exit-code", 1, 3, "@1767225600"), ("exit-code", False, 3)),
        (("active", "running", "success", 0, 0, ""), None),
        (("inactive", "dead", "success", 0, 0, ""), None),
        (("failed", "failed", "exit-code", 1, 3, "Thu 2026-01-01 00:00:00 UTC"), None),
    ],
)
def test_what_systemd_says_of_an_end(answer: tuple[object, ...], expected: object) -> None:
    class Systemctl(Runner):
        def run(self, argv: tuple[str, ...], timeout_s: float = 60, given: bytes = b"") -> Ran:
            assert argv[-1] == "pbx-alpha.service"
            return Ran(argv, 0, SHOWN.format(*answer), "")

    found = ending_of(Systemctl(), "pbx-alpha")
    assert (None if found is None else found[:3]) == expected
    assert found is None or found.at == AT


@pytest.mark.parametrize(
    ("left", "age_s", "named"),
    [
        ("pbx.xml~", 1, "pbx.xml~"),
        (".pbx.xml.swp", 1, ".pbx.xml.swp"),
        ("pbx.xml~", 60, ""),
        ("pbx.xml.orig", 1, ""),
    ],
)
def test_what_editors_leave_beside_a_file(
    tmp_path: Path, left: str, age_s: int, named: str
) -> None:
    (tmp_path / "pbx.xml").write_text("x", encoding="utf-8")
    (tmp_path / left).write_text("before", encoding="utf-8")
    at = time.time() - age_s
    os.utime(tmp_path / "pbx.xml", (at, at))
    trace = file_trace(Root(str(tmp_path)), Owners(), HostPath("/pbx.xml"))
    assert trace is not None and trace.editor == named

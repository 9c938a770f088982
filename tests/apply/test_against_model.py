"""Months of one pbx.xml in seconds: the PBX, people, and apply at work on it, against a model.

The model holds the file as lines, what is declared and what was applied as dictionaries, and the table of
DESIGN section 5 written out once more. Nothing of it uses the program's own reader, editor or planner.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pbxfleet.core.paths import HostPath
from pbxfleet.host.fake import FakeHost
from pbxfleet.host.wrap import FailingHost, Power, RecordingHost
from pbxfleet.model.applied import element_digest
from pbxfleet.model.observed import What
from pbxfleet.model.plan import Plan
from pbxfleet.model.runtime import setting_key
from pbxfleet.model.target import InstanceTarget, Kind
from support.line_file import LineFile
from support.machine import Look, Machine, apply_to
from support.targets import REFERENCE, Fleet, Seeded, Wish, fleet

PATH = HostPath("/srv/pbx-alpha/pbx.xml")
EXECUTABLE = "/srv/pbx-alpha/pbxctrl"
NAMES = ("flag", "limit", "mode", "note", "extra")
BASE = ("ip_http_port", "sip_udp_ports", "sys_name", "old_switch", "log_length")
ALL_VALUES = ("a", "b", "", "é & <", "true", "false", "5000", "True", "False", "1000", "old", None)
VALUES = st.sampled_from(["a", "b", "", "é & <", "true", "false", "5000"])
Wanted: TypeAlias = str | Seeded | None  # None is `unset`

STRANGE = (
    "<?xml version='1.0' encoding=\"{encoding}\"?>{eol}<!-- theirs -->{eol}<pbx  a='1'>{eol}"
    '{eol}  <licence\tkind = "x"  >&#65;<![CDATA[<b>]]>C</licence >{eol}\t<mode>old</mode>{eol}'
    '  <!-- <mode>no</mode> -->{eol}<pw_pass encrypted="true">98a8</pw_pass>{eol}'
    "  <flag/>{eol}     <tail> kept </tail>   {eol}<?keep it?>{eol}</pbx>{eol}<!-- end -->{eol}"
)


def strange(encoding: str, eol: str) -> LineFile:
    """A file that was there before us, in one of several dialects."""
    declared = "utf-16" if encoding == "utf-16" else "utf-8"
    text = STRANGE.format(encoding=declared, eol=eol)
    return LineFile(re.findall(r"[^\n]*\n", text), encoding)


@dataclass(frozen=True)
class Habits:
    """What this PBX does with its file."""

    at_exit: bool  # writes what it has in memory when it ends
    spells: bool  # `flag` is written as True and False, at the start
    clamps: bool  # `limit` is at most 1000, at the start
    drops: bool  # `extra` is unknown to it, at the start


def expected_status(
    wanted: Wanted, observed: str | None, applied: object, *, adopted: bool
) -> str | None:
    """The table of DESIGN section 5 for one element; `applied` is ... where it is not known."""
    if isinstance(wanted, Seeded):
        was_there = observed is not None or applied is not ...
        return None if was_there else "pending"
    if observed == wanted:
        return None
    if applied is ... or isinstance(applied, Seeded):
        return "adopt" if observed is not None and not adopted else "pending"
    if observed == applied:
        return "pending"
    return "drift" if wanted == applied else "conflict"


class Months(RuleBasedStateMachine):
    """One instance; `file`, `memory`, `declared` and `applied` are the model's, `machine` is the host."""

    @initialize(
        old=st.none() | st.tuples(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
                                  st.sampled_from(["\n", "\r\n"])),
        habits=st.builds(Habits, st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    )  # fmt: skip
    def begin(self, old: tuple[str, str] | None, habits: Habits) -> None:
        self.habits = habits
        self.machine = Machine()
        self.machine.on_start = self.starts(self.machine.on_start)
        self.machine.on_stop = lambda host, instance: self.ends()
        self.file = strange(*old) if old else LineFile.read(REFERENCE, "utf-8")
        self.is_new = old is None
        if old:
            self.machine.make_directory(HostPath("/srv/pbx-alpha"), 0o755, "root:root")
            self.put()
        self.memory: LineFile | None = None
        self.declared: dict[str, Wanted] = {}
        self.applied: dict[str, Wanted] | None = None
        self.refused: dict[str, str | None] = {}
        self.given: set[str] = set()  # elements of the file that the process was started with

    # the application

    def starts(self, begin: object) -> object:
        def start(host: FakeHost, instance: InstanceTarget) -> None:
            begin(host, instance)  # type: ignore[operator]
            if not self.machine.runs("/srv/pbx-alpha"):
                return
            self.memory = self.seen()
            before = list(self.memory.lines)
            values = self.memory.values()
            self.given = set(values)
            if self.habits.spells and values.get("flag") in ("true", "false"):
                self.memory.set("flag", values["flag"].capitalize())
            if self.habits.clamps and values.get("limit") == "5000":
                self.memory.set("limit", "1000")
            if self.habits.drops:
                self.memory.set("extra", None)
            if self.memory.lines != before:
                self.pbx_writes()

        return start

    def ends(self) -> None:
        if self.habits.at_exit:
            self.pbx_writes()
        self.memory = None

    def pbx_writes(self) -> None:
        assert self.memory is not None
        self.file = self.memory.copy()
        self.put()

    def put(self) -> None:
        self.machine._ours = False
        self.machine.write(PATH, self.file.bytes(), None, "pbx:pbx")
        self.machine._ours = True

    def seen(self) -> LineFile:
        return LineFile.read(self.machine.read(PATH) or b"", self.file.encoding)

    @property
    def has_file(self) -> bool:
        return self.machine.look(PATH).what is What.FILE

    @property
    def runs(self) -> bool:
        return bool(self.machine.runs("/srv/pbx-alpha"))

    @rule(name=st.sampled_from(NAMES), value=VALUES | st.none())
    def application_changes(self, name: str, value: str | None) -> None:
        if self.memory is None:
            return
        self.memory.set(name, value)
        self.pbx_writes()

    @rule(turn=st.booleans())
    def application_adds_and_turns(self, turn: bool) -> None:
        if self.memory is None:
            return
        inner = [i for i, line in enumerate(self.memory.lines) if LineFile.name_in(line)]
        if turn and len(inner) > 1:
            first, last = inner[0], inner[-1]
            self.memory.lines.insert(last, self.memory.lines.pop(first))
        else:
            self.memory.add(f"  <seen n='{len(inner)}' />{self.memory.line_end}")
        self.pbx_writes()

    # people

    @rule(name=st.sampled_from(NAMES), value=VALUES | st.none())
    def somebody_edits(self, name: str, value: str | None) -> None:
        if self.has_file:
            self.file.set(name, value)
            self.put()

    @rule(text=st.sampled_from(["  <!-- mine -->", "<theirs\ta='1'> x </theirs>", "   "]))
    def somebody_adds_a_line(self, text: str) -> None:
        if self.has_file:
            self.file.add(text + self.file.line_end)
            self.put()

    @rule(orderly=st.booleans())
    def it_ends(self, orderly: bool) -> None:
        if self.runs and orderly:
            self.ends()
        self.memory = None
        self.machine.kill(EXECUTABLE)

    @rule()
    def it_is_started(self) -> None:
        if self.applied is not None and not self.runs:
            self.machine.run(self.fleet.target.instances["alpha"])

    # the repository

    @rule(name=st.sampled_from(NAMES), wanted=VALUES | st.none() | VALUES.map(Seeded))
    def declare(self, name: str, wanted: Wanted) -> None:
        self.declared[name] = wanted

    @rule(name=st.sampled_from(NAMES))
    def release(self, name: str) -> None:
        self.declared.pop(name, None)

    @property
    def fleet(self) -> Fleet:
        return fleet(Wish("alpha", settings=self.declared))

    @rule()
    def apply(self) -> None:
        plan = self.plan()
        stopped = [step.do for step in plan.steps if step.do == "stop"]
        if stopped and self.habits.at_exit and self.memory is not None:
            self.file = (
                self.memory.copy()
            )  # what only people wrote meanwhile is gone: the PBX's doing
        before, target = self.file.copy(), self.fleet
        touched = any(c.kind is Kind.SETTINGS for c in plan.changes) or bool(stopped)
        was_new = self.machine.look(PATH).what is What.ABSENT
        report = apply_to(target, self.machine, plan)
        assert not report.failure, report.failure
        self.check_merge(before, touched=touched, was_new=was_new)
        self.remember(started=any(step.do == "start" for step in plan.steps))
        again = RecordingHost(self.machine)
        assert Look(target, again).plan.is_empty, Look(target, again).plan
        apply_to(target, again)
        assert again.effects == []

    @rule(effect=st.integers(0, 40), after=st.booleans(), power=st.booleans())
    def apply_is_cut_off(self, effect: int, after: bool, power: bool) -> None:
        before, target = self.file.copy(), self.fleet
        memory = self.memory
        failing = FailingHost(self.machine, effect, after=after, error=Power())
        was_new = self.machine.look(PATH).what is What.ABSENT
        with suppress(Power):
            apply_to(target, failing)
        if power:
            self.machine.processes.clear()
            self.memory = None
        if self.machine.look(PATH).what is What.FILE:
            self.check_cut_off(before, memory, was_new=was_new)
        self.applied, self.refused = self.on_host()

    # what must hold

    def plan(self) -> Plan:
        """The plan, which must say of every element what the table says."""
        look = Look(self.fleet, self.machine)
        assert not look.plan.blocked, look.plan.blocked
        if self.machine.look(PATH).what is What.ABSENT:
            return look.plan
        found = {
            field.name: str(field.status)
            for change in look.plan.changes
            if change.kind is Kind.SETTINGS
            for field in change.fields
            if field.name in NAMES
        }
        assert found == self.expected(), (found, self.expected())
        said = {n.message.partition(":")[0] for n in look.plan.notes if n.code == "PLN120"}
        assert said & set(NAMES) == self.stuck(), (said, self.stuck())
        return look.plan

    def expected(self) -> dict[str, str]:
        statuses = self.statuses()
        return {n: s for n, s in statuses.items() if s is not None and n not in self.stuck()}

    def statuses(self) -> dict[str, str | None]:
        values = self.file.values()
        return {
            name: expected_status(
                wanted,
                spelled_as(wanted, values.get(name)),
                ... if self.applied is None else self.applied.get(name, ...),
                adopted=self.applied is not None,
            )
            for name, wanted in self.declared.items()
        }

    def stuck(self) -> set[str]:
        """What the last start did not take, still declared like that, and still as it was then."""
        values, statuses = self.file.values(), self.statuses()
        return {
            name
            for name, value in self.refused.items()
            if name in self.declared and values.get(name) == value
            and (statuses[name] == "drift"
                 or (isinstance(self.declared[name], Seeded) and value is None))
        }  # fmt: skip

    def check_merge(self, before: LineFile, *, touched: bool, was_new: bool) -> None:
        after = self.seen()
        names = (*NAMES, *BASE)
        if not was_new:
            assert after.others(names) == before.others(names), "a foreign line was changed"
        values, old = after.values(), before.values()
        for name in NAMES:
            if name not in self.declared:
                kept = None if was_new else old.get(name)
                assert self.as_pbx(name, kept) == values.get(name) or kept == values.get(name)
                continue
            wanted = self.declared[name]
            if isinstance(wanted, Seeded):
                first = old.get(name) if not was_new else None
                given = self.applied is not None and name in self.applied
                value = first if first is not None or given else wanted.value
            else:
                value = wanted
            assert (
                values.get(name) in (value, self.as_pbx(name, value))
                or (name in self.stuck() and not touched)
                or spelled_as(wanted, values.get(name)) == value
            ), (name, value, values.get(name))

    def check_cut_off(self, before: LineFile, memory: LineFile | None, *, was_new: bool) -> None:
        """At any moment the file is one of few: foreign lines whole, each element old or declared."""
        after = self.seen()
        names = (*NAMES, *BASE)
        sources = [before, *([memory] if memory is not None else [])]
        if not was_new:
            assert after.others(names) in [source.others(names) for source in sources]
        for name in NAMES:
            wanted = self.declared.get(name)
            given = wanted.value if isinstance(wanted, Seeded) else wanted
            allowed = {source.values().get(name) for source in sources} | {given}
            allowed |= {self.as_pbx(name, value) for value in allowed}
            assert after.values().get(name) in allowed
        self.file = after
        if self.memory is not None:
            self.memory = after.copy() if self.runs else None

    def as_pbx(self, name: str, value: str | None) -> str | None:
        """What the PBX makes of a value at its start."""
        if self.habits.drops and name == "extra":
            return None
        if self.habits.clamps and name == "limit" and value == "5000":
            return "1000"
        if self.habits.spells and name == "flag" and value in ("true", "false"):
            return value.capitalize()
        return value

    def remember(self, *, started: bool) -> None:
        self.file = self.seen()
        self.applied = dict(self.declared)
        values = self.file.values()
        if started:
            self.refused = {
                name: values.get(name)
                for name, wanted in self.declared.items()
                if (isinstance(wanted, Seeded) and name in self.given - values.keys())
                or (
                    not isinstance(wanted, Seeded)
                    and spelled_as(wanted, values.get(name)) != wanted
                )
            }
        assert (self.applied, self.refused) == self.on_host()

    def on_host(self) -> tuple[dict[str, Wanted] | None, dict[str, str | None]]:
        """What the host remembers, with digests turned back into the few values there are."""
        record = Look(self.fleet, self.machine).records.get("alpha")
        if record is None:
            return None, {}
        known = {element_digest(value): value for value in ALL_VALUES}
        fields = record.resources[f"settings:{PATH}"].fields
        applied: dict[str, Wanted] = {
            name: self.declared[name] if digest == "seeded" and isinstance(self.declared.get(name), Seeded)
            else Seeded("") if digest == "seeded" else known[digest]
            for name, digest in fields.items()
            if name in NAMES
        }  # fmt: skip
        refused = {
            name: value
            for name in NAMES
            for value in ALL_VALUES
            if setting_key(name, value) in record.proof.unproven
        }
        return applied, refused

    @invariant()
    def the_file_is_the_models(self) -> None:
        if getattr(self, "machine", None) is None or self.machine.look(PATH).what is What.ABSENT:
            return
        assert self.machine.read(PATH) == self.file.bytes() or not self.file.lines
        assert self.machine.accidents == []


def spelled_as(wanted: Wanted, observed: str | None) -> str | None:
    """`observed` in the declaration's spelling, if it is one of it: only the truth has two here."""
    if isinstance(wanted, str) and observed is not None and wanted in ("true", "false"):
        return wanted if observed.lower() == wanted else observed
    return observed


TestMonths = Months.TestCase
TestMonths.settings = settings(
    max_examples=100, stateful_step_count=30, phases=[Phase.generate], report_multiple_bugs=False
)

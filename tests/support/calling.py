"""A fake host whose instances have calls, a clock that waiting moves on, and a whole apply on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple, cast

from pbxfleet.app.apply import _needs
from pbxfleet.app.gate import HostGate
from pbxfleet.app.live import Live, _closed
from pbxfleet.host.base import Host
from pbxfleet.host.fake import FakeHost
from pbxfleet.model.asking import NO_ANSWER, Answer, Question
from pbxfleet.model.maintenance import NO_DRAIN, Drain, Maintenance
from pbxfleet.model.plan import ApplyReport, Plan
from pbxfleet.model.target import ExpectedListener, Impact, InstanceTarget, Login
from pbxfleet.observe.observe import observe
from pbxfleet.plan.diff import diff
from pbxfleet.plan.make import make_plan
from pbxfleet.plan.waiting import split, with_waits
from support.machine import Machine, apply_to, records_on
from support.targets import Fleet, Wish, fleet


class Stopped(NamedTuple):
    """An instance that was stopped: when, in seconds since 1970, and how many calls that cut."""

    name: str
    at_s: float
    calls: int | None


class Busy(Machine):
    """Calls are given as `(from second, number)`; None: the PBX does not tell. Second 0 is `epoch`.

    `told` are settings that every process tells, and takes.
    """

    def __init__(self, epoch: float = 0.0) -> None:
        super().__init__("systemd")
        self.epoch = epoch
        self.calls: dict[str, list[tuple[float, int | None]]] = {}
        self.told: dict[str, str] = {}
        self.stops: list[Stopped] = []
        self.answers = _answer
        self.configures = _configure

    def clock(self) -> float:
        """Seconds since 1970: waiting makes it later."""
        return self.epoch + self.paused_s

    def calls_now(self, name: str) -> int | None:
        """How many calls an instance has."""
        number: int | None = 0
        for since, calls in self.calls.get(name, []):
            if self.paused_s >= since:
                number = calls
        return number

    def stop(self, instance: InstanceTarget, timeout_s: int) -> None:
        self.stops.append(Stopped(instance.name, self.clock(), self.calls_now(instance.name)))
        super().stop(instance, timeout_s)


def _answer(
    host: FakeHost, instance: InstanceTarget, question: Question, _: ExpectedListener
) -> Answer:
    if question is Question.CONFIG and isinstance(host, Busy):
        return Answer(200, json.dumps(host.told).encode(), "")
    if question is not Question.STATUS or not isinstance(host, Busy):
        return Answer(200, b"", "")
    number = host.calls_now(instance.name)
    if instance.api is None or number is None:
        return Answer(0, b"", "no [api]" if instance.api is None else NO_ANSWER)
    return Answer(200, json.dumps({"calls": number}).encode(), "")


def _configure(host: FakeHost, _: InstanceTarget, values: Mapping[str, str]) -> Answer:
    assert isinstance(host, Busy)
    host.told.update(values)
    return Answer(200, b"true", "")


def asked(
    *wishes: Wish, maintenance: Maintenance | None = None, without_login: tuple[str, ...] = ()
) -> Fleet:
    """A fleet whose instances can be asked for their calls, but for those `without_login`.

    The setting syslog_prefix changes live.
    """
    made = fleet(*wishes, services="systemd")
    for name, fields in made.contents.settings.items():
        made.contents.settings[name] = tuple(
            f._replace(impact=Impact.LIVE) if f.name == "syslog_prefix" else f for f in fields
        )
    instances: dict[str, InstanceTarget] = {}
    for name, instance in made.target.instances.items():
        listeners = tuple(
            x._replace(role="http") if x.protocol == "tcp" else x for x in instance.listeners
        )
        login = None if name in without_login else Login("admin", instance.directory)
        instances[name] = instance._replace(listeners=listeners, api=login)
    target = made.target._replace(instances=instances)
    if maintenance is not None:
        target = target._replace(maintenance=maintenance)
    return made._replace(target=target)


def live_of(wanted: Fleet, machine: Busy, drain: Drain = NO_DRAIN, outside: str = "") -> Live:
    """What commands work with; there is no repository and no disk."""
    parts: Mapping[str, Any] = {"tree": wanted.contents, "machine": machine, "state": None}
    return Live(
        target=wanted.target,
        records=records_on(machine),
        root="/",
        clock=machine.clock,
        drain=drain,
        outside_window=outside,
        **cast("Any", parts),
    )


def plan_on(live: Live) -> Plan:
    """The plan as `app.live.look` makes it, with what waits for a window."""
    fields = live.tree.fields
    observed = observe(live.machine, live.target, live.records, fields)
    difference = diff(live.target, observed, live.records, fields)
    difference, waits = split(
        difference, partial(_closed, live), live.target, observed, live.records
    )
    return with_waits(make_plan(live.target, observed, live.records, difference, "/"), waits)


def applied_on(
    wanted: Fleet,
    machine: Busy,
    drain: Drain = NO_DRAIN,
    outside: str = "",
    host: Host | None = None,
) -> tuple[Plan, ApplyReport]:
    """Plan and apply, asking the gate that the program asks."""
    live = live_of(wanted, machine, drain, outside)
    plan = plan_on(live)
    gate = HostGate(live, _needs(live, plan), lambda _: None)
    return plan, apply_to(wanted, host or machine, plan, gate=gate)

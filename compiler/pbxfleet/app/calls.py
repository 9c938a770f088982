"""The calls that a plan would end, asked only of the instances that it would stop."""

from __future__ import annotations

from pbxfleet.app.live import Live
from pbxfleet.model.plan import Do, Plan
from pbxfleet.model.target import InstanceTarget
from pbxfleet.observe.calls import calls_on


def with_calls(live: Live, plan: Plan) -> Plan:
    """The plan with the number of calls on each instance that it stops."""
    if plan.blocked or not live.machine.runs_services:
        return plan
    stopped = dict.fromkeys(s.wave for s in plan.steps if s.do is Do.STOP)
    asked = [as_it_runs(live, name) for name in stopped]
    return plan._replace(calls=calls_on(live.machine, [i for i in asked if i is not None]))


def as_it_runs(live: Live, name: str) -> InstanceTarget | None:
    """The instance as it can be asked now: it still listens where it was applied to listen.

    The login is the declared one, which says who may ask, not what the instance does.
    """
    record = live.records.get(name)
    applied = record.declared if record is not None else None
    declared = live.target.instances.get(name)
    if applied is None or declared is None:
        return declared or applied
    listeners = dict.fromkeys((*applied.listeners, *declared.listeners))
    return applied._replace(listeners=tuple(listeners), api=declared.api or applied.api)

"""After a start: look until the instance runs as declared, or the time is over."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pbxfleet.apply.probes import must_stay, probe_after_start
from pbxfleet.apply.readback import Unproven, read_back
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import join
from pbxfleet.host.base import Host
from pbxfleet.model.observed import RuntimeSeen
from pbxfleet.model.runtime import (
    LISTENER,
    declared_facts,
    differences,
    observed_facts,
    unproven_key,
)
from pbxfleet.model.target import Field, InstanceTarget
from pbxfleet.pbx.layout import PBX_XML

PROBE_INTERVAL_S = 0.1
APPEAR_S = 2.0  # a service manager has said that it started something; until then it is to be seen


def prove(
    host: Host,
    instance: InstanceTarget,
    fields: Sequence[Field],
    timeout_s: float,
    started_with: bytes = b"",
) -> tuple[Unproven, ...]:
    """Wait until every declared listener is held and answers; HostError if the process ends, if one
    stays missing, or if a probe that must succeed does not.

    Returns what another restart would not mend: sockets beyond the declared ones, another core,
    elements that the PBX has not accepted, probes that may fail. `started_with` is the pbx.xml that the
    process was given.
    """
    declared = declared_facts(instance)
    listeners = {name for name in declared if name.startswith(LISTENER)}
    runtime = wait_for(host, instance, listeners, timeout_s)
    observed = observed_facts(instance, runtime)
    names = differences(declared, observed, sockets_known=not runtime.unreadable)
    found = [
        Unproven(
            unproven_key(name, observed.get(name)), f"{name}: {_both(observed, declared, name)}"
        )
        for name in names
    ]
    path = join(instance.directory, PBX_XML)
    if not runtime.unreadable:  # else nobody knows whose sockets would be asked
        found += probe_after_start(host, instance, timeout_s)
        must_stay(host, instance, runtime)
    return (*found, *read_back(host, path, fields, started_with))


def wait_for(
    host: Host, instance: InstanceTarget, listeners: Collection[str], timeout_s: float
) -> RuntimeSeen:
    """Look until the instance holds all these listeners; HostError if it ends or does not come to it.

    Where sockets cannot be read, a process is all that can be waited for.
    """
    missing: list[str] = []
    appeared = False
    for attempt in range(1 + int(timeout_s / PROBE_INTERVAL_S)):
        runtime = host.runtime([instance]).get(instance.name, RuntimeSeen((), ""))
        if runtime.trees:
            appeared = True
            missing = sorted(set(listeners) - observed_facts(instance, runtime).keys())
            if not missing or runtime.unreadable:
                return runtime
        elif appeared:
            raise HostError(instance.service, "the process ended right after it was started")
        elif attempt * PROBE_INTERVAL_S >= APPEAR_S:
            raise HostError(instance.service, "no process of it was found after the start")
        host.pause(PROBE_INTERVAL_S)
    raise HostError(instance.service, "runs, but does not hold " + ", ".join(missing))


def _both(observed: dict[str, str], declared: dict[str, str], name: str) -> str:
    return f"is {_shown(observed.get(name))}, declared {_shown(declared.get(name))}"


def _shown(value: str | None) -> str:
    return "absent" if value is None else value

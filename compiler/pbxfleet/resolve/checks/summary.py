"""From a resolved host to the small records that fleet-wide checks look at."""

from __future__ import annotations

from pbxfleet.model.resolved import Failover, ResolvedHost, ResolvedInstance
from pbxfleet.model.summary import HalfSummary, HostSummary, InstanceSummary, Said

SYSTEM_NAME = "sys_name"


def summarise(host: ResolvedHost) -> HostSummary:
    """What the rest of the fleet must know of this host; depends on nothing but the host."""
    return HostSummary(host.name, host.file.span, tuple(map(_instance, host.instances)))


def _instance(instance: ResolvedInstance) -> InstanceSummary:
    return InstanceSummary(
        name=instance.name,
        span=instance.span,
        release=instance.release.name,
        addresses=tuple(Said(str(a.value), a.origin) for a in instance.addresses),
        tenants=tuple(Said(t.value, t.origin) for t in instance.tenants),
        system_name=_text(instance, SYSTEM_NAME),
        failover=None if instance.failover is None else _half(instance.failover),
    )


def _half(failover: Failover) -> HalfSummary:
    return HalfSummary(
        role=failover.role.value,
        peer=failover.peer,
        origin=failover.origin,
        role_origin=failover.role_origin or failover.origin,
    )


def _text(instance: ResolvedInstance, name: str) -> Said | None:
    """The declared text of an element; None if it is empty, removed or a secret."""
    for setting in instance.settings:
        if setting.name == name and isinstance(setting.value, str) and setting.value:
            return Said(setting.value, setting.origin)
    return None

"""From a resolved host to the small records that fleet-wide checks look at."""

from __future__ import annotations

from pbxfleet.core.digest import digest_of
from pbxfleet.model.desired import SecretRef, Sourced
from pbxfleet.model.resolved import Failover, ResolvedHost, ResolvedInstance
from pbxfleet.model.summary import HalfSummary, HostSummary, InstanceSummary, Said
from pbxfleet.resolve.checks.ignoring import rules_of
from pbxfleet.resolve.checks.web import web_ends

SYSTEM_NAME = "sys_name"
LICENCE = "activation_key"
SYSLOG_PREFIX = "syslog_prefix"


def summarise(host: ResolvedHost) -> HostSummary:
    """What the rest of the fleet must know of this host; depends on nothing but the host."""
    instances = tuple(map(_instance, host.instances))
    return HostSummary(host.name, host.file.span, instances, tuple(rules_of(host)))


def _instance(instance: ResolvedInstance) -> InstanceSummary:
    return InstanceSummary(
        name=instance.name,
        span=instance.span,
        release=instance.release.name,
        release_origin=instance.release_origin,
        addresses=tuple(Said(str(a.value), a.origin) for a in instance.addresses),
        tenants=tuple(Said(t.value, t.origin) for t in instance.tenants),
        system_name=_text(instance, SYSTEM_NAME),
        failover=None if instance.failover is None else _half(instance, instance.failover),
        syslog_prefix=_text(instance, SYSLOG_PREFIX),
        licence=_licence(instance),
        management_dns=_said(instance.management_dns),
    )


def _half(instance: ResolvedInstance, failover: Failover) -> HalfSummary:
    declared, place = failover.peer_url, failover.url_origin
    return HalfSummary(
        role=failover.role.value,
        peer=failover.peer,
        origin=failover.origin,
        role_origin=failover.role_origin or failover.origin,
        web=tuple((end.scheme, str(end.address), end.port) for end in web_ends(instance)),
        peer_url=None if place is None else Said(declared, place),
        validation_url=_said(failover.validation_url),
        action_url=_said(failover.action_url),
        licence=_licence(instance),
    )


def _said(value: Sourced[str] | None) -> Said | None:
    return None if value is None else Said(value.value, value.origin)


def _licence(instance: ResolvedInstance) -> Said | None:
    """The secret that the activation key is, or a digest of a key that is written out."""
    for setting in instance.settings:
        if setting.name != LICENCE or not setting.value:
            continue
        if isinstance(setting.value, SecretRef):
            return Said(f"secret {setting.value.name}", setting.origin)
        return Said(digest_of(setting.value.encode()), setting.origin)
    return None


def _text(instance: ResolvedInstance, name: str) -> Said | None:
    """The declared text of an element; None if it is empty, removed or a secret."""
    for setting in instance.settings:
        if setting.name == name and isinstance(setting.value, str) and setting.value:
            return Said(setting.value, setting.origin)
    return None

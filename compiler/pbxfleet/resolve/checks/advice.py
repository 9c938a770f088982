"""Advice: things that work, but that an operator wants to know before the customers do."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Role
from pbxfleet.model.resolved import Listener, Resolved, ResolvedHost, ResolvedInstance
from pbxfleet.resolve.problems import Problems

STANDARD_PORTS = {Role.HTTP.value: 80, Role.HTTPS.value: 443}
SYSTEM_NAME = "sys_name"

# A new instance has this tenant, which answers for every name (https://doc.vodia.com/docs/domain-overview).
EVERY_INSTANCE_HAS = "localhost"

Use = tuple[ResolvedInstance, Span]


def check_host(host: ResolvedHost) -> Iterator[Diagnostic]:
    """ADV102 web ports that are not the standard ones, ADV103 TFTP that is on."""
    problems = Problems()
    for instance in host.instances:
        for listener in _off_standard(instance):
            problems.share(_web_port(listener), instance.name, instance.span)
        for listener in instance.listeners:
            if listener.role == Role.TFTP:
                problems.share(_tftp(listener.origin), instance.name, instance.span)
    yield from problems.diagnostics()


def check_fleet(resolved: Resolved) -> Iterator[Diagnostic]:
    """ADV104 (a warning) a tenant in two instances, ADV105 (a warning) one system name twice.

    The halves of a failover pair hold the same tenants and name, and are not reported.
    """
    tenants: dict[str, list[Use]] = {}
    names: dict[str, list[Use]] = {}
    for instance in (i for host in resolved.hosts for i in host.instances):
        for tenant in instance.tenants:
            if tenant.value.lower() != EVERY_INSTANCE_HAS:
                tenants.setdefault(tenant.value.lower(), []).append((instance, tenant.origin))
        for setting in instance.settings:
            if setting.name == SYSTEM_NAME and isinstance(setting.value, str) and setting.value:
                names.setdefault(setting.value, []).append((instance, setting.origin))
    for domain, uses in tenants.items():
        hint = "a name leads to one address: remove it from all but one, unless they are a pair"
        yield from _repeated("ADV104", f"tenant {domain}", uses, hint)
    for text, uses in names.items():
        hint = "it tells instances apart in mails and logs: give each its own"
        yield from _repeated("ADV105", f'the system name "{text}"', uses, hint)


def _off_standard(instance: ResolvedInstance) -> Iterator[Listener]:
    """The first listener of each web service that is on but not on its standard port."""
    for role, standard in STANDARD_PORTS.items():
        web = [listener for listener in instance.listeners if listener.role == role]
        if web and all(listener.bind.port != standard for listener in web):
            yield web[0]


def _web_port(listener: Listener) -> Diagnostic:
    standard = STANDARD_PORTS[listener.role]
    why = "users must type the port"
    if listener.role == Role.HTTP:
        why += ", and certificates by HTTP challenge need port 80"
    return Diagnostic(
        "ADV102",
        f"{listener.role} is on port {listener.bind.port}, not {standard}",
        listener.origin,
        Severity.ADVICE,
        hint=f"{why}; with an address of its own an instance can have the standard port",
    )


def _tftp(place: Span) -> Diagnostic:
    return Diagnostic(
        "ADV103",
        "tftp is on",
        place,
        Severity.ADVICE,
        hint='a hosted PBX does not need it, and it sends everything in clear: say tftp = "off"',
    )


def _repeated(code: str, what: str, uses: list[Use], hint: str) -> Iterator[Diagnostic]:
    """Report every later use that is neither the first one's nor its peer's."""
    first, place = uses[0]
    problems = Problems()
    for instance, again in uses[1:]:
        if instance is first and again != place:
            message = f"{what} is declared twice for {first.name}"
            related = ((place, "declared here"),)
            problems.add(Diagnostic(code, message, again, Severity.WARNING, related, hint))
        elif instance is not first and not _is_pair(first, instance):
            message = f"{what} belongs to more than one instance"
            related = ((place, f"declared for {first.name} here"),)
            diagnostic = Diagnostic(code, message, again, Severity.WARNING, related, hint)
            problems.share(diagnostic, instance.name, instance.span)
    yield from problems.diagnostics()


def _is_pair(one: ResolvedInstance, other: ResolvedInstance) -> bool:
    return _names(one, other) and _names(other, one)


def _names(one: ResolvedInstance, other: ResolvedInstance) -> bool:
    return one.failover is not None and one.failover.peer == other.name

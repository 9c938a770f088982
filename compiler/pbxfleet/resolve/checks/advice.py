"""Advice: things that work, but that an operator wants to know before the customers do."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Role
from pbxfleet.model.resolved import Listener, ResolvedHost, ResolvedInstance
from pbxfleet.resolve.checks.identity import EVERY_INSTANCE_HAS
from pbxfleet.resolve.problems import Problems

# Installers from 5.5.0 on (https://github.com/Nex9/vodia.docker).
STOCK_DIRECTORY = "/usr/local/pbx"
WILDCARD = "sys_wildcard"

STANDARD_PORTS = {Role.HTTP.value: 80, Role.HTTPS.value: 443}


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """ADV102 web ports that are not the standard ones, ADV103 TFTP that is on, ADV109 the tenant
    localhost, ADV110 (a warning) a wildcard DNS name of somebody else, ADV111 the stock service.
    """
    problems = Problems()
    for instance in host.instances:
        for listener in _off_standard(instance):
            problems.share(_web_port(listener), instance.name, instance.span)
        for listener in instance.listeners:
            if listener.role == Role.TFTP:
                problems.share(_tftp(listener.origin), instance.name, instance.span)
        for diagnostic in _names(instance):
            problems.share(diagnostic, instance.name, instance.span)
        if instance.paths.directory == STOCK_DIRECTORY and host.file.stock_service is None:
            problems.share(_stock(instance.directory_origin), instance.name, instance.span)
    yield from problems.diagnostics()


def _names(instance: ResolvedInstance) -> Iterator[Diagnostic]:
    for tenant in instance.tenants:
        if tenant.value.lower() == EVERY_INSTANCE_HAS:
            yield Diagnostic(
                "ADV109",
                "the tenant localhost answers for every name, also that of a scanner",
                tenant.origin,
                Severity.ADVICE,
                hint="rename it in the PBX to the first real domain, and declare that one",
            )
    wildcard = next((s for s in instance.settings if s.name == WILDCARD), None)
    if wildcard is None or not isinstance(wildcard.value, str) or not wildcard.value:
        return
    names = [tenant.value for tenant in instance.tenants]
    names += [] if instance.management_dns is None else [instance.management_dns.value]
    domain = wildcard.value.removeprefix("*").lower()
    if not any(name.lower().endswith(domain) for name in names):
        yield Diagnostic(
            "ADV110",
            f'no name of {instance.name} is below the wildcard "{wildcard.value}"',
            wildcard.origin,
            Severity.WARNING,
            hint='browsers are led there: declare the tenants below it, or say sys_wildcard = ""',
        )


def _stock(place: Span) -> Diagnostic:
    return Diagnostic(
        "ADV111",
        f"{STOCK_DIRECTORY} is where the vendor's installer has its instance, with a service of its "
        "own",
        place,
        Severity.ADVICE,
        hint='disable that service (systemctl disable --now pbx), and say stock_service = "disabled"; '
        'or "none" if it was never there',
    )


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

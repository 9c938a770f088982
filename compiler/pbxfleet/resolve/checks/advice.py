"""Advice: things that work, but that an operator wants to know before the customers do."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Role
from pbxfleet.model.resolved import Listener, ResolvedHost, ResolvedInstance
from pbxfleet.resolve.problems import Problems

STANDARD_PORTS = {Role.HTTP.value: 80, Role.HTTPS.value: 443}


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """ADV102 web ports that are not the standard ones, ADV103 TFTP that is on."""
    problems = Problems()
    for instance in host.instances:
        for listener in _off_standard(instance):
            problems.share(_web_port(listener), instance.name, instance.span)
        for listener in instance.listeners:
            if listener.role == Role.TFTP:
                problems.share(_tftp(listener.origin), instance.name, instance.span)
    yield from problems.diagnostics()


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

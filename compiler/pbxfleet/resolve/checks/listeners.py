"""Listeners that exclude each other (BND101), and declared wildcards (BND106)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.net import Bind, Family
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.resolve.checks.sockets import Claim, Conflict, conflicts
from pbxfleet.resolve.problems import NAMED_AT_MOST, Problems, some

_HINT = "give each instance an address of its own, or another port"


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """BND101 for claims that exclude each other; BND106 (a warning) for declared wildcards."""
    claims = [Claim(i, listener) for i in host.instances for listener in i.listeners]
    groups: dict[tuple[object, ...], list[Conflict]] = {}
    for conflict in conflicts(claims):
        groups.setdefault(_group(conflict), []).append(conflict)
    yield from (_diagnostic(group) for group in groups.values())
    yield from _wildcards(claims)


def shown(bind: Bind) -> str:
    """The bind as people say it: `203.0.113.10:80`, or `port 80 of every IPv4 address`."""
    if bind.address is None:
        family = {Family.IPV4: "IPv4 ", Family.IPV6: "IPv6 ", Family.ANY: ""}[bind.family]
        return f"port {bind.port} of every {family}address"
    text = str(bind.address)
    return f"[{text}]:{bind.port}" if bind.address.version == 6 else f"{text}:{bind.port}"


def _group(conflict: Conflict) -> tuple[object, ...]:
    """Conflicts with one cause: two instances at the same two places, or one line for all."""
    earlier, later = conflict.earlier, conflict.later
    if earlier.place == later.place:
        return (later.place, later.listener.role, later.listener.bind)
    return (later.place, earlier.place, later.instance.name, earlier.instance.name)


def _diagnostic(group: list[Conflict]) -> Diagnostic:
    earlier, later = group[0].earlier, group[0].later
    if earlier.instance is later.instance:
        return _in_one_instance(group)
    if earlier.place == later.place:
        return _in_one_line(group)
    claimed = some(dict.fromkeys(_words(conflict.later) for conflict in group))
    related = [(earlier.place, f"{earlier.instance.name} claims {_words(earlier)} here")]
    origin = later.listener.origin
    if origin not in (later.place, earlier.place):
        related.append((origin, f"{later.listener.role} is bound because of this"))
    message = f"{later.instance.name} claims {claimed}, which {earlier.instance.name} has already"
    if shown(earlier.listener.bind) != shown(later.listener.bind):
        message = (
            f"{later.instance.name} claims {claimed}, but {earlier.instance.name} claims "
            f"{_words(earlier)}"
        )
    return Diagnostic("BND101", message, later.place, related=tuple(related), hint=_HINT)


def _in_one_line(group: list[Conflict]) -> Diagnostic:
    """One line of a layer gives the same socket to several instances."""
    first, last = group[0].earlier, group[0].later
    instances = {first.instance.name: first.instance.span}
    instances |= {c.later.instance.name: c.later.instance.span for c in group}
    message = f"{_words(last)} is claimed by {some(instances)}"
    related = [(span, f"instance {name}") for name, span in instances.items()]
    return Diagnostic(
        "BND101", message, last.place, related=tuple(related[:NAMED_AT_MOST]), hint=_HINT
    )


def _in_one_instance(group: list[Conflict]) -> Diagnostic:
    earlier, later = group[0].earlier, group[0].later
    one, other = earlier.listener, later.listener
    message = f"{later.instance.name} claims {shown(other.bind)} twice: {one.role} and {other.role}"
    if one.bind != other.bind:
        message = (
            f"{later.instance.name} claims {shown(other.bind)} for {other.role}, but it already "
            f"claims {shown(one.bind)} for {one.role}"
        )
    hint = "give one of them another port"
    if len(one.protocols) + len(other.protocols) > 2:
        unknown = one.role if len(one.protocols) > 1 else other.role
        hint += f"; if {unknown} is of another transport, map it to its role in [catalogue]"
    related = ((one.origin, f"{one.role} is bound here"),) if one.origin != other.origin else ()
    return Diagnostic("BND101", message, other.origin, related=related, hint=hint)


def _words(claim: Claim) -> str:
    protocols = " and ".join(claim.listener.protocols)
    return f"{shown(claim.listener.bind)} ({protocols}, {claim.listener.role})"


def _wildcards(claims: Iterable[Claim]) -> Iterator[Diagnostic]:
    problems = Problems()
    for instance, listener in claims:
        if listener.bind.is_wildcard:
            problems.share(
                _wildcard(listener.role, listener.bind, listener.origin),
                instance.name,
                instance.span,
            )
    yield from problems.diagnostics()


def _wildcard(role: str, bind: Bind, origin: Span) -> Diagnostic:
    return Diagnostic(
        "BND106",
        f"{role} takes {shown(bind)}",
        origin,
        Severity.WARNING,
        hint=f"name the port alone ({bind.port}) to bind the instance's own addresses",
    )

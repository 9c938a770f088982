"""Listeners that exclude each other (BND101) or foreign ones (BND109), declared wildcards (BND106)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.net import Bind
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.resolve.checks.claims import Claim, Conflict, accuse, by_cause, owners, same_lines
from pbxfleet.resolve.checks.sockets import (
    Socket,
    conflicts,
    conflicts_with,
    foreign_claims,
    shown,
    socket_claims,
)
from pbxfleet.resolve.problems import Problems, some

_HINT = "give each instance an address of its own, or another port"


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """BND101 for claims that exclude each other; BND106 (a warning) for declared wildcards.

    BND109 for a socket that another program holds. A foreign program is no instance: where two
    instances and it want one socket, each code is reported.
    """
    claims = socket_claims(host)
    for group in by_cause(conflicts(claims), same_lines):
        yield _diagnostic(group)
    for group in by_cause(conflicts_with(foreign_claims(host), claims), _held_by):
        yield _held(group)
    yield from _wildcards(host)


def _diagnostic(group: list[Conflict]) -> Diagnostic:
    conflict = group[0]
    earlier, later = conflict.earlier, conflict.later
    if earlier.owner == later.owner:
        return _in_one_instance(conflict, owners(group)[1:])
    if earlier.place == later.place:
        message = f"{_words(later)} is claimed by {some(owners(group))}"
        return accuse("BND101", message, conflict, _HINT)
    claimed = some(dict.fromkeys(_words(one.later) for one in group))
    message = f"{later.owner} claims {claimed}, which {earlier.owner} has already"
    if shown(_bind(earlier)) != shown(_bind(later)):
        message = f"{later.owner} claims {claimed}, but {earlier.owner} claims {_words(earlier)}"
    return accuse("BND101", message, conflict, _HINT)


def _in_one_instance(conflict: Conflict, likewise: list[str]) -> Diagnostic:
    one, other = conflict.earlier, conflict.later
    message = f"{other.owner} claims {shown(_bind(other))} twice: {one.what} and {other.what}"
    if _bind(one) != _bind(other):
        message = (
            f"{other.owner} claims {shown(_bind(other))} for {other.what}, but it already "
            f"claims {shown(_bind(one))} for {one.what}"
        )
    if likewise:
        message += f"; the same in {some(likewise)}"
    hint = "give one of them another port"
    if len(_protocols(one)) + len(_protocols(other)) > 2:
        unknown = one.what if len(_protocols(one)) > 1 else other.what
        hint += f"; if {unknown} is of another transport, map it to its role in [catalogue]"
    return accuse("BND101", message, conflict, hint)


def _held_by(conflict: Conflict) -> Hashable:
    """One report for each foreign listener, however many instances want its port."""
    return conflict.earlier.place


def _held(group: list[Conflict]) -> Diagnostic:
    held = group[0].earlier
    names = dict.fromkeys(conflict.later.owner for conflict in group)
    binds = dict.fromkeys(_words(conflict.later) for conflict in group)
    verb = "claims" if len(names) == 1 else "claim"
    message = f"{some(names)} {verb} {some(binds)}, but {held.owner} holds {shown(_bind(held))}"
    hint = (
        "choose another port, or bind the other program to an address of its own; if it is gone, "
        "take it out of foreign_listeners"
    )
    return accuse("BND109", message, group[0], hint)


def _words(claim: Claim) -> str:
    return f"{shown(_bind(claim))} ({' and '.join(_protocols(claim))}, {claim.what})"


def _bind(claim: Claim) -> Bind:
    assert isinstance(claim.key, Socket)
    return claim.key.bind


def _protocols(claim: Claim) -> Sequence[str]:
    assert isinstance(claim.key, Socket)
    return claim.key.protocols


def _wildcards(host: ResolvedHost) -> Iterator[Diagnostic]:
    problems = Problems()
    for instance in host.instances:
        for listener in instance.listeners:
            if listener.bind.is_wildcard:
                diagnostic = _wildcard(listener.role, listener.bind, listener.origin)
                problems.share(diagnostic, instance.name, instance.span)
    yield from problems.diagnostics()


def _wildcard(role: str, bind: Bind, origin: Span) -> Diagnostic:
    return Diagnostic(
        "BND106",
        f"{role} takes {shown(bind)}",
        origin,
        Severity.WARNING,
        hint=f"name the port alone ({bind.port}) to bind the instance's own addresses",
    )

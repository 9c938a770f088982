"""Failover: what an instance says of its other half, and where that half is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import (
    FailoverRole,
    FailoverWish,
    HostFile,
    InstanceFile,
    Role,
    Sourced,
)
from pbxfleet.model.net import Address
from pbxfleet.model.resolved import Failover, Listener, ResolvedInstance
from pbxfleet.pbx.binds import bracketed
from pbxfleet.resolve.checks.sockets import spots
from pbxfleet.resolve.problems import Problems
from pbxfleet.resolve.references import check_peer


def check_failover(
    host: HostFile,
    instances: Collection[str],
    file: InstanceFile,
    wish: FailoverWish,
    problems: Problems,
) -> None:
    """Report a half-declared pair (FLO101), an unknown peer (FLO102), a peer of its own (FLO103).

    FLO108: the host does not say where the failover file lies or what is in it. `instances` are the
    names of all that are declared.
    """
    role, peer = wish.role, wish.peer
    if role is None and peer is None:
        return
    _check_files(host, file, problems)
    if role is None or peer is None:
        problems.add(_half(file.name, role, peer), file.name)
        return
    check_peer(instances, file, peer, problems)


def failover_of(
    file: InstanceFile,
    wish: FailoverWish,
    built: Mapping[str, tuple[str, ResolvedInstance]],
    problems: Problems,
) -> Failover | None:
    """The pair as this half sees it; None without one, or if the peer could not be resolved.

    `built` has the resolved instances with the names of their hosts. `peer_url` leads to the
    peer's HTTP port, or HTTPS if HTTP is off; FLO107 if both are.
    """
    if wish.role is None or wish.peer is None or file.name not in built:
        return None
    if wish.peer.value not in built or wish.peer.value == file.name:
        return None
    peer_host, peer = built[wish.peer.value]
    _, own = built[file.name]
    web = _web(peer, own.addresses[0].value.version)
    if web is None:
        problems.share(_no_web(peer, wish.peer.origin), file.name, file.span)
        return None
    scheme, address, port = web
    return Failover(
        role=wish.role.value,
        peer=peer.name,
        peer_host=peer_host,
        peer_address=str(address),
        peer_url=f"{scheme}://{bracketed(address)}:{port}",
        origin=wish.peer.origin,
        role_origin=wish.role.origin,
    )


def _web(peer: ResolvedInstance, version: int) -> tuple[str, Address, int] | None:
    """Scheme, address and port of the peer's web server, of this IP version if it has that."""
    for role in (Role.HTTP, Role.HTTPS):
        ends = [
            end
            for listener in peer.listeners
            if listener.role == role
            for end in _ends(peer, listener)
        ]
        ends.sort(key=lambda end: end[0].version != version)
        if ends:
            return (role.value, *ends[0])
    return None


def _ends(peer: ResolvedInstance, listener: Listener) -> list[tuple[Address, int]]:
    bind = listener.bind
    if bind.address is not None:
        return [(bind.address, bind.port)]
    covered = {version for version, _ in spots(bind)}
    return [(a.value, bind.port) for a in peer.addresses if a.value.version in covered]


def _half(name: str, role: Sourced[FailoverRole] | None, peer: Sourced[str] | None) -> Diagnostic:
    place = role.origin if role is not None else peer.origin if peer is not None else None
    said, missing = ("role", "peer") if peer is None else ("peer", "role")
    words = 'peer = "the other instance"' if peer is None else 'role = "primary" or "secondary"'
    return Diagnostic(
        "FLO101",
        f"failover of {name} has a {said}, but no {missing}",
        place,
        hint=f"add {words}",
    )


def _no_web(peer: ResolvedInstance, place: Span) -> Diagnostic:
    return Diagnostic(
        "FLO107",
        f"the peer {peer.name} has neither HTTP nor HTTPS: it cannot be asked whether it lives",
        place,
        related=((peer.span, f"instance {peer.name}"),),
        hint=f"declare listen.http for {peer.name}",
    )


def _check_files(host: HostFile, file: InstanceFile, problems: Problems) -> None:
    named, template = host.failover_file, host.failover_template
    if named is not None and template is not None:
        return
    known = named if named is not None else template
    missing = [
        key
        for key, value in (("failover_file", named), ("failover_template", template))
        if value is None
    ]
    problems.share(
        Diagnostic(
            "FLO108",
            f"{host.name} has failover pairs, but no {' and no '.join(missing)}: "
            "their role is not written anywhere",
            host.span if known is None else known.origin,
            Severity.WARNING if known is None else Severity.ERROR,
            hint=f"add {' and '.join(missing)} to {host.span.file}",
        ),
        file.name,
        file.span,
    )

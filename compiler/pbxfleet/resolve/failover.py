"""Failover: what an instance says of its other half, and where that half is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import (
    FailoverRole,
    FailoverWish,
    HostFile,
    InstanceFile,
    Role,
    Sourced,
    WebScheme,
)
from pbxfleet.model.resolved import Failover, ResolvedInstance
from pbxfleet.pbx.binds import bracketed
from pbxfleet.pbx.roles import CONFIRMED
from pbxfleet.resolve.checks.web import WebEnd, web_ends
from pbxfleet.resolve.desk import Asking
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


def check_hosts(host: HostFile, askings: Sequence[Asking]) -> Iterator[Diagnostic]:
    """FLO106 (a warning) for pairs of which both halves name this host, whatever else they lack."""
    asking_of = {asking.name: asking for asking in askings}
    for asking in askings:
        peer = asking_of.get(_peer(asking))
        if peer is not None and asking.name < peer.name and _peer(peer) == asking.name:
            yield Diagnostic(
                "FLO106",
                f"{asking.name} and {peer.name} are a failover pair on one host, {host.name}",
                peer.file.host.origin,
                Severity.WARNING,
                related=((asking.file.host.origin, f"host of {asking.name}"),),
                hint="put one of them on another host: this pair does not survive the loss of the "
                "host",
            )


def _peer(asking: Asking) -> str:
    named = asking.layer.failover.peer
    return "" if named is None else named.value


def failover_of(
    file: InstanceFile,
    wish: FailoverWish,
    built: Mapping[str, tuple[str, ResolvedInstance]],
    problems: Problems,
) -> Failover | None:
    """The pair as this half sees it; None without one, or if the peer could not be resolved.

    `built` has the resolved instances with the names of their hosts. `peer_url` is what the wish
    says, else it leads to the peer's HTTP port, or HTTPS if HTTP is off or the wish says so. The
    secondary asks the primary whether it lives: FLO107 if that has no such listener, FLO113 if only
    its own host reaches it. The primary asks nobody, and does without.
    """
    if wish.role is None or wish.peer is None or file.name not in built:
        return None
    if wish.peer.value not in built or wish.peer.value == file.name:
        return None
    peer_host, peer = built[wish.peer.value]
    own_host, own = built[file.name]
    ends = web_ends(peer)
    wanted = None if wish.peer_url is not None else wish.peer_scheme
    asked = [end for end in ends if wanted is None or end.scheme == wanted.value]
    same = peer_host == own_host
    reached = [end for end in asked if same or not end.address.is_loopback]
    if not reached and wish.role.value is FailoverRole.SECONDARY:
        why = _only_loopback(peer, wish.peer.origin) if asked else _no_web(peer, wish.peer, wanted)
        if any(span.file == file.span.file for span, _ in why.related):
            problems.add(why, file.name)
        else:
            problems.share(why, file.name, file.span)
        return None
    best = _best(own, reached) if reached else None
    derived = f"{best.scheme}://{bracketed(best.address)}:{best.port}" if best else ""
    return Failover(
        role=wish.role.value,
        peer=peer.name,
        peer_host=peer_host,
        peer_address=str(best.address if best else peer.addresses[0].value),
        peer_url=derived if wish.peer_url is None else wish.peer_url.value,
        origin=wish.peer.origin,
        role_origin=wish.role.origin,
        url_origin=None if wish.peer_url is None else wish.peer_url.origin,
        validation_url=wish.validation_url,
        interval_s=wish.interval_s,
        failures=wish.failures,
        action_url=wish.action_url,
    )


def _best(own: ResolvedInstance, ends: list[WebEnd]) -> WebEnd:
    """HTTP before HTTPS, then an end of the family that this half has first too."""
    version = own.addresses[0].value.version
    schemes = [scheme.value for scheme in WebScheme]
    return min(ends, key=lambda end: (schemes.index(end.scheme), end.address.version != version))


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


def _no_web(
    peer: ResolvedInstance, named: Sourced[str], wanted: Sourced[WebScheme] | None
) -> Diagnostic:
    """FLO107 at the listeners that are off, if somebody says so: they are what is to be changed."""
    missing = "neither HTTP nor HTTPS" if wanted is None else f"no {wanted.value.upper()}"
    word = WebScheme.HTTP if wanted is None else wanted.value
    asked = () if wanted is None else ((wanted.origin, f"{wanted.value.upper()} is wished here"),)
    return _at_the_peer(
        "FLO107",
        f"the peer {peer.name} has {missing}: it cannot be asked whether it lives",
        (*_switched_off(peer, wanted), (named.origin, f"{peer.name} is named as the peer"), *asked),
        f"declare listen.{word} for {peer.name}",
    )


def _switched_off(
    peer: ResolvedInstance, wanted: Sourced[WebScheme] | None
) -> tuple[tuple[Span, str], ...]:
    """Where the listeners are off that could have been asked; nothing of those that nobody declares."""
    asked = (Role.HTTP, Role.HTTPS) if wanted is None else (Role(wanted.value.value),)
    elements = {CONFIRMED[role]: role for role in asked}
    return tuple(
        (setting.origin, f"listen.{elements[setting.name].value} of {peer.name}")
        for setting in peer.settings
        if setting.name in elements and not setting.value
    )


def _only_loopback(peer: ResolvedInstance, place: Span) -> Diagnostic:
    web = (one for one in peer.listeners if one.role in (Role.HTTP, Role.HTTPS))
    return _at_the_peer(
        "FLO113",
        f"the web listeners of the peer {peer.name} are on loopback addresses, which no other host "
        "reaches",
        (
            *((one.origin, f"listen.{one.role} of {peer.name}") for one in web),
            (place, f"{peer.name} is named as the peer"),
        ),
        f"bind a listener of {peer.name} to one of its own addresses",
    )


def _at_the_peer(
    code: str, message: str, lines: tuple[tuple[Span, str], ...], hint: str
) -> Diagnostic:
    """A problem with the first of the lines marked, and each of the others as a related place."""
    first, *others = dict(lines).items()
    return Diagnostic(code, message, first[0], related=tuple(others), hint=hint)


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

"""RTP ranges: disjoint on a shared address, free of other UDP ports, large enough, in good company."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.model.desired import ServiceBackend, Sourced
from pbxfleet.model.net import (
    EPHEMERAL_PORTS,
    RTP_PORTS_PER_CALL,
    WINDOWS_EPHEMERAL_PORTS,
    PortRange,
)
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance, Resource, Thing
from pbxfleet.resolve.checks.claims import (
    Claim,
    Conflict,
    Line,
    accuse,
    by_cause,
    minimal_lines,
    owners,
    remembered_lines,
)
from pbxfleet.resolve.checks.claims import same_lines as same
from pbxfleet.resolve.checks.media import Inside, inside, media_claims, media_of, overlaps
from pbxfleet.resolve.checks.sockets import Socket, foreign_claims, shown, socket_claims
from pbxfleet.resolve.problems import Problems, some

Rtp = Sourced[PortRange]


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """RTP101 overlaps, RTP102 ports of listeners inside, RTP103 odd borders, RTP104 outside.

    RTP106 (a warning) too few ports for the planned calls; RTP107 (advice) ports that the kernel
    gives to other sockets. Foreign listeners count for RTP102 as those of instances do.
    """
    media = media_claims(host)
    for group in by_cause(overlaps(media), same):
        yield _overlap(group)
    groups: dict[Hashable, list[Inside]] = {}
    for found in inside(media, socket_claims(host)):
        groups.setdefault(_cause(found), []).append(found)
    for same_cause in groups.values():
        yield _contains(same_cause)
    held: dict[Claim, list[Claim]] = {}
    for found in inside(media, foreign_claims(host)):
        held.setdefault(found.ports[0], []).append(found.media)
    for program, ranges in held.items():
        yield _held(program, ranges)
    problems = Problems()
    for instance in host.instances:
        if instance.rtp is not None:
            for diagnostic in _range(host, instance, instance.rtp):
                problems.share(diagnostic, instance.name, instance.span)
    yield from problems.diagnostics()
    yield from _ephemeral(host)


def _overlap(group: list[Conflict]) -> Diagnostic:
    below, claim = group[0].earlier, group[0].later
    one, other = media_of(claim), media_of(below)
    message = (
        f"RTP ports {one.ports} of {claim.owner} overlap {other.ports} of {below.owner} "
        f"on {one.address}"
    )
    if len(group) > 1:
        message = f"RTP ports {one.ports} on {one.address} are those of {some(owners(group))}"
    hint = 'give each a range of its own, rtp = "auto", or an address of its own'
    return accuse("RTP101", message, group[0], hint)


def _cause(found: Inside) -> Hashable:
    """The same lines are one cause, for however many instances they stand."""
    media, first = found.media, found.ports[0]
    lines = minimal_lines(Conflict(first, media))
    return (frozenset(line.span for line in lines), media_of(media).ports, first.what)


def _contains(group: list[Inside]) -> Diagnostic:
    found = group[0]
    media, first = found.media, found.ports[0]
    assert isinstance(first.key, Socket)
    names = list(dict.fromkeys(one.media.owner for one in group))
    its_own = "their own" if names[1:] else "its own"
    whose = its_own if first.owner == media.owner else f"{first.owner}'s"
    several = names[1:] and first.owner == media.owner
    port = str(first.key.bind.port) if several else shown(first.key.bind)
    more = f" and {found.total - 1} more" if found.total > 1 else ""
    message = (
        f"RTP ports {media_of(media).ports} of {some(names)} contain {whose} {first.what} port: "
        f"{port}{more}"
    )
    hint = "choose a range without this port, or another port"
    return accuse("RTP102", message, Conflict(first, media), hint)


def _held(program: Claim, ranges: list[Claim]) -> Diagnostic:
    """One report for each foreign port, however many ranges it lies in."""
    assert isinstance(program.key, Socket)
    message = (
        f"RTP ports {media_of(ranges[0]).ports} of {some(claim.owner for claim in ranges)} contain "
        f"a port of {program.what}: {shown(program.key.bind)}"
    )
    hint = "choose a range without this port, or another port for that program"
    return accuse("RTP102", message, Conflict(program, ranges[0]), hint)


def _range(host: ResolvedHost, instance: ResolvedInstance, rtp: Rtp) -> Iterator[Diagnostic]:
    """What is to be said of one range by itself."""
    ports, pool = rtp.value, host.file.rtp
    if ports.first % 2 or not ports.last % 2:
        yield _odd(instance, rtp)
    if pool is not None and (ports.first not in pool.value or ports.last not in pool.value):
        yield _outside(host, rtp, pool)
    yield from _too_few(host, instance, rtp)


def _odd(instance: ResolvedInstance, rtp: Rtp) -> Diagnostic:
    ports, thing = rtp.value, Thing(Resource.RTP, str(rtp.value))
    lines = list(remembered_lines(instance, thing, rtp.origin))
    even = f"{ports.first + ports.first % 2}-{ports.last - (1 - ports.last % 2)}"
    do = f"have another one handed out: {lines[0].moves}" if lines else f"write {even}"
    return Diagnostic(
        "RTP103",
        f"RTP ports {ports} do not start even and end odd",
        rtp.origin,
        Severity.ADVICE,
        related=tuple((line.span, line.words) for line in lines),
        hint=f"RTP takes an even port, RTCP the next one: {do}",
    )


def _outside(host: ResolvedHost, rtp: Rtp, pool: Rtp) -> Diagnostic:
    return Diagnostic(
        "RTP104",
        f"RTP ports {rtp.value} are outside {pool.value}, the RTP range of {host.name}",
        rtp.origin,
        related=((pool.origin, f"RTP range of {host.name}"),),
        hint="choose a part of that range, or widen it",
    )


def _too_few(host: ResolvedHost, instance: ResolvedInstance, rtp: Rtp) -> Iterator[Diagnostic]:
    calls, factor = instance.calls, host.rtp_ports_per_call
    each = RTP_PORTS_PER_CALL if factor is None else factor.value
    if calls is None or rtp.value.size >= each * calls.value:
        return
    lines = [Line(rtp.origin, f"RTP ports {rtp.value}")]
    thing = Thing(Resource.RTP, str(rtp.value))
    lines += remembered_lines(instance, thing, rtp.origin)
    lines += [Line(factor.origin, f"{each} ports for a call")] if factor is not None else []
    yield Diagnostic(
        "RTP106",
        f"ports for {_calls(calls.value)} need {each * calls.value:,}, "
        f"{rtp.value} has {rtp.value.size:,}",
        calls.origin,
        Severity.WARNING,
        related=tuple((line.span, line.words) for line in lines),
        hint=f"give the instance a range of {each * calls.value:,} ports, or plan "
        f"{_calls(rtp.value.size // each)}; {each} ports for a call are assumed, and "
        "policy.rtp_ports_per_call of the fleet says otherwise",
    )


def _calls(count: int) -> str:
    return f"{count:,} call" if count == 1 else f"{count:,} calls"


def _ephemeral(host: ResolvedHost) -> Iterator[Diagnostic]:
    """Media ports that the kernel gives away too: once for the host's range, else once a range."""
    declared, pool = host.file.ephemeral_ports, host.file.rtp
    usual = WINDOWS_EPHEMERAL_PORTS if _runs_windows(host) else EPHEMERAL_PORTS
    kernel = usual if declared is None else declared.value
    if pool is not None and pool.value.overlaps(kernel):
        yield _given_away(host, pool, kernel)
        return
    problems = Problems()
    for instance in host.instances:
        if instance.rtp is not None and instance.rtp.value.overlaps(kernel):
            diagnostic = _given_away(host, instance.rtp, kernel)
            problems.share(diagnostic, instance.name, instance.span)
    yield from problems.diagnostics()


def _given_away(host: ResolvedHost, rtp: Rtp, kernel: PortRange) -> Diagnostic:
    declared = host.file.ephemeral_ports
    said = () if declared is None else ((declared.origin, f"{kernel} are said to be the kernel's"),)
    return Diagnostic(
        "RTP107",
        f"the kernel gives ports {kernel} to other sockets too, and RTP ports {rtp.value} are among "
        "them",
        rtp.origin,
        Severity.ADVICE,
        related=said,
        hint=_APART_ON_WINDOWS if _runs_windows(host) else _APART,
    )


_APART = (
    'keep them apart with net.ipv4.ip_local_port_range, and say so: ephemeral_ports = "32768-49151"'
)
_APART_ON_WINDOWS = (
    "keep them apart with netsh int ipv4 set dynamicport udp, and say so: "
    'ephemeral_ports = "32768-49151"'
)


def _runs_windows(host: ResolvedHost) -> bool:
    return host.services is ServiceBackend.WINDOWS

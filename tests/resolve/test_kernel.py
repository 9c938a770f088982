"""The verdict on binds equals the kernel's: random small hosts are really bound in a namespace."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbxfleet.model.net import Bind, Family, Protocol
from pbxfleet.model.resolved import Listener, ResolvedInstance
from pbxfleet.resolve import resolve
from pbxfleet.resolve.checks.claims import Claim
from pbxfleet.resolve.checks.listeners import check
from pbxfleet.resolve.checks.sockets import Socket, conflicts, socket_claim
from support.kernel import IPV4, IPV6, Kernel, Wanted, kernel
from support.wishes import NO_LEDGER, File, fleet, host, instance, reference

PORTS = (5060, 5061)
MAPPED = tuple(f"::ffff:{address}" for address in IPV4)


@pytest.fixture(scope="module")
def the_kernel() -> Iterator[Kernel]:
    with kernel() as asked:
        yield asked


def an_instance() -> ResolvedInstance:
    resolution = resolve(fleet(instance("alpha")), reference(), NO_LEDGER)
    return resolution.sound.hosts[0].instances[0]


ALPHA = an_instance()


def bind(address: str | None, family: Family, port: int) -> Bind:
    return Bind(family, None if address is None else ip_address(address), port)


BINDS = st.one_of(
    st.builds(bind, st.sampled_from(IPV4), st.just(Family.IPV4), st.sampled_from(PORTS)),
    st.builds(bind, st.sampled_from(IPV6 + MAPPED), st.just(Family.IPV6), st.sampled_from(PORTS)),
    st.builds(bind, st.none(), st.sampled_from(Family), st.sampled_from(PORTS)),
)
PROTOCOLS = st.sampled_from([(Protocol.TCP,), (Protocol.UDP,), (Protocol.TCP, Protocol.UDP)])
LISTENERS = st.lists(st.tuples(PROTOCOLS, BINDS), min_size=2, max_size=6)


def claims(listeners: list[tuple[tuple[Protocol, ...], Bind]]) -> list[Claim]:
    file = File("desired/instances/alpha.toml")
    return [
        socket_claim(ALPHA, Listener("x", protos, bind, file.span())) for protos, bind in listeners
    ]


def sockets(claim: Claim, *, dual: bool) -> list[Wanted]:
    """What a program opens for a claim; `dual` takes one socket for both families where it can."""
    wanted: list[Wanted] = []
    assert isinstance(claim.key, Socket)
    protocols, bind = claim.key
    for protocol in protocols:
        match bind.address:
            case None if bind.family is Family.ANY and dual:
                wanted.append(Wanted(protocol, "::", bind.port, v6only=False))
            case None:
                if bind.family is not Family.IPV6:
                    wanted.append(Wanted(protocol, "0.0.0.0", bind.port, v6only=False))
                if bind.family is not Family.IPV4:
                    wanted.append(Wanted(protocol, "::", bind.port, v6only=True))
            case IPv6Address() as address:
                only = not dual and address.ipv4_mapped is None
                wanted.append(Wanted(protocol, str(address), bind.port, v6only=only))
            case address:
                wanted.append(Wanted(protocol, str(address), bind.port, v6only=False))
    return wanted


@given(LISTENERS, st.booleans())
@settings(max_examples=200)
def test_the_verdict_equals_the_kernels(
    the_kernel: Kernel, listeners: list[tuple[tuple[Protocol, ...], Bind]], dual: bool
) -> None:
    claimed = claims(listeners)
    wanted = [socket for claim in claimed for socket in sockets(claim, dual=dual)]
    assert bool(list(conflicts(claimed))) == bool(the_kernel.refused(wanted))


@given(LISTENERS, st.booleans())
def test_every_pair_that_is_named_is_refused_by_the_kernel_alone(
    the_kernel: Kernel, listeners: list[tuple[tuple[Protocol, ...], Bind]], dual: bool
) -> None:
    for conflict in conflicts(claims(listeners)):
        pair = (conflict.earlier, conflict.later)
        wanted = [socket for claim in pair for socket in sockets(claim, dual=dual)]
        assert the_kernel.refused(wanted)


LISTEN = st.dictionaries(
    st.sampled_from(["http", "https", "sip_udp", "sip_tcp", "snmp", "ldap"]),
    st.one_of(
        st.sampled_from([*PORTS, "off", "0.0.0.0:5060", "[::]:5060", "5061"]),
        st.sampled_from(["{four}:5060 [{six}]:5061", "{four}:5061"]),
    ),
)
QUIET = {role: "off" for role in ("http", "https", "sip_udp", "sip_tcp", "sip_tls")}


@given(st.lists(st.tuples(st.sampled_from(IPV4), st.sampled_from(IPV6), LISTEN), max_size=4))
def test_a_fleet_is_refused_exactly_when_its_sockets_cannot_be_opened(
    the_kernel: Kernel, listens: list[tuple[str, str, dict[str, int | str]]]
) -> None:
    machine = host(addresses=[f"{IPV4[0]}-{IPV4[1]}", f"{IPV6[0]}-{IPV6[1]}"])
    instances = []
    for at, (four, six, listen) in enumerate(listens):
        own = {
            role: wish.format(four=four, six=six) if isinstance(wish, str) else wish
            for role, wish in listen.items()
        }
        instances.append(instance(f"i{at}", address=[four, six], listen={**QUIET, **own}))
    sound = resolve(fleet(machine, *instances), reference(), NO_LEDGER).sound.hosts[0]
    wanted = [
        socket
        for resolved in sound.instances
        for listener in resolved.listeners
        for socket in sockets(socket_claim(resolved, listener), dual=True)
    ]
    said = any(diagnostic.code == "BND101" for diagnostic in check(sound))
    assert said == bool(the_kernel.refused(wanted))

"""Thousands of random hosts, really bound: listeners, RTP ranges and other programs' sockets together."""

from __future__ import annotations

import random
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

import pytest

from pbxfleet.core.span import Span
from pbxfleet.model.net import Bind, Family, PortRange, Protocol
from pbxfleet.resolve.checks.claims import Claim, Kind
from pbxfleet.resolve.checks.media import Media, inside, overlaps
from pbxfleet.resolve.checks.sockets import Socket, conflicts, conflicts_with, spots
from support.kernel import IPV4, IPV6, Kernel, Wanted, kernel

HOSTS = 3000
PORTS = range(5060, 5064)
MAPPED = tuple(f"::ffff:{address}" for address in IPV4)
HOME = Span("desired/instances/alpha.toml", 1, 1, 1, 5)


@pytest.fixture(scope="module")
def the_kernel() -> Iterator[Kernel]:
    with kernel() as asked:
        yield asked


def some_bind(chance: random.Random) -> Bind:
    port = chance.choice(PORTS)
    literal = chance.choice((None, *IPV4, *IPV6, *MAPPED))
    if literal is None:
        return Bind(chance.choice(list(Family)), None, port)
    address = ip_address(literal)
    return Bind(Family.IPV4 if address.version == 4 else Family.IPV6, address, port)


def some_socket(chance: random.Random, owner: str, home: Span | None) -> Claim:
    both = (Protocol.TCP, Protocol.UDP)
    protocols = chance.choice((both[:1], both[1:], both))
    return Claim(Kind.SOCKET, Socket(protocols, some_bind(chance)), "x", owner, home, ())


def some_media(chance: random.Random, owner: str) -> Claim:
    first = chance.choice(PORTS)
    ports = PortRange(first, min(first + chance.choice((0, 1, 3)), PORTS[-1]))
    key = Media(ip_address(chance.choice(IPV4 + IPV6)), ports)
    return Claim(Kind.MEDIA, key, "RTP ports", owner, HOME, ())


def opened(claim: Claim, *, dual: bool) -> list[Wanted]:
    """The sockets that a program opens; `dual` takes one socket for both families where it can."""
    if isinstance(claim.key, Media):
        address, ports = claim.key
        return [
            Wanted("udp", str(address), port, v6only=True)
            for port in range(ports.first, ports.last + 1)
        ]
    assert isinstance(claim.key, Socket)
    bind = claim.key.bind
    return [
        wanted for protocol in claim.key.protocols for wanted in _of_bind(protocol, bind, dual=dual)
    ]


def _of_bind(protocol: Protocol, bind: Bind, *, dual: bool) -> list[Wanted]:
    if bind.address is not None:
        mapped = isinstance(bind.address, IPv6Address) and bind.address.ipv4_mapped is not None
        return [Wanted(protocol, str(bind.address), bind.port, v6only=not mapped)]
    if bind.family is Family.ANY and dual:
        return [Wanted(protocol, "::", bind.port, v6only=False)]
    families = [version for version, _ in spots(bind)]
    return [
        Wanted(protocol, "0.0.0.0" if v == 4 else "::", bind.port, v6only=True) for v in families
    ]


def test_the_verdict_on_whole_hosts_equals_the_kernels(the_kernel: Kernel) -> None:
    chance = random.Random(20261122)  # noqa: S311  # the same hosts every time
    refused = 0
    for number in range(HOSTS):
        foreign = [some_socket(chance, "nginx", None) for _ in range(chance.choice((0, 0, 1)))]
        sockets = [
            some_socket(chance, f"i{n}", HOME) for n in range(chance.choice((1, 1, 2, 2, 3)))
        ]
        media = [some_media(chance, f"m{n}") for n in range(chance.choice((0, 1, 1, 2)))]
        said = [
            *conflicts(sockets),
            *conflicts_with(foreign, sockets),
            *overlaps(media),
            *inside(media, [*foreign, *sockets]),
        ]
        dual = chance.random() < 0.5
        wanted = [w for claim in (*foreign, *sockets, *media) for w in opened(claim, dual=dual)]
        answer = the_kernel.refused(wanted)
        refused += bool(answer)
        assert bool(said) == bool(answer), (number, wanted, answer, said)
    assert HOSTS // 10 < refused < HOSTS * 9 // 10  # neither verdict is the rule


def test_shared_udp_ports_lose_packets_where_a_conflict_is_told(the_kernel: Kernel) -> None:
    """With SO_REUSEADDR every UDP bind is granted, and what is told decides who gets the packets."""
    chance = random.Random(5060)  # noqa: S311  # the same pairs every time
    told = 0
    for number in range(600):
        claims = [
            Claim(Kind.SOCKET, Socket((Protocol.UDP,), some_bind(chance)), "x", f"i{n}", HOME, ())
            for n in range(2)
        ]
        said = list(conflicts(claims))
        told += bool(said)
        wanted = [w for claim in claims for w in opened(claim, dual=False)]
        owners = [n for n, claim in enumerate(claims) for _ in opened(claim, dual=False)]
        received = the_kernel.received(wanted)
        lost = [(w, got) for mine, w, got in zip(owners, wanted, received, strict=True)
                if any(one is None or owners[one] != mine for one in got)]  # fmt: skip
        assert bool(lost) == bool(said), (number, wanted, received)
    assert 30 < told < 570

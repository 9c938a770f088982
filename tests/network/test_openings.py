"""The filter as data, and the kernel's verdict on hosts that nobody thought of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Bind, Family, PortRange, Protocol
from pbxfleet.model.network import DeviceType, Firewall, HostNetwork, NetworkBackend
from pbxfleet.model.resolved import Listener, ResolvedHost, ResolvedInstance
from pbxfleet.render.network.nftables import FIREWALL, files
from pbxfleet.render.network.openings import joined
from support.netns import Pair
from support.resolved import Wish, at, host, sourced

STANDARD = "203.0.113.2"
OWN = ("203.0.113.10", "203.0.113.11", "2001:db8:1::10", "2001:db8:1::11")
SOURCES = ("198.51.100.7", "198.51.100.200", "2001:db8:ad::7", "2001:db8:bad::7")
PORTS = (80, 81, 443, 5060, 5061)
MEDIA = (PortRange(80, 81), PortRange(5060, 5061), PortRange(443, 443))
NETWORKS = ("198.51.100.0/25", "198.51.100.0/24", "198.51.100.7", "0.0.0.0/0", "2001:db8:ad::/48")

ranges = st.tuples(st.integers(1, 40), st.integers(0, 9)).map(lambda r: (r[0], r[0] + r[1]))


@given(st.lists(ranges))
def test_joined_ranges_have_the_same_ports_and_do_not_touch(
    given_ranges: list[tuple[int, int]],
) -> None:
    found = joined(given_ranges)
    assert [p for first, last in found for p in range(first, last + 1)] == sorted(
        {p for first, last in given_ranges for p in range(first, last + 1)}
    )
    assert all(one[1] + 1 < other[0] for one, other in pairwise(found))


binds = st.one_of(
    st.builds(
        lambda a, p: Bind(
            Family.IPV4 if ip_address(a).version == 4 else Family.IPV6, ip_address(a), p
        ),
        st.sampled_from(OWN),
        st.sampled_from(PORTS),
    ),
    st.builds(Bind, st.sampled_from(Family), st.none(), st.sampled_from(PORTS)),
)
listeners = st.builds(
    lambda role, protocols, bind: Listener(role, protocols, bind, at(5)),
    st.sampled_from(("http", "https", "sip_udp", "snmp")),
    st.sampled_from(((Protocol.TCP,), (Protocol.UDP,), (Protocol.TCP, Protocol.UDP))),
    binds,
)


@st.composite
def instances(draw: st.DrawFn, name: str) -> ResolvedInstance:
    """An instance with any listeners, media on any of its addresses, and any allow-list."""
    (base,) = host([Wish(name)]).instances
    addresses = draw(st.lists(st.sampled_from((*OWN, STANDARD)), min_size=1, unique=True))
    own = tuple(sourced(ip_address(address)) for address in addresses)
    four = [address for address in own if address.value.version == 4]
    return replace(
        base,
        addresses=own,
        listeners=tuple(draw(st.lists(listeners, max_size=6))),
        rtp=draw(st.none() | st.sampled_from(MEDIA).map(sourced)),
        rtp_bind=draw(st.sampled_from([None, *four])),
        admin_allow=tuple(
            sourced(ip_network(n))
            for n in draw(st.lists(st.sampled_from(NETWORKS), max_size=3, unique=True))
        ),
    )


@st.composite
def hosts(draw: st.DrawFn) -> ResolvedHost:
    """A host with a filter and two such instances."""
    base = host([])
    network = HostNetwork(
        at(1),
        Sourced(NetworkBackend.OFF, at(1)),
        Sourced(Firewall.NFTABLES, at(1)),
        sourced(32),
        sourced(128),
        Sourced(DeviceType.ETHERNETS, at(1)),
    )
    file = replace(base.file, network=network)
    return replace(base, file=file, instances=(draw(instances("a")), draw(instances("b"))))


def let_in(declared: ResolvedHost, protocol: str, source: str, to: str, port: int) -> bool:
    """What the declaration says of a packet, worked out without the compiler."""
    target, origin = ip_address(to), ip_address(source)
    used = {a.value for i in declared.instances for a in i.addresses}
    used |= {x.bind.address for i in declared.instances for x in i.listeners}
    if to == STANDARD or target not in used:
        return True
    for one in declared.instances:
        allowed = [network.value for network in one.admin_allow]
        for listener in one.listeners:
            bind = listener.bind
            family = {4: (Family.IPV4, Family.ANY), 6: (Family.IPV6, Family.ANY)}[target.version]
            takes = bind.address == target if bind.address else bind.family in family
            if not takes or bind.port != port or protocol not in list(listener.protocols):
                continue
            web = listener.role in ("http", "https") and bool(allowed)
            # Web is TCP: a list of who may reach it says nothing of datagrams, which stay closed.
            if not web or (protocol == "tcp" and any(origin in network for network in allowed)):
                return True
        media = one.rtp is not None and protocol == "udp" and port in one.rtp.value
        bound = None if one.rtp_bind is None else one.rtp_bind.value
        unbound = bound is None or target.version != bound.version
        own = target in [address.value for address in one.addresses]
        if media and own and (unbound or target == bound):
            return True
    return False


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two machines; the host has every address that is drawn."""
    bits = {True: 128, False: 32}
    made = Pair(
        [f"{a}/{bits[':' in a]}" for a in (*OWN, STANDARD)],
        [f"{a}/{bits[':' in a]}" for a in SOURCES],
    )
    try:
        yield made
    finally:
        made.stop()


@given(declared=hosts())
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_verdict_is_the_kernels(pair: Pair, declared: ResolvedHost) -> None:
    rules = next(file for file in files(declared) if file.path == FIREWALL).content.decode()
    pair.run("nft", "-f", "-", text_in=rules)
    sockets = [(p, a, n) for p in ("tcp", "udp") for a in (*OWN, STANDARD) for n in PORTS]
    probes = [
        (protocol, source, to, port)
        for protocol, to, port in sockets
        for source in SOURCES
        if (":" in source) == (":" in to)
    ]
    with pair.answering(sockets):
        found = pair.probe(probes)
    expected = [let_in(declared, *one) for one in probes]
    wrong = [(*one, f) for one, f, e in zip(probes, found, expected, strict=True) if f != e]
    assert wrong == []

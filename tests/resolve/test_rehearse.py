"""Rehearsal: it agrees with the resolver about every way to move instances, and says what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.diagnostics import Severity
from pbxfleet.model.desired import Desired, HostFile, Sourced
from pbxfleet.model.ledger_parts import of_instances
from pbxfleet.model.net import Protocol
from pbxfleet.model.plans import ForeignListener, Judging
from pbxfleet.model.rehearsal import HostRehearsal, Lack, Refusal
from pbxfleet.model.resolved import Ledger, Reference
from pbxfleet.pbx.binds import parse_binds
from pbxfleet.resolve import resolve_and_check
from pbxfleet.resolve.layers import join
from pbxfleet.resolve.recovery import Terms, address_map, moved, readdressed
from pbxfleet.resolve.rehearse import Rehearsed, rehearse
from support.wishes import NO_LEDGER, ROLES, fleet, host, instance, reference

RTP = "49152-64511"
RANGES = {"fra1": "203.0.113.10", "fra2": "203.0.113.130", "fra3": "198.51.100.130"}


def rehearsed(desired: Desired, name: str, **changes: str | None) -> Rehearsed:
    references = reference(**changes)
    resolution = resolve_and_check(desired, references, NO_LEDGER)
    assert resolution.outcome.value is not None, resolution.outcome.errors
    (found,) = rehearse(desired, resolution.outcome.value, references, resolution.ledger, [name])
    return found


def loss(desired: Desired, name: str = "fra1", **changes: str | None) -> HostRehearsal:
    return rehearsed(desired, name, **changes).rehearsal


def machine(name: str, count: int, cores: int = 8, six: int = 0, **says: Any) -> Any:
    """A host with so many IPv4 addresses, cores and IPv6 addresses for instances."""
    first, _, last = RANGES[name].rpartition(".")
    listed = [f"{first}.{last}-{first}.{int(last) + count - 1}"] if count else []
    listed += [f"2001:db8:{name[-1]}::1-2001:db8:{name[-1]}::{six:x}"] if six else []
    cpus = f"0-{cores}" if cores else "0"
    return host(
        name, **{"addresses": listed, "cpus": cpus, "system_cpus": "0", "address": None, **says}
    )


# By brute force: every way to send each instance to a host, or to leave it where it is.


def can_be(
    desired: Desired, references: Mapping[str, Reference], ledger: Ledger, way: Mapping[str, str]
) -> bool:
    """Whether the resolver has no error if these instances go to these hosts."""
    before = resolve_and_check(desired, references, ledger).outcome.value
    assert before is not None
    now = {i.name: i for h in before.hosts for i in h.instances}
    files, found = dict(desired.instances), {}
    for name, to in way.items():
        host_file = desired.hosts[to]
        defaults = join(host_file.defaults, desired.fleet.defaults)
        terms = Terms(host_file, defaults, host_file)
        left = desired.hosts[files[name].host.value]
        found[name] = moved(files[name], now[name], left, terms)
        files[name] = found[name].file
    kept = of_instances(ledger, [n for n in ledger.allocations if n not in way])
    first = resolve_and_check(Desired(desired.fleet, desired.hosts, files), references, kept)
    for name, one in found.items():
        given_out = first.ledger.allocations.get(name)
        if given_out is not None:
            new = [ip_address(text) for text in given_out.addresses]
            mapping = address_map([a.value for a in now[name].addresses], new)
            files[name] = readdressed(one, mapping).file
    again = Desired(desired.fleet, desired.hosts, files)
    return resolve_and_check(again, references, first.ledger).outcome.value is not None


INSTANCES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "address": st.sampled_from(
                ["auto", "auto-ipv4", ["auto-ipv4", "auto-ipv6"], "auto-ipv6"]
            ),
            "cpu": st.sampled_from(["auto", "off", 3]),
            "rtp": st.sampled_from(["auto", "50000-50999"]),
            "listen": st.sampled_from([{"http": 8080}, {"http": "0.0.0.0:80"}]),
        },
    ),
    min_size=1,
    max_size=3,
)
MACHINES = st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2))
NO_RTP_BIND = {role: name for role, name in ROLES.items() if role != "rtp_bind"}


SHARED: dict[str, Any] = {
    "ports": "8000-8019",
    "port_block": 10,
    "rtp_block": 1000,
    "defaults": {"address": "198.51.100.130", "ports": "auto"},
}


@given(INSTANCES, MACHINES, MACHINES, st.booleans(), st.sampled_from([{}, SHARED]))
def test_it_agrees_with_trying_everything(
    says: list[dict[str, Any]],
    second: tuple[int, int, int],
    third: tuple[int, int, int],
    taken: bool,
    shared: dict[str, Any],
) -> None:
    """As many start as could by any way at all, and those that do are one of these ways."""
    parts = [machine("fra1", 4, six=4, rtp=RTP)]
    parts += [
        machine("fra2", *second, rtp="50000-51999"),
        machine("fra3", *third, rtp=RTP, **shared),
    ]
    listed = [instance(f"i{n}", **one) for n, one in enumerate(says)]
    for name, (four, *_) in (("fra2", second), ("fra3", third)):
        if taken and four:  # somebody is there, so that wildcards have no place
            listed.append(instance(f"of-{name}", name, address="auto-ipv4", cpu="off"))
    desired = fleet(*parts, *listed, catalogue=NO_RTP_BIND)
    references = reference(rtp_bind_ip="")
    resolution = resolve_and_check(desired, references, NO_LEDGER)
    if resolution.outcome.value is None:
        return  # the fleet itself is wrong: two wildcards on one host, one core for two
    ledger = resolution.ledger
    (found,) = rehearse(desired, resolution.outcome.value, references, ledger, ["fra1"])
    names = [f"i{n}" for n in range(len(says))]
    ways = [
        {name: to for name, to in zip(names, way, strict=True) if to}
        for way in product(["fra2", "fra3", ""], repeat=len(names))
    ]
    most = max(len(way) for way in ways if can_be(desired, references, ledger, way))
    chosen = {start.instance: start.host for start in found.rehearsal.starts}
    assert len(chosen) == most
    assert can_be(desired, references, ledger, chosen)
    assert found.rehearsal.proven
    assert found.rehearsal.survives == (most == len(names))


@given(INSTANCES, MACHINES, MACHINES)
def test_what_is_missing_is_enough(
    says: list[dict[str, Any]], second: tuple[int, int, int], third: tuple[int, int, int]
) -> None:
    """With exactly what it names, everything starts; a host that is refused is not a lack."""
    says = [{k: v for k, v in one.items() if k != "listen"} for one in says]

    def machines(extra: Mapping[tuple[str, str], int]) -> list[Any]:
        made = []
        words = ("free IPv4 address", "free core", "free IPv6 address")
        for name, sizes in (("fra2", second), ("fra3", third)):
            more = [extra.get((name, word), 0) for word in words]
            made.append(machine(name, *map(sum, zip(sizes, more, strict=True)), rtp=RTP))
        return made

    listed = [instance(f"i{n}", **one) for n, one in enumerate(says)]
    first = machine("fra1", 4, six=4, rtp=RTP)
    desired = fleet(first, *machines({}), *listed, catalogue=NO_RTP_BIND)
    if resolve_and_check(desired, reference(rtp_bind_ip=""), NO_LEDGER).outcome.value is None:
        return
    before = loss(desired, rtp_bind_ip="")
    lacks = {(lack.host, lack.what): lack.missing for lack in before.lacks}
    assert bool(lacks) != before.survives
    after = loss(fleet(first, *machines(lacks), *listed, catalogue=NO_RTP_BIND), rtp_bind_ip="")
    assert after.survives


# What is said, by example.


def test_a_pair_on_two_hosts_needs_no_room() -> None:
    desired = fleet(
        machine("fra1", 4),
        machine("fra2", 1, 0),
        instance("acme", "fra1", failover={"role": "primary", "peer": "acme-dr"}),
        instance("acme-dr", "fra2", failover={"role": "secondary", "peer": "acme"}),
    )
    first, second = loss(desired, "fra1"), loss(desired, "fra2")
    assert [(t.instance, t.peer, t.host) for t in first.takeovers] == [("acme", "acme-dr", "fra2")]
    assert first.takeovers[0].seat.addresses == ("203.0.113.130",)
    assert [(b.instance, b.primary, b.host) for b in second.bereft] == [("acme-dr", "acme", "fra1")]
    assert first.survives and second.survives
    assert first.starts == second.starts == ()


def test_a_pair_on_one_host_does_not_help_itself() -> None:
    desired = fleet(
        machine("fra1", 4),
        machine("fra2", 1),
        instance("acme", "fra1", failover={"role": "primary", "peer": "acme-dr"}),
        instance("acme-dr", "fra1", failover={"role": "secondary", "peer": "acme"}),
    )
    found = loss(desired)
    assert ([s.instance for s in found.starts], [s.instance for s in found.stranded]) == (
        ["acme"],
        ["acme-dr"],
    )
    assert found.lacks == (Lack("fra2", "free IPv4 address", 1, 1),)


def test_the_missing_resource_is_named() -> None:
    several = [instance(f"i{n}", cpu="auto", address=["auto-ipv4"]) for n in range(4)]
    desired = fleet(machine("fra1", 9), machine("fra2", 1, 2), *several)
    found = loss(desired)
    assert [start.instance for start in found.starts] == ["i0"]
    assert found.lacks == (
        Lack("fra2", "free core", 2, 2),
        Lack("fra2", "free IPv4 address", 3, 1),
    )
    assert found.proven


def test_nobody_is_there_to_take_anything() -> None:
    found = loss(fleet(machine("fra1", 4), instance("acme")))
    assert (found.survives, found.lacks, found.stranded[0].refusals) == (False, (), ())


def test_what_came_from_the_lost_hosts_defaults_is_kept() -> None:
    defaults = {"release": "70.5", "cpu": "auto", "address": ["auto-ipv4", "auto-ipv6"]}
    there = {"cpu": "off", "address": ["auto-ipv4"]}
    desired = fleet(
        machine("fra1", 4, six=4, defaults=defaults),
        machine("fra2", 4, six=4, defaults=there),
        instance("acme"),
    )
    (start,) = loss(desired, rtp_bind_ip="").starts
    assert start.seat.addresses == ("203.0.113.130", "2001:db8:2::1")
    assert start.seat.cpu == 1
    assert {edit.key: edit.text for edit in start.edits} == {
        "": '"fra2"',
        "address": '["auto-ipv4", "auto-ipv6"]',
        "cpu": '"auto"',
    }


def test_what_is_not_as_before_is_said() -> None:
    desired = fleet(
        machine("fra1", 4, defaults={"listen": {"sip_udp": 25060}, "settings": {"pw_user": "a"}}),
        machine("fra2", 4),
        instance("acme"),
    )
    (start,) = loss(desired).starts
    assert start.changes == ("sip_udp 25060 -> 5060", "setting pw_user")


def test_binds_and_settings_name_the_new_address() -> None:
    desired = fleet(
        machine("fra1", 4),
        machine("fra2", 4),
        instance(
            "acme",
            address="203.0.113.11",
            listen={"http": "203.0.113.11:80 203.0.113.11:8080"},
        ),
    )
    (start,) = loss(desired).starts
    assert dict(start.seat.ports)["http"] == "80 8080"
    assert '"203.0.113.130:80 203.0.113.130:8080"' in [edit.text for edit in start.edits]


@pytest.mark.parametrize("there", ["0.0.0.0:80", "[::]:80 0.0.0.0:80"])
def test_a_host_whose_sockets_are_taken_refuses(there: str) -> None:
    desired = fleet(
        machine("fra1", 4),
        machine("fra2", 4, six=1),
        instance("acme"),
        instance("wild", "fra2", listen={"http": there}),
    )
    found = loss(desired)
    assert [s.instance for s in found.stranded] == ["acme"]
    (refusal,) = found.stranded[0].refusals
    assert refusal.host == "fra2"
    assert "(BND101)" in refusal.why


def with_foreign(found: HostFile, *binds: str) -> HostFile:
    """The host with another program on these sockets."""
    listeners = tuple(
        ForeignListener(Protocol.TCP, Sourced(bind, found.span), "nginx")
        for text in binds
        for bind in parse_binds(text)
    )
    return replace(found, foreign_listeners=listeners)


def test_another_program_on_every_address_refuses() -> None:
    there = with_foreign(machine("fra2", 4), "0.0.0.0:80")
    found = loss(fleet(machine("fra1", 4), there, instance("acme")))
    (refusal,) = found.stranded[0].refusals
    assert "nginx" in refusal.why
    free = with_foreign(machine("fra2", 4), "0.0.0.0:8080")
    assert loss(fleet(machine("fra1", 4), free, instance("acme"))).survives


def test_another_program_on_one_address_leaves_the_others() -> None:
    there = with_foreign(machine("fra2", 2), "203.0.113.130:80")
    several = [instance("acme"), instance("beta")]
    found = loss(fleet(machine("fra1", 4), there, *several))
    assert [start.seat.addresses for start in found.starts] == [("203.0.113.131",)]
    assert found.lacks == (Lack("fra2", "free IPv4 address", 1, 1),)


def test_an_address_that_all_share_takes_one_of_each_port() -> None:
    shared = {"address": "203.0.113.130", "rtp": "auto"}
    several = [instance("a"), instance("b"), instance("c", listen={"http": 81, "https": 444})]
    desired = fleet(
        machine("fra1", 9),
        machine("fra2", 1, defaults=shared, rtp=RTP),
        *several,
    )
    found = loss(desired)
    assert len(found.starts) == 1 and len(found.stranded) == 2
    assert found.proven


def test_blocks_of_ports_are_counted() -> None:
    shared = {"address": "203.0.113.130", "ports": "auto"}
    several = [instance(name) for name in "abc"]
    says: dict[str, Any] = {"ports": "8000-8019", "port_block": 10, "rtp": RTP, "defaults": shared}
    found = loss(fleet(machine("fra1", 9), machine("fra2", 1, **says), *several))
    assert [dict(start.seat.ports)["http"] for start in found.starts] == ["8000", "8010"]
    assert found.lacks == (Lack("fra2", "free block of 10 ports", 1, 2),)


def test_an_instance_with_its_own_directory_meets_another() -> None:
    desired = fleet(
        machine("fra1", 4),
        machine("fra2", 4),
        machine("fra3", 4),
        instance("acme", directory="/usr/local/pbx"),
        instance("first", "fra2", directory="/usr/local/pbx"),
    )
    (start,) = loss(desired).starts
    assert start.host == "fra3"


def test_the_ledger_of_the_plan_remembers_what_was_said() -> None:
    desired = fleet(machine("fra1", 4), machine("fra2", 4), *map(instance, "ab"), cpu="auto")
    found = rehearsed(desired, "fra1")
    for start in found.rehearsal.starts:
        entry = found.ledger.allocations[start.instance]
        assert (entry.host, entry.addresses, entry.cpu) == (
            start.host,
            start.seat.addresses,
            start.seat.cpu,
        )


def test_another_operating_system_is_no_place() -> None:
    there = machine(
        "fra2",
        4,
        services="windows",
        directory="C:/pbx-{instance}",
        pid_file="C:/pbx/{instance}.pid",
    )
    for first, second in ((machine("fra1", 4), there), (machine("fra1", 4), machine("fra2", 4))):
        found = loss(fleet(first, second, instance("acme")))
        assert found.survives == (second is not there)
    (refusal,) = loss(fleet(machine("fra1", 4), there, instance("acme"))).stranded[0].refusals
    assert refusal == Refusal("fra2", "it runs Windows")


def test_what_is_an_error_for_this_fleet_is_one_there_too() -> None:
    there = machine("fra2", 4, defaults={"listen": {"tftp": 69}})
    desired = fleet(machine("fra1", 4), there, instance("acme"))
    assert loss(desired).survives
    strict = Judging(severities={"ADV103": Sourced(Severity.ERROR, desired.fleet.span)})
    desired = replace(desired, fleet=replace(desired.fleet, judging=strict))
    (refusal,) = loss(desired).stranded[0].refusals
    assert "(ADV103)" in refusal.why


def test_the_same_service_manager_comes_first() -> None:
    desired = fleet(
        machine("fra1", 4), machine("fra2", 4, services="sysv"), machine("fra3", 4), instance("a")
    )
    assert [start.host for start in loss(desired).starts] == ["fra3"]

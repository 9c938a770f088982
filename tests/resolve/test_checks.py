"""Checks over a host and the fleet: what the examples of the pages do not show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Desired, Sourced
from pbxfleet.model.ignoring import LISTENER, PATH, SETTING, Ignored, Ignoring
from pbxfleet.model.plans import IgnoredHere, Judging
from pbxfleet.resolve import resolve, resolve_and_check
from support.wishes import NO_LEDGER, ROLES, fleet, host, instance, reference

OTHER_PORTS = {"http": 8080, "https": 8443, "sip_udp": 5070, "sip_tcp": 5070, "sip_tls": 5071}


def told(desired: Desired, **changes: str | None) -> list[Diagnostic]:
    found = resolve_and_check(desired, reference(**changes), NO_LEDGER).outcome.diagnostics
    return [one for one in found if one.code not in ("ADV102", "ADV106", "RTP107")]


def codes(desired: Desired, **changes: str | None) -> list[str]:
    return [one.code for one in told(desired, **changes)]


def pair(first: dict[str, Any], second: dict[str, Any], **machine: Any) -> Desired:
    """Two instances on one address, which have different ports unless they say otherwise."""
    one = {"address": "203.0.113.10", "rtp": "50000-50999", **first}
    other = {"address": "203.0.113.10", "rtp": "51000-51999", "listen": OTHER_PORTS, **second}
    return fleet(
        host(**{"rtp": "49152-64511", **machine}),
        instance("alpha", **one),
        instance("beta", **other),
    )


def test_one_address_with_different_ports_is_fine() -> None:
    assert codes(pair({}, {})) == []


def test_one_line_that_claims_a_socket_for_all_is_told_once() -> None:
    names = ("alpha", "beta", "gamma", "delta", "omega")
    desired = fleet(host(), *map(instance, names), address="auto", listen={"http": "0.0.0.0:80"})
    found = [one for one in told(desired) if one.code == "BND101"]
    assert len(found) == 1
    assert "alpha, beta, delta and 2 more" in found[0].message
    assert found[0].span is not None and found[0].span.file == "desired/fleet.toml"


def test_the_places_are_where_each_instance_can_be_changed() -> None:
    (found,) = told(pair({}, {"listen": {**OTHER_PORTS, "https": 80}}))
    assert found.code == "BND101"
    assert found.span is not None and found.span.file == "desired/instances/beta.toml"
    assert [span.file for span, _ in found.related] == [
        "desired/instances/beta.toml",  # its address
        "desired/reference/pbx-70.xml",  # alpha says no port of its own
        "desired/instances/alpha.toml",
    ]


def test_a_listener_of_unknown_transport_claims_both() -> None:
    desired = pair({}, {"listen": {**OTHER_PORTS, "http": 2000}})
    assert codes(desired, agent="198.51.100.10:2000") == ["BND101"] * 2
    desired = pair({}, {"listen": {**OTHER_PORTS, "sip_udp": 2000}})
    assert codes(desired, agent="198.51.100.10:2000") == ["BND101"] * 2


def test_what_ran_together_in_the_reference_runs_together() -> None:
    roles = {role: name for role, name in ROLES.items() if role != "sip_tcp"}
    desired = fleet(instance("alpha", listen={"sip_udp": 5060}), catalogue=roles)
    assert codes(desired) == ["REF105"]
    desired = fleet(instance("alpha", listen={"sip_udp": 5061}), catalogue=roles)
    assert codes(desired) == ["REF105"]
    desired = fleet(instance("alpha", listen={"http": 5060}), catalogue=roles)
    assert codes(desired) == ["REF105", "BND101"]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("50000-50999", "51000-51999", []),
        ("50000-51000", "51000-51999", ["RTP101", "RTP103"]),
        ("50000-51999", "50500-50999", ["RTP101"]),
        ("50500-50999", "50000-51999", ["RTP101"]),
    ],
)
def test_ranges_on_one_address(first: str, second: str, code: list[str]) -> None:
    assert sorted(codes(pair({"rtp": first}, {"rtp": second}))) == code


def test_ranges_on_different_addresses_may_overlap() -> None:
    assert codes(pair({}, {"address": "203.0.113.11", "rtp": "50000-50999"})) == []


def test_only_the_media_address_counts() -> None:
    shared = ["203.0.113.11", "203.0.113.10"]
    assert codes(pair({}, {"address": shared, "rtp": "50000-50999"})) == []


@pytest.mark.parametrize(
    ("listen", "count"),
    [
        ({"snmp": 50161}, 1),
        ({"sip_tls": 50161}, 0),
        ({"snmp": "0.0.0.0:50161"}, 1),
        ({"snmp": "[::]:50161"}, 0),
        ({"snmp": 49999}, 0),
        ({"snmp": 50000}, 1),
        ({"snmp": 50999}, 1),
        ({"snmp": 51000}, 0),
    ],
)
def test_udp_ports_inside_a_range(listen: dict[str, Any], count: int) -> None:
    desired = fleet(
        host(reserve_address=False), instance("alpha", rtp="50000-50999", listen=listen)
    )
    assert codes(desired).count("RTP102") == count


def test_a_port_of_unknown_transport_counts_as_udp() -> None:
    desired = fleet(instance("alpha", rtp="50000-50999"))
    assert codes(desired, agent="198.51.100.10:50500") == ["RTP102"]


def test_a_neighbours_port_inside_a_range() -> None:
    found = told(pair({}, {"listen": {**OTHER_PORTS, "sip_udp": 50500}}))
    assert [one.code for one in found] == ["RTP102"]
    assert "of alpha contain beta's sip_udp port" in found[0].message


def test_the_range_of_the_reference_counts_where_none_is_declared() -> None:
    first = {"address": "203.0.113.10"}
    desired = fleet(
        host(), instance("alpha", **first), instance("beta", **first, listen=OTHER_PORTS)
    )
    assert codes(desired) == ["RTP101"]


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        ("/srv/a", "/srv/b", []),
        ("/srv/a", "/srv/a", ["DIR102"]),
        ("/srv/a", "/srv/a/", ["DIR102"]),
        ("/srv/a", "/srv/a/b/c", ["DIR103"]),
        ("/srv/a/b", "/srv/a", ["DIR103"]),
        ("/var/lib/pbxfleet", "/srv/b", ["DIR102", "DIR109"]),
        ("/var/lib/pbxfleet/host/alpha", "/srv/b", ["DIR103", "DIR109"]),
        ("/srv/a", "/srv/ab", []),
        ("/run/pbx-beta.pid", "/srv/b", ["DIR104", "DIR109"]),
        ("/etc/pbx/failover-alpha.conf/x", "/srv/b", ["DIR106", "DIR109"]),
    ],
)
def test_directories(one: str, other: str, code: list[str]) -> None:
    desired = fleet(
        host(),
        instance("alpha", address="203.0.113.10", directory=one),
        instance("beta", address="203.0.113.11", directory=other),
    )
    assert codes(desired) == code


@pytest.mark.parametrize(
    ("machine", "code"),
    [
        ({"lock_file": "/run/pbx-{instance}.pid"}, ["DIR104"]),
        ({"pid_file": "/etc/systemd/system/pbx-{instance}.service"}, ["DIR104", "DIR109"]),
        ({"pid_file": "/usr/local/pbx-{instance}/pbx.pid"}, []),
        ({"pid_file": "/usr/local/pbx-{instance}/pbx.xml"}, ["DIR104"]),
        ({"pid_file": "/usr/local/pbx-{instance}"}, ["DIR104"]),
        ({"pid_file": "/usr/local/pbx-alpha/{instance}.pid"}, ["DIR106"]),
        ({"backup_list": "/etc/pbx/backup.list"}, ["DIR104", "DIR104"]),
        ({"failover_file": "/usr/local/pbx-{instance}/f"}, ["DIR105"]),
        ({"directory": "/opt"}, ["DIR102", "DIR107"]),
        ({"directory": "/srv/{address}"}, []),
        ({"directory": "/srv/{number}"}, []),
    ],
)
def test_templates(machine: dict[str, Any], code: list[str]) -> None:
    desired = fleet(
        host(**machine),
        instance("alpha", address="203.0.113.10"),
        instance("beta", address="203.0.113.11"),
    )
    assert codes(desired) == code


def test_units_belong_to_the_backend() -> None:
    def unit(services: str) -> str | None:
        desired = fleet(host(services=services), instance("alpha"))
        return resolve(desired, reference(), NO_LEDGER).sound.hosts[0].instances[0].paths.unit

    assert unit("systemd") == "/etc/systemd/system/pbx-alpha.service"
    assert unit("sysv") == "/etc/init.d/pbx-alpha"
    assert unit("direct") is None


def test_everybody_has_the_tenant_localhost() -> None:
    names = ("alpha", "beta")
    found = codes(fleet(*(instance(name, tenants=["localhost"]) for name in names)))
    assert found == ["ADV109", "ADV109"]


WISHES = st.fixed_dictionaries(
    {},
    optional={
        "address": st.sampled_from(["203.0.113.10", "203.0.113.11", "auto"]),
        "listen": st.sampled_from([{}, OTHER_PORTS, {"http": "0.0.0.0:80"}]),
        "cpu": st.sampled_from([1, 2, "auto"]),
        "rtp": st.sampled_from(["50000-50999", "50500-51499", "auto"]),
        "directory": st.sampled_from(["/srv/a", "/srv/a/b"]),
        "tenants": st.just(["acme.example"]),
    },
)
FLEETS = st.dictionaries(st.sampled_from([f"i{n}" for n in range(8)]), WISHES, max_size=6)


@given(FLEETS, st.randoms(use_true_random=False))
def test_the_order_of_files_does_not_matter(wishes: dict[str, Any], chance: Any) -> None:
    names = list(wishes)
    machine = host(rtp="49152-64511")
    in_order = fleet(machine, *(instance(name, **wishes[name]) for name in sorted(names)))
    chance.shuffle(names)
    shuffled = Desired(
        in_order.fleet, in_order.hosts, {name: in_order.instances[name] for name in names}
    )
    first = resolve_and_check(in_order, reference(), NO_LEDGER)
    assert resolve_and_check(shuffled, reference(), NO_LEDGER) == first


@given(FLEETS, st.sampled_from(["i3", "i9"]), WISHES)
def test_a_newcomer_changes_nobody_else(
    wishes: dict[str, Any], name: str, newcomer: dict[str, Any]
) -> None:
    machine = host(rtp="49152-64511")
    before = {n: says for n, says in wishes.items() if n != name}
    first = resolve(
        fleet(machine, *(instance(n, **says) for n, says in before.items())), reference(), NO_LEDGER
    )
    after = {**before, name: newcomer}
    second = resolve(
        fleet(machine, *(instance(n, **says) for n, says in after.items())),
        reference(),
        first.ledger,
    )
    kept = [one for one in second.sound.hosts[0].instances if one.name != name]
    assert kept == list(first.sound.hosts[0].instances)


@given(st.integers(1, 60))
def test_reports_grow_no_faster_than_the_fleet(count: int) -> None:
    worst = {"address": "203.0.113.10", "listen": {"sip_udp": 50500}, "rtp": "50000-50999"}
    desired = fleet(*(instance(f"i{n}", **worst, cpu=1, directory="/srv/a") for n in range(count)))
    assert len(told(desired)) <= 7 * count


PLACE = Span("desired/fleet.toml", 90, 1, 90, 9)


def ignoring(what: str, pattern: str, where: str = "") -> Desired:
    """Two hosts, of which the first has what rules may be about."""
    desired = fleet(
        host(),
        host("fra2", address="203.0.113.66", addresses=["203.0.113.70", "2001:db8::70"]),
        instance("alpha", address="203.0.113.10", settings={"sys_name": "A"}),
        instance("beta", host="fra2", address=["203.0.113.70", "2001:db8::70"]),
    )
    place = Sourced(where, PLACE) if where else None
    day = Sourced("2099-12-31", PLACE)
    rule = IgnoredHere(what, Sourced(pattern, PLACE), "", place, "a reason", day)
    return replace(desired, fleet=replace(desired.fleet, judging=Judging(ignored=(rule,))))


@pytest.mark.parametrize(
    ("what", "pattern", "where", "expected"),
    [
        (SETTING, "sys_name", "", []),  # one host of two declares it
        (SETTING, "sys_name", "fra1/alpha", []),
        (SETTING, "sys_name", "fra2", ["IGN103"]),
        (PATH, "/etc/pbx/backup-alpha.list", "", []),
        (PATH, "/etc/pbx/backup-alpha.list", "fra2", ["IGN104"]),
        (PATH, "/etc/pbx/backup-*", "", []),
        (PATH, "/etc/pbx/bakcup-*", "", ["IGN104"]),
        (PATH, "/etc/systemd/system/whatever.service", "", []),
        (PATH, "/usr/local/pbx-old", "", []),  # beside the directories of instances
        (PATH, "*", "", ["IGN101"] * 2),
        (PATH, "/opt/pbx-old", "", ["IGN104"]),
        (LISTENER, "tcp 203.0.113.10:8443", "", []),
        (LISTENER, "tcp 203.0.113.10:8443", "fra1/alpha", []),
        (LISTENER, "tcp 203.0.113.10:8443", "fra2", ["IGN104"]),
        (LISTENER, "tcp 203.0.113.99:8443", "", ["IGN104"]),
        (LISTENER, "tpc 203.0.113.10:8443", "", ["IGN104"]),
        (LISTENER, "tcp *", "", ["IGN101"] * 2),
        (LISTENER, "*:8443", "", []),
        (LISTENER, "tcp [2001:db8::70]:*", "", []),
        (LISTENER, "tcp 2001:db8::70:8443", "", ["IGN104"]),
    ],
)
def test_rules_that_can_match_nothing(
    what: str, pattern: str, where: str, expected: list[str]
) -> None:
    assert [code for code in codes(ignoring(what, pattern, where)) if code != "ADV104"] == expected


def test_brackets_in_sockets_are_those_of_addresses() -> None:
    rule = Ignored(LISTENER, "tcp [2001:db8::70]:*", "", "", "a reason", "2099-12-31")
    assert Ignoring((rule,)).listener("beta", "tcp [2001:db8::70]:8443") == rule
    assert Ignoring((rule,)).listener("beta", "tcp 2:8443") is None
    in_files = rule._replace(what=PATH, pattern="/etc/pbx/[ab].list")
    assert Ignoring((in_files,)).path("beta", "/etc/pbx/a.list", ("mode",)) == in_files

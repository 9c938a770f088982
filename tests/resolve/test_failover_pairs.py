"""Failover pairs: who asks whom, and what is told where."""

from __future__ import annotations

from typing import Any

import pytest

from pbxfleet.model.desired import Desired, SecretRef, SettingWish
from pbxfleet.model.resolved import Allocation, Failover, Ledger
from pbxfleet.resolve import resolve_and_check
from support.pairs import codes, halves, told
from support.wishes import NO_LEDGER, fleet, host, instance, reference


@pytest.mark.parametrize(
    ("peer", "url"),
    [
        ({}, "http://203.0.113.130:80"),
        ({"listen": {"http": 8080}}, "http://203.0.113.130:8080"),
        ({"listen": {"http": "off"}}, "https://203.0.113.130:443"),
        ({"address": ["auto-ipv6", "auto-ipv4"]}, "http://203.0.113.130:80"),
        (
            {"address": ["auto-ipv4", "auto-ipv6"], "listen": {"http": "[2001:db8:2::1]:80"}},
            "http://[2001:db8:2::1]:80",
        ),
    ],
)
def test_the_peers_url(peer: dict[str, Any], url: str) -> None:
    resolution = resolve_and_check(halves(peer), reference(), NO_LEDGER)
    assert resolution.outcome.value is not None, resolution.outcome.errors
    failover = resolution.outcome.value.hosts[0].instances[0].failover
    assert isinstance(failover, Failover)
    assert (failover.peer_host, failover.peer_url) == ("fra2", url)


@pytest.mark.parametrize(
    ("says", "url"),
    [
        ({"peer_scheme": "https"}, "https://203.0.113.130:443"),
        ({"peer_url": "https://acme.example.net"}, "https://acme.example.net"),
        ({"peer_url": "http://203.0.113.130:80/"}, "http://203.0.113.130:80/"),
    ],
)
def test_the_operator_may_say_where_the_peer_is(says: dict[str, Any], url: str) -> None:
    own = {"failover": {"role": "primary", "peer": "beta", **says}}
    resolution = resolve_and_check(halves(own=own), reference(), NO_LEDGER)
    assert resolution.outcome.value is not None, resolution.outcome.errors
    failover = resolution.outcome.value.hosts[0].instances[0].failover
    assert isinstance(failover, Failover)
    assert (failover.peer_url, failover.peer_address) == (url, "203.0.113.130")


@pytest.mark.parametrize(
    ("peer", "says", "code"),
    [
        ({"listen": {"http": "127.0.0.1:80"}}, {}, ["BND105"]),  # HTTPS can be asked
        ({}, {"peer_url": "https://203.0.113.130"}, []),
        ({}, {"peer_url": "https://203.0.113.130:80"}, ["FLO114"]),
        ({}, {"peer_url": "http://acme.example"}, []),
        ({}, {"peer_url": "http://acme.example:8080"}, ["FLO114"]),
        ({"address": ["auto-ipv4", "auto-ipv6"]}, {}, ["FLO115"]),
        (
            {"address": ["auto-ipv4", "2001:db8:2::1"]},
            {"peer_url": "http://[2001:db8:2:0::1]"},
            ["FLO115"],
        ),
        ({}, {"validation_url": "http://203.0.113.130"}, []),  # the primary polls nobody
    ],
)
def test_whether_the_peer_can_be_asked(
    peer: dict[str, Any], says: dict[str, Any], code: list[str]
) -> None:
    own = {"failover": {"role": "primary", "peer": "beta", **says}}
    assert codes(halves(peer, own)) == code


@pytest.mark.parametrize(
    ("listen", "says", "code"),
    [
        ({"https": "off"}, {"peer_scheme": "https"}, ["FLO107"]),
        ({"https": "off"}, {}, []),
        ({"http": "off", "https": "off"}, {}, ["FLO107"]),
        ({"http": "off", "https": "off"}, {"peer_url": "http://x.example"}, ["FLO107"]),
        ({"http": "off", "https": "[::1]:443"}, {}, ["BND105", "FLO113"]),
    ],
)
def test_the_secondary_must_be_able_to_ask_the_primary_but_not_the_other_way(
    listen: dict[str, Any], says: dict[str, Any], code: list[str]
) -> None:
    asks = {"failover": {"role": "secondary", "peer": "alpha", **says}}
    found = told(halves(asks, {"listen": listen}))
    assert [one.code for one in found] == code
    assert all(d.span and d.span.file == "desired/instances/alpha.toml" for d in found)
    silent = {"failover": {"role": "primary", "peer": "beta", **says}}
    if "peer_url" not in says:
        told_of_the_secondary = codes(halves({"listen": listen}, silent))
        assert [c for c in told_of_the_secondary if c.startswith("FLO")] == []


def test_a_pair_on_one_host_is_told_at_the_host_lines_also_beside_other_errors() -> None:
    both = (
        instance("alpha", "fra1", failover={"role": "primary", "peer": "beta"}),
        instance("beta", "fra1", failover={"role": "secondary", "peer": "alpha"}),
    )
    desired = fleet(host("fra1"), host("fra2"), *both)
    assert codes(desired) == ["FLO106"]
    moved = Ledger({"beta": Allocation("fra2", ("203.0.113.30",))})
    found = resolve_and_check(desired, reference(), moved).outcome.diagnostics
    assert {d.code for d in found} >= {"ALC103", "FLO106"}
    (one,) = (d for d in found if d.code == "FLO106")
    assert one.span == both[1].host.origin and dict(one.related) == {
        both[0].host.origin: "host of alpha"
    }


def test_a_secondary_needs_what_lives_elsewhere() -> None:
    says = {"validation_url": "https://ACME.example/", "action_url": "http://203.0.113.10/dns"}
    peer = {"failover": {"role": "secondary", "peer": "alpha", **says}}
    assert codes(halves(peer, {"tenants": ["acme.example"]})) == ["FLO117", "FLO117"]


def test_the_keys_of_a_pair_are_not_judged_and_not_shown() -> None:
    def key(name: str) -> dict[str, Any]:
        return {"settings": {"activation_key": SettingWish(SecretRef(name))}}

    cases = ((key("a"), key("a"), "have one"), (key("a"), key("b"), "have two"))
    cases += ((key("a"), {}, "beta none"), ({}, key("a"), "alpha none"))
    for own, peer, words in cases:
        (found,) = told(halves(peer, own))
        assert (found.code, found.severity) == ("FLO116", "advice")
        assert words in found.message


def test_a_peer_with_problems_of_its_own_gives_no_second_report() -> None:
    assert codes(halves({"release": "70.9"})) == ["REL102"]


def test_the_halves_of_a_pair_share_tenants_and_name() -> None:
    both = {"tenants": ["acme.example"], "settings": {"sys_name": "Acme"}}
    assert codes(halves(both, both)) == []
    third = instance("gamma", "fra1", tenants=["ACME.example"])
    desired = halves(both, both)
    wider = Desired(desired.fleet, desired.hosts, {**desired.instances, "gamma": third})
    assert codes(wider) == ["ADV104"]

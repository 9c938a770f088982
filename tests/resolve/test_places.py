"""Every mistake is told once, at its own lines, and hides no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Desired
from pbxfleet.model.resolved import Allocation, Ledger, Resource, Thing
from pbxfleet.resolve import resolve_and_check
from support.pairs import codes, halves, told
from support.wishes import File, fleet, host, instance, reference


def test_two_lines_that_no_instance_can_have_together_are_told_once() -> None:
    names = ("alpha", "beta", "gamma", "delta", "omega")
    desired = fleet(host(), *map(instance, names), address="auto", listen={"http": 80, "https": 80})
    (found,) = (one for one in told(desired) if one.code == "BND101")
    assert found.message.endswith("twice: http and https; the same in beta, delta, gamma and omega")
    assert found.span is not None and found.span.file == "desired/fleet.toml"


def test_the_paths_of_one_template_are_of_the_other_system_once() -> None:
    machine = host(services="windows", directory="/srv/{instance}")
    found = [
        d for d in told(fleet(machine, *map(instance, ("alpha", "beta")))) if d.code == "SVC107"
    ]
    places = [d.span for d in found]
    assert found and len(places) == len(set(places))


@pytest.mark.parametrize(
    ("peer", "values"),
    [
        ({"release": "69.5"}, ["beta release", "fleet release", "beta failover"]),
        (
            {"address": ["auto-ipv4", "2001:db8:2::1"]},
            ["alpha address", "beta address", "alpha failover"],
        ),
    ],
)
def test_what_is_wrong_with_a_pair_is_told_where_it_is_said(
    peer: dict[str, Any], values: list[str]
) -> None:
    desired = halves(peer, {"address": "203.0.113.10"})
    said: dict[Span | None, str] = {}
    for name, file in desired.instances.items():
        layer = file.layer
        said |= {one.origin: f"{name} address" for one in layer.address or ()}
        said |= {one.origin: f"{name} listen.{role}" for role, one in layer.listen.items()}
        if layer.release is not None:
            said[layer.release.origin] = f"{name} release"
        if layer.failover.peer is not None:
            said[layer.failover.peer.origin] = f"{name} failover"
    release = desired.fleet.defaults.release
    assert release is not None
    said[release.origin] = "fleet release"
    older = replace(desired.fleet.releases["70.5"], name="69.5")
    releases = {**desired.fleet.releases, "69.5": older}
    desired = replace(desired, fleet=replace(desired.fleet, releases=releases))
    (found,) = (d for d in told(desired, "69.5") if d.code.startswith("FLO1"))
    assert [said[span] for span in (found.span, *(span for span, _ in found.related))] == values


def test_another_error_does_not_hide_an_address_and_a_core_that_cannot_be() -> None:
    machine = host(addresses=["203.0.113.10-203.0.113.19"], cpus="0-3")
    alpha = instance("alpha", address="203.0.114.1", cpu=9, release="99")
    assert sorted(codes(fleet(machine, alpha))) == ["CPU101", "NET101", "REL102"]
    assert sorted(codes(fleet(machine, instance("alpha", release="99")))) == ["REL102"]


def remembering(**held: Allocation) -> Ledger:
    """A ledger with a line of its own for each thing."""
    file = File("desired/ledger.toml")
    lines = {(name, thing): file.span() for name, one in held.items() for thing in one.things}
    return Ledger(held, lines=lines)


def with_ledger(desired: Desired, ledger: Ledger) -> dict[str, Diagnostic]:
    found = resolve_and_check(desired, reference(), ledger).outcome.diagnostics
    return {d.code: d for d in found if d.code not in ("ADV102", "ADV106", "RTP107")}


def test_a_block_of_the_ledger_is_told_with_its_line_where_the_host_s_range_meets_it() -> None:
    listen = {"http": 81, "https": 444, "sip_udp": 5070, "sip_tcp": 5070, "sip_tls": 5071}
    both = fleet(
        host(rtp="50000-59999"),
        instance("alpha", address="203.0.113.10"),
        instance("beta", address="203.0.113.10", rtp="auto", listen=listen),
    )
    ledger = remembering(beta=Allocation("fra1", rtp="50001-51024"))
    found = with_ledger(both, ledger)
    assert set(found) == {"RTP101", "RTP103"}
    (line,) = ledger.lines.values()
    for one in found.values():
        assert (line, "RTP ports 50001-51024") in [(s, w[:21]) for s, w in one.related]
        assert "pbxfleet move --reallocate beta --only rtp" in one.hint


def test_ports_of_the_ledger_are_told_with_their_line() -> None:
    address = ("203.0.113.10",)
    shared = fleet(
        host(rtp="50000-59999", ports="8000-8999", addresses=["203.0.113.10"]),
        instance("alpha", address="203.0.113.10", ports="auto", rtp="50000-50999"),
        instance("beta", address="203.0.113.10", rtp="51000-51999", listen={"http": 8000}),
    )
    ledger = remembering(alpha=Allocation("fra1", address, ports="8000-8009"))
    one = with_ledger(shared, ledger)["BND101"]
    assert ledger.lines["alpha", Thing(Resource.PORTS, "8000-8009")] in dict(one.related)
    assert "pbxfleet move --reallocate alpha --only ports" in one.hint


def test_what_is_remembered_is_told_wherever_two_blocks_meet_only() -> None:
    listen = {"http": 81, "https": 444, "sip_udp": 5070, "sip_tcp": 5070, "sip_tls": 5071}
    second = {"address": ["203.0.113.11", "203.0.113.10"], "rtp": "50000-50999", "listen": listen}
    ledger = remembering(beta=Allocation("fra1", rtp="50000-51023"))
    desired = fleet(
        host(rtp="50000-59999"),
        instance("alpha", **second),
        instance("beta", address="203.0.113.10", rtp="auto"),
    )
    assert with_ledger(desired, ledger) == {}  # media is on the first address only

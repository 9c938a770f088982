"""Capacity: what is free is what the allocator hands out, and every figure can be accounted for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.capacity import Capacity, Supply, share
from pbxfleet.model.desired import Desired, HostFile
from pbxfleet.model.reserved import Price
from pbxfleet.report.capacity import capacity_data, capacity_text
from pbxfleet.resolve import resolve
from pbxfleet.resolve.allocate_capacity import WORDS, capacity_of
from pbxfleet.resolve.host import askings_of
from pbxfleet.resolve.layers import join
from pbxfleet.resolve.room import KINDS, room_of
from support.wishes import NO_LEDGER, File, fleet, host, instance, reference

MACHINE: dict[str, Any] = {
    "addresses": [
        "203.0.113.2-203.0.113.13",
        "203.0.113.12-203.0.113.21",
        "2001:db8::1-2001:db8::ffff",
    ],
    "reserved": [("203.0.113.20-203.0.113.30", "billing"), "203.0.113.19"],
    "cpus": "0-9",
    "system_cpus": "0-1",
    "reserved_cpus": [("9-9", "recordings")],
    "rtp": "50000-55999",
    "rtp_block": 1000,
    "ports": "8000-8049",
    "reserved_ports": [("8010-8010", "proxy")],
}
FULL: dict[str, Any] = {"address": "auto", "cpu": "auto", "rtp": "auto", "ports": "auto"}


def priced(file: HostFile, amount: str = "99.90") -> HostFile:
    return replace(file, price=Price(File("desired/hosts/fra1.toml").put(Decimal(amount)), "EUR"))


def capacity(desired: Desired, *gone: Any) -> Capacity:
    """The only host's, after `gone` were there once."""
    before = replace(desired, instances={**desired.instances, **{one.name: one for one in gone}})
    ledger = resolve(before, reference(), NO_LEDGER).ledger
    resolution = resolve(desired, reference(), ledger)
    assert resolution.outcome.value is not None, resolution.outcome.errors
    one = resolution.outcome.value.hosts[0]
    defaults = join(one.file.defaults, desired.fleet.defaults)
    return capacity_of(one, defaults, resolution.ledger)


def test_every_figure() -> None:
    instances = [
        instance("alpha", **FULL, tenants=["a.example", "b.example", "localhost"]),
        instance("beta", **FULL, tenants=["c.example"]),
        instance("gamma", address="203.0.113.12", rtp="54000-54999"),
    ]
    found = capacity(
        fleet(priced(host(**MACHINE)), *instances, cpu="auto"), instance("zeta", **FULL)
    )
    assert found.supplies == (
        Supply("IPv4 addresses", 20, 3, 4, 1, 12),
        Supply("IPv6 addresses", 65535, 0, 0, 0, 65535),
        Supply("cores", 10, 3, 3, 1, 3),
        Supply("RTP blocks", 6, 2, 0, 1, 3),
        Supply("port blocks", 5, 2, 1, 1, 1),
    )
    assert (found.room, found.limits) == (3, ("cores",))
    assert (found.tenants, found.with_tenants, found.room_tenants) == (3, 2, 4)
    assert found.costs is not None
    assert (found.costs.per_instance, found.costs.per_tenant) == (
        Decimal("33.30"),
        Decimal("33.30"),
    )
    assert (
        capacity_text([found])
        == """\
fra1
                  total  used  reserved  kept for gone   free
  IPv4 addresses     20     3         4              1     12
  IPv6 addresses  65535     0         0              0  65535
  cores              10     3         3              1      3
  RTP blocks          6     2         0              1      3
  port blocks         5     2         1              1      1
  reserved: 203.0.113.20-203.0.113.30 (billing)
  reserved: 203.0.113.19
  reserved: cores 0-1 (left to the system)
  reserved: core 9 (recordings)
  reserved: port 8010 (proxy)
  room for 3 more instances (limited by cores), about 4 tenants
  3 instances, 3 tenants: 1.5 each of the 2 that declare some
  99.90 EUR per month, 33.30 per instance, 33.30 per declared tenant
"""
    )


def test_what_is_not_declared_is_said() -> None:
    bare = {**dict.fromkeys(("cpus", "rtp")), "addresses": []}
    desired = fleet(host(**bare), address="203.0.113.2")
    found = capacity(desired)
    assert found.room is None
    text = capacity_text([found])
    assert "nothing that the host declares limits" in text
    assert "no tenants declared" in text
    assert "price not declared" in text
    (data,) = capacity_data([found])
    assert (data["room"], data["room_tenants"], data["costs"]) == (None, None, None)


def test_defaults_say_what_an_instance_takes() -> None:
    machine = host(**MACHINE, defaults={"ports": "auto", "address": "203.0.113.10", "cpu": "off"})
    found = capacity(fleet(machine, instance("alpha"), instance("beta")))
    assert (found.room, found.limits) == (2, ("port blocks",))


def test_money_is_exact() -> None:
    assert share(Decimal("0.3"), 3) == Decimal("0.10")
    assert share(Decimal("100"), 8) == Decimal("12.50")
    assert share(Decimal("0.05"), 10) == Decimal("0.00")
    assert share(Decimal("49.90"), 0) is None


@given(
    st.lists(st.sampled_from(["full", "literal", "block"]), max_size=4),
    st.integers(0, 2),
    st.sampled_from(
        [["203.0.113.4-203.0.113.9"], ["203.0.113.4-203.0.113.9", "2001:db8::1-2001:db8::4"]]
    ),
)
def test_what_is_free_is_what_the_allocator_hands_out(
    kinds: list[str], gone: int, addresses: list[str]
) -> None:
    wishes = {
        "full": FULL,
        "literal": {"address": "203.0.113.5", "cpu": "off", "ports": "auto"},
        "block": {"address": "auto", "cpu": "off", "rtp": "auto"},
    }
    instances = [instance(f"i{n}", **wishes[kind]) for n, kind in enumerate(kinds)]
    machine = host(**{**MACHINE, "addresses": addresses, "reserved": ["203.0.113.9"],
                      "rtp": "50000-59999", "ports": "8000-8099"})  # fmt: skip
    desired = fleet(machine, *instances)
    left = [instance(f"z{n}", address="auto", cpu="auto", rtp="auto") for n in range(gone)]
    found = capacity(desired, *left)
    before = replace(desired, instances={**desired.instances, **{o.name: o for o in left}})
    ledger = resolve(before, reference(), NO_LEDGER).ledger
    ledger = resolve(desired, reference(), ledger).ledger
    defaults = join(machine.defaults, desired.fleet.defaults)
    rooms = room_of(machine, askings_of(machine, instances, defaults), ledger, 20)
    free = {supply.kind: supply.free for supply in found.supplies}
    for kind in KINDS:
        assert rooms[kind].free == min(20, free.get(WORDS[kind], 0)), kind

"""Allocation: the lowest free value, remembered, and never moved while the host has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.desired import Desired
from pbxfleet.model.resolved import Allocation, Ledger
from pbxfleet.resolve import Resolution, resolve
from support.wishes import NO_LEDGER, File, fleet, host, instance, reference

REFERENCE = reference()
MACHINE: dict[str, Any] = {
    "addresses": ["203.0.113.10-203.0.113.19", "2001:db8::10-2001:db8::19"],
    "reserved": ["203.0.113.11"],
    "cpus": "0-9",
    "system_cpus": "0-1",
    "rtp": "50001-60000",
    "rtp_block": 1000,
    "directory": "/usr/local/pbx-{number}",
}
AUTO: dict[str, Any] = {"address": "auto", "cpu": "auto", "rtp": "auto"}


def run(desired: Desired, ledger: Ledger = NO_LEDGER) -> Resolution:
    return resolve(desired, REFERENCE, ledger)


def codes(resolution: Resolution) -> list[str]:
    return [diagnostic.code for diagnostic in resolution.outcome.errors]


def one(name: str, **changes: Any) -> Desired:
    return fleet(host(**MACHINE), instance(name, **{**AUTO, **changes}))


def remembered(name: str = "alpha", **values: Any) -> Ledger:
    defaults = {"host": "fra1", "addresses": ("203.0.113.15",), "cpu": 5, "rtp": "52002-53001"}
    file = File("desired/ledger.toml")
    allocation = Allocation(**{**defaults, "number": 7, **values})
    return Ledger({name: allocation}, {name: file.span()})


def test_the_first_gets_the_lowest_that_is_not_reserved() -> None:
    allocation = run(one("alpha")).ledger.allocations["alpha"]
    assert allocation == Allocation("fra1", ("203.0.113.10",), 2, "50002-51001", 1)


def test_what_others_declare_is_passed_over() -> None:
    desired = fleet(
        host(**MACHINE),
        instance("alpha", **AUTO),
        instance("omega", address="203.0.113.10", cpu=2, number=1),
    )
    allocation = run(desired).ledger.allocations["alpha"]
    assert (allocation.addresses, allocation.cpu, allocation.number) == (("203.0.113.12",), 3, 2)


def test_new_ones_are_served_in_order_of_names() -> None:
    desired = fleet(host(**MACHINE), *(instance(name, **AUTO) for name in ("zeta", "alpha")))
    allocations = run(desired).ledger.allocations
    assert [(name, a.number) for name, a in allocations.items()] == [("alpha", 1), ("zeta", 2)]


def test_what_is_remembered_stays() -> None:
    ledger = remembered()
    assert run(one("alpha"), ledger).ledger == ledger


def test_what_nobody_asks_for_any_more_leaves_the_ledger() -> None:
    desired = one("alpha", address="203.0.113.15", cpu="off", rtp="52002-53001", number=7)
    assert run(desired, remembered()).ledger.allocations == {}


def test_an_instance_that_is_gone_leaves_the_ledger() -> None:
    assert set(run(one("beta"), remembered("alpha")).ledger.allocations) == {"beta"}


def test_a_rename_gives_the_place_free() -> None:
    ledger = run(one("alpha")).ledger
    assert run(one("beta"), ledger).ledger.allocations == {"beta": ledger.allocations["alpha"]}


def test_families_are_given_as_wished() -> None:
    desired = one("alpha", address=["auto-ipv6", "auto-ipv4"])
    resolution = run(desired)
    assert resolution.ledger.allocations["alpha"].addresses == ("2001:db8::10", "203.0.113.10")
    assert resolution.outcome.value is not None
    addresses = resolution.outcome.value.hosts[0].instances[0].addresses
    assert [str(a.value) for a in addresses] == ["203.0.113.10", "2001:db8::10"]


def test_a_second_family_does_not_move_the_first() -> None:
    ledger = run(one("alpha", address="auto-ipv6")).ledger
    wider = run(one("alpha", address=["auto", "auto-ipv6"]), ledger).ledger
    assert wider.allocations["alpha"].addresses == ("203.0.113.10", "2001:db8::10")


def test_auto_means_ipv6_where_there_is_nothing_else() -> None:
    machine = host(**{**MACHINE, "addresses": ["2001:db8::10-2001:db8::19"]})
    desired = fleet(
        machine, instance("alpha", address="auto"), catalogue={"sip_udp": "sip_udp_ports"}
    )
    assert run(desired).ledger.allocations["alpha"].addresses == ("2001:db8::10",)


def test_an_instance_that_says_nothing_of_addresses_gets_one() -> None:
    desired = fleet(host(**MACHINE), instance("alpha"))
    assert run(desired).ledger.allocations["alpha"].addresses == ("203.0.113.10",)


def test_numbers_are_handed_out_only_where_paths_have_them() -> None:
    machine = host(**{**MACHINE, "directory": "/usr/local/pbx-{instance}"})
    assert run(fleet(machine, instance("alpha"))).ledger.allocations["alpha"].number is None


def test_a_block_avoids_the_declared_range_on_its_own_address_only() -> None:
    desired = fleet(
        host(**MACHINE),
        instance("alpha", address="203.0.113.12", rtp="auto"),
        instance("beta", address="203.0.113.12", rtp="50002-52001"),
        instance("gamma", address="203.0.113.13", rtp="auto"),
        instance("omega", address="203.0.113.13", rtp="54000-54999"),
    )
    allocations = run(desired).ledger.allocations
    assert [allocations[name].rtp for name in ("alpha", "gamma")] == ["52002-53001", "50002-51001"]


def test_what_the_host_no_longer_has_is_refused_and_kept_in_the_ledger() -> None:
    shrunk = {**MACHINE, "addresses": ["203.0.113.16-203.0.113.19"], "cpus": "0-3"}
    desired = fleet(host(**{**shrunk, "rtp": "50001-52000"}), instance("alpha", **AUTO))
    resolution = run(desired, remembered())
    assert codes(resolution) == ["ALC102"] * 3
    assert all(d.related and "ledger.toml" in d.hint for d in resolution.outcome.errors)
    assert resolution.ledger == remembered()


def test_reserving_a_remembered_address_is_refused() -> None:
    desired = fleet(host(**{**MACHINE, "reserved": ["203.0.113.15"]}), instance("alpha", **AUTO))
    assert codes(run(desired, remembered())) == ["ALC102"]


def test_another_host_does_not_inherit_the_numbers() -> None:
    desired = fleet(host("fra1", **MACHINE), host("fra2", **MACHINE), instance("alpha", "fra2"))
    resolution = run(desired, remembered())
    assert codes(resolution) == ["ALC103"]
    assert resolution.ledger == remembered()


def test_another_host_matters_only_for_what_was_handed_out() -> None:
    literal = instance("alpha", "fra2", address="203.0.113.15", number=7)
    desired = fleet(host("fra1", **MACHINE), host("fra2", **MACHINE), literal)
    assert codes(run(desired, remembered())) == []


def test_two_entries_with_one_value_are_refused() -> None:
    both = {**remembered("alpha").allocations, **remembered("beta").allocations}
    desired = fleet(host(**MACHINE), instance("alpha", **AUTO), instance("beta", **AUTO))
    resolution = run(desired, Ledger(both))
    assert codes(resolution) == ["ALC104"] * 4
    assert all("both alpha and beta" in d.message for d in resolution.outcome.errors)


def test_nothing_left_is_said_once_for_all_who_ask() -> None:
    tiny = {**MACHINE, "addresses": ["203.0.113.10"], "cpus": "0-2", "rtp": "50000-50999"}
    names = ("alpha", "beta", "gamma")
    desired = fleet(host(**tiny), *(instance(name, **AUTO) for name in names))
    assert codes(run(desired)) == ["ALC101"] * 6
    shared = fleet(host(**tiny), *(instance(name) for name in names), **AUTO)
    assert codes(run(shared)) == ["ALC101"] * 3


def test_a_host_without_cores_or_rtp_has_none_to_give() -> None:
    bare = {**MACHINE, "cpus": None, "rtp": None}
    assert codes(run(fleet(host(**bare), instance("alpha", **AUTO)))) == ["ALC101"] * 2


def test_an_unknown_host_does_not_cost_the_entry() -> None:
    desired = fleet(host(**MACHINE), instance("alpha", "fra9", **AUTO))
    resolution = run(desired, remembered())
    assert codes(resolution) == ["REF101"]
    assert resolution.ledger == remembered()


NAMES = st.sampled_from([f"i{n}" for n in range(12)])
WISHES = st.fixed_dictionaries(
    {
        "address": st.sampled_from(["auto", "auto-ipv6", "203.0.113.14", ["auto-ipv6", "auto"]]),
        "cpu": st.sampled_from(["auto", "off", 4]),
        "rtp": st.sampled_from(["auto", "50002-51001"]),
    }
)
FLEETS = st.dictionaries(NAMES, WISHES, max_size=6)


def of(wishes: Mapping[str, Mapping[str, Any]]) -> Desired:
    return fleet(host(**MACHINE), *(instance(name, **says) for name, says in wishes.items()))


@given(FLEETS, FLEETS)
def test_what_comes_and_goes_moves_nobody_else(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]
) -> None:
    ledger = run(of(before)).ledger
    staying = {name: before[name] for name in before if name in after}
    resolution = run(of({**after, **staying}), ledger)
    kept = {name: resolution.ledger.allocations.get(name) for name in staying}
    assert kept == {name: ledger.allocations.get(name) for name in staying}


@given(FLEETS)
def test_a_second_run_changes_nothing(wishes: dict[str, dict[str, Any]]) -> None:
    ledger = run(of(wishes)).ledger
    assert run(of(wishes), ledger).ledger == ledger


@given(FLEETS)
def test_nothing_is_handed_out_twice(wishes: dict[str, dict[str, Any]]) -> None:
    allocations = run(of(wishes)).ledger.allocations
    for values in (
        [address for a in allocations.values() for address in a.addresses],
        [a.cpu for a in allocations.values() if a.cpu is not None],
        [a.rtp for a in allocations.values() if a.rtp is not None],
        [a.number for a in allocations.values() if a.number is not None],
    ):
        assert len(values) == len(set(values))

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


def removed(name: str = "alpha", **values: Any) -> Ledger:
    """A ledger in which an instance is gone."""
    ledger = remembered(name, **values)
    return Ledger({}, ledger.spans, ledger.allocations)


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


def test_what_is_declared_is_held_and_the_rest_leaves_the_ledger() -> None:
    desired = one("alpha", address="203.0.113.15", cpu="off", rtp="52002-53001", number=7)
    entry = run(desired, remembered()).ledger.allocations["alpha"]
    assert (entry.addresses, entry.cpu, entry.rtp) == (("203.0.113.15",), None, None)
    assert entry.number == 7
    assert entry.handed_out == ()


def test_what_was_declared_stays_when_it_becomes_auto() -> None:
    ledger = run(one("alpha", address="203.0.113.17", cpu=9, number=4)).ledger
    entry = run(one("alpha"), ledger).ledger.allocations["alpha"]
    assert (entry.addresses, entry.cpu, entry.number) == (("203.0.113.17",), 9, 4)


class TestTombstones:
    def test_what_an_instance_held_that_is_gone_is_not_handed_out(self) -> None:
        ledger = run(one("alpha")).ledger
        after = run(one("beta"), ledger).ledger
        assert after.tombstones == {"alpha": ledger.allocations["alpha"]}
        assert after.allocations["beta"] == Allocation(
            "fra1", ("203.0.113.12",), 3, "51002-52001", 2
        )

    def test_also_what_it_had_declared(self) -> None:
        desired = one("alpha", address="203.0.113.10", cpu=2, ports="8000-8009", number=1)
        after = run(one("beta"), run(desired).ledger).ledger
        assert after.allocations["beta"].addresses == ("203.0.113.12",)
        assert (after.allocations["beta"].cpu, after.allocations["beta"].number) == (3, 2)

    def test_who_comes_back_gets_it_back(self) -> None:
        ledger = run(one("alpha")).ledger
        back = run(one("alpha"), run(one("beta"), ledger).ledger).ledger
        assert back.allocations == ledger.allocations
        assert set(back.tombstones) == {"beta"}

    def test_they_stay_as_long_as_nobody_releases_them(self) -> None:
        ledger = run(one("beta"), removed()).ledger
        for _ in range(3):
            ledger = run(one("beta"), ledger).ledger
        assert ledger.tombstones == removed().tombstones

    def test_a_host_without_instances_keeps_them(self) -> None:
        assert run(fleet(host(**MACHINE)), remembered()).ledger.tombstones == removed().tombstones

    def test_a_host_that_is_gone_keeps_them(self) -> None:
        assert run(fleet(host("fra9")), remembered()).ledger.tombstones == removed().tombstones

    def test_an_explicit_wish_gets_it_with_a_warning(self) -> None:
        desired = one("beta", address="203.0.113.15", cpu=5)
        resolution = run(desired, removed())
        assert codes(resolution) == []
        found = resolution.outcome.diagnostics
        assert [(d.code, d.related[0][0].file) for d in found] == [
            ("ALC110", "desired/ledger.toml")
        ] * 2
        left = resolution.ledger.tombstones["alpha"]
        assert (left.addresses, left.cpu, left.rtp) == ((), None, "52002-53001")
        assert run(desired, resolution.ledger).outcome.diagnostics == ()

    def test_a_full_host_says_who_still_holds_something(self) -> None:
        tiny = {**MACHINE, "addresses": ["203.0.113.15"], "cpus": "5-5", "rtp": "52002-53001"}
        found = run(fleet(host(**tiny), instance("beta", **AUTO)), removed()).outcome.errors
        assert [d.code for d in found] == ["ALC101"] * 3
        assert all("pbxfleet move --release alpha" in d.hint for d in found)

    def test_the_fleet_can_say_that_it_is_used_again(self) -> None:
        ledger = run(one("alpha")).ledger
        desired = fleet(host(**MACHINE), instance("beta", **AUTO), tombstones="reuse")
        after = run(desired, ledger).ledger
        assert after.tombstones == {}
        assert after.allocations["beta"] == ledger.allocations["alpha"]


KEPT: dict[str, Any] = {
    "reserved": [("203.0.113.10", "billing")],
    "reserved_cpus": [("2-2", "converts recordings")],
    "reserved_ports": [("50002-51001", "reverse proxy")],
}


class TestReservations:
    def kept(self, **says: Any) -> Resolution:
        return run(fleet(host(**{**MACHINE, **KEPT}), instance("alpha", **{**AUTO, **says})))

    def test_nothing_of_it_is_handed_out(self) -> None:
        entry = self.kept().ledger.allocations["alpha"]
        assert entry == Allocation("fra1", ("203.0.113.11",), 3, "51002-52001", 1)

    def test_a_wish_is_refused_with_the_reason(self) -> None:
        resolution = self.kept(cpu=2, rtp="51000-51999", listen={"http": 51001})
        assert codes(resolution) == ["ALC108"] * 3
        assert {d.message.rpartition(": ")[2] for d in resolution.outcome.errors} == {
            "converts recordings",
            "reverse proxy",
        }

    def test_what_was_handed_out_before_is_refused_with_the_reason(self) -> None:
        ledger = remembered(addresses=("203.0.113.10",), cpu=2, rtp="50002-51001")
        desired = fleet(host(**{**MACHINE, **KEPT}), instance("alpha", **AUTO))
        resolution = run(desired, ledger)
        assert codes(resolution) == ["ALC102"] * 3
        assert ["billing" in d.message for d in resolution.outcome.errors].count(True) == 1


def test_families_are_given_as_wished() -> None:
    desired = one("alpha", address=["auto-ipv6", "auto-ipv4"])
    resolution = run(desired)
    assert resolution.ledger.allocations["alpha"].addresses == ("203.0.113.10", "2001:db8::10")
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
    assert all(d.related and "move --reallocate alpha" in d.hint for d in resolution.outcome.errors)
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


def test_declaring_what_was_handed_out_is_refused() -> None:
    desired = fleet(
        host(**MACHINE), instance("alpha", **AUTO), instance("beta", address="203.0.113.15")
    )
    resolution = run(desired, remembered())
    assert codes(resolution) == ["ALC109"]
    assert resolution.outcome.errors[0].related[0][0].file == "desired/ledger.toml"


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
    handed_out = [(a.host, thing) for a in allocations.values() for thing in a.handed_out]
    assert len(handed_out) == len(set(handed_out))

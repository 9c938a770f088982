"""Blocks of ports on a shared address: fixed places, disjoint, remembered, never moved."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.desired import Desired, Role
from pbxfleet.model.resolved import Allocation, Ledger, ResolvedInstance
from pbxfleet.pbx.port_block import LEAST_BLOCK, OFFSETS
from pbxfleet.resolve import Resolution, resolve_and_check
from support.wishes import NO_LEDGER, fleet, host, instance, reference

ONE = "203.0.113.10"
MACHINE: dict[str, Any] = {"ports": "8000-8099", "rtp": "50000-59999", "rtp_block": 1000}


def shared(name: str, **says: Any) -> Any:
    return instance(name, **{"address": ONE, "ports": "auto", **says})


def run(*instances: Any, ledger: Ledger = NO_LEDGER, **machine: Any) -> Resolution:
    return resolve_and_check(of(*instances, **machine), reference(), ledger)


def of(*instances: Any, **machine: Any) -> Desired:
    return fleet(host(**{**MACHINE, **machine}), *instances)


def resolved(resolution: Resolution) -> dict[str, ResolvedInstance]:
    assert resolution.outcome.errors == ()
    return {i.name: i for i in resolution.sound.hosts[0].instances}


def ports_of(one: ResolvedInstance) -> dict[str, int]:
    return {listener.role: listener.bind.port for listener in one.listeners}


def codes(resolution: Resolution) -> list[str]:
    return [d.code for d in resolution.outcome.errors]


def test_every_listener_has_its_place_in_the_block() -> None:
    found = resolved(run(shared("alpha"), shared("beta")))
    assert ports_of(found["alpha"]) == {
        "http": 8000, "https": 8001, "sip_udp": 8002, "sip_tcp": 8002, "sip_tls": 8003,
    }  # fmt: skip
    assert ports_of(found["beta"])["https"] == 8011


def test_the_places_fit_the_least_block_and_do_not_meet() -> None:
    assert max(OFFSETS.values()) < LEAST_BLOCK
    same = {role for role in OFFSETS if list(OFFSETS.values()).count(OFFSETS[role]) > 1}
    assert same == {Role.SIP_UDP, Role.SIP_TCP}  # one over UDP, one over TCP


def test_media_gets_a_block_too() -> None:
    found = resolved(run(shared("alpha"), shared("beta")))
    assert [str(i.rtp.value) for i in found.values() if i.rtp] == ["50000-50999", "51000-51999"]


def test_the_ledger_remembers_both() -> None:
    entry = run(shared("alpha")).ledger.allocations["alpha"]
    assert (entry.ports, entry.rtp) == ("8000-8009", "50000-50999")


def test_what_the_instance_says_wins_over_the_block_and_the_block_over_defaults() -> None:
    desired = fleet(
        host(**MACHINE, defaults={"listen": {"https": 443}}),
        shared("alpha", listen={"sip_tls": 5061}),
        listen={"http": 80, "tftp": "off", "snmp": 161},
    )
    found = resolved(resolve_and_check(desired, reference(), NO_LEDGER))
    assert ports_of(found["alpha"]) == {
        "http": 8000, "https": 8001, "sip_udp": 8002, "sip_tcp": 8002, "sip_tls": 5061, "snmp": 8004,
    }  # fmt: skip


def test_off_of_a_default_stays_off() -> None:
    desired = fleet(host(**MACHINE), shared("alpha"), listen={"http": "off"})
    found = resolved(resolve_and_check(desired, reference(), NO_LEDGER))
    assert "http" not in ports_of(found["alpha"])


def test_a_listener_that_the_reference_opens_moves_into_the_block() -> None:
    desired = of(shared("alpha"), shared("beta"))
    found = resolved(
        resolve_and_check(desired, reference(snmp_port="198.51.100.10:161"), NO_LEDGER)
    )
    assert [ports_of(i)["snmp"] for i in found.values()] == [8004, 8014]


def test_a_declared_block_and_declared_ports_are_passed_over() -> None:
    found = resolved(
        run(
            shared("alpha"),
            shared("beta", ports="8000-8009"),
            shared("gamma", ports="off", listen={r: 8010 + n for n, r in enumerate(OFFSETS)},
                   rtp="59000-59999"),
        )
    )  # fmt: skip
    assert ports_of(found["alpha"])["http"] == 8020


def test_a_host_can_say_it_for_all() -> None:
    desired = fleet(
        host(**MACHINE, defaults={"ports": "auto", "address": ONE}),
        instance("alpha"),
        instance("beta"),
        instance("gamma", ports="off", address="203.0.113.11"),
    )
    found = resolved(resolve_and_check(desired, reference(), NO_LEDGER))
    assert [ports_of(found[name])["http"] for name in ("alpha", "beta", "gamma")] == [
        8000,
        8010,
        80,
    ]


def test_what_is_remembered_stays() -> None:
    ledger = run(shared("beta")).ledger
    again = run(shared("alpha"), shared("beta"), ledger=ledger).ledger
    assert again.allocations["beta"] == ledger.allocations["beta"]
    assert again.allocations["alpha"].ports == "8010-8019"


def test_blocks_need_ports_of_the_host() -> None:
    assert codes(run(shared("alpha"), ports="8000-8008")) == ["ALC101"]
    desired = fleet(host(rtp="50000-59999"), shared("alpha"))
    resolution = resolve_and_check(desired, reference(), NO_LEDGER)
    assert [(d.code, "8000-8999" in d.hint) for d in resolution.outcome.errors] == [
        ("ALC101", True)
    ]


def test_a_block_that_the_host_no_longer_has() -> None:
    entry = Allocation("fra1", ports="9000-9009")
    assert codes(run(shared("alpha"), ledger=Ledger({"alpha": entry}))) == ["ALC102"]


def test_a_declared_block_lies_in_the_ports_of_the_host() -> None:
    assert codes(run(shared("alpha", ports="9000-9009"))) == ["ALC105"]


def test_a_declared_block_that_was_handed_out_to_another_instance() -> None:
    ledger = run(shared("alpha")).ledger
    assert codes(run(shared("alpha"), shared("beta", ports="8005-8014"), ledger=ledger)) == [
        "ALC109"
    ]
    beside = shared("beta", ports="8010-8019")
    elsewhere = shared("beta", ports="8005-8014", address="203.0.113.11")
    for other in (beside, elsewhere):
        assert codes(run(shared("alpha"), other, ledger=ledger)) == []


def test_ports_and_media_have_ranges_of_their_own() -> None:
    assert codes(run(shared("alpha"), ports="50000-50099"))[0] == "ALC106"


def test_unmapped_sip_ports_are_asked_for() -> None:
    desired = fleet(host(**MACHINE), shared("alpha"), catalogue={})
    found = resolve_and_check(desired, reference(), NO_LEDGER).outcome.errors
    assert "sip_udp" in " ".join(d.message + d.hint for d in found if d.code == "REF102")


@given(st.lists(st.sampled_from(["auto", "8030-8039", "8045-8054", "off"]), max_size=8), st.data())
def test_no_two_blocks_meet(wishes: list[str], data: st.DataObject) -> None:
    size = data.draw(st.integers(LEAST_BLOCK, 30))
    explicit = dict.fromkeys(w for w in wishes if w[0] == "8")
    chosen = [*explicit, *(w for w in wishes if w == "auto")]
    instances = [shared(f"i{n}", ports=wish) for n, wish in enumerate(chosen)]
    resolution = run(*instances, port_block=size)
    assert set(codes(resolution)) <= {"ALC101"}
    claimed = [
        (protocol, listener.bind.port)
        for one in resolution.sound.hosts[0].instances
        for listener in one.listeners
        for protocol in listener.protocols
    ]
    assert len(claimed) == len(set(claimed))

"""What is handed out steps around the sockets of other programs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pbxfleet.model.desired import HostFile, Layer
from pbxfleet.model.net import Protocol
from pbxfleet.model.plans import ForeignListener
from pbxfleet.pbx.binds import parse_binds
from pbxfleet.resolve import resolve_and_check
from pbxfleet.resolve.allocate_capacity import capacity_of
from support.wishes import NO_LEDGER, File, fleet, host, instance, reference


def busy(*held: tuple[Protocol, str], **machine: Any) -> HostFile:
    file = File("desired/hosts/others.toml")
    listeners = tuple(
        ForeignListener(protocol, file.put(parse_binds(bind)[0]), "chrony")
        for protocol, bind in held
    )
    return replace(host(rtp="50000-59999", rtp_block=1000, **machine), foreign_listeners=listeners)


def test_an_address_that_another_program_listens_on_is_not_handed_out() -> None:
    machine = busy((Protocol.TCP, "203.0.113.10:8443"))
    found = resolve_and_check(fleet(machine, instance("alpha")), reference(), NO_LEDGER)
    assert found.ledger.allocations["alpha"].addresses == ("203.0.113.11",)


def test_blocks_have_no_port_of_another_program() -> None:
    machine = busy(
        (Protocol.UDP, "0.0.0.0:50500"),
        (Protocol.UDP, "203.0.113.20:51000"),
        (Protocol.TCP, "0.0.0.0:52500"),
        (Protocol.TCP, "203.0.113.20:8000"),
        ports="8000-8999",
    )
    near = instance("alpha", address="203.0.113.20", rtp="auto", ports="auto")
    other = instance("beta", address="203.0.113.21", rtp="auto", ports="auto")
    found = resolve_and_check(fleet(machine, near, other), reference(), NO_LEDGER)
    alpha, beta = (found.ledger.allocations[name] for name in ("alpha", "beta"))
    assert (alpha.rtp, alpha.ports) == ("51002-52001", "8010-8019")
    assert (beta.rtp, beta.ports) == ("52002-53001", "8000-8009")
    codes = {d.code for d in found.outcome.errors}
    assert codes.isdisjoint({"BND109", "RTP102"})


def test_what_is_remembered_stays_also_where_another_program_comes() -> None:
    first = resolve_and_check(
        fleet(busy(), instance("alpha", rtp="auto")), reference(), NO_LEDGER
    ).ledger
    machine = busy((Protocol.UDP, "0.0.0.0:50500"))
    again = resolve_and_check(fleet(machine, instance("alpha", rtp="auto")), reference(), first)
    assert again.ledger == first
    assert "RTP102" in {d.code for d in again.outcome.errors}


def test_capacity_counts_them_as_held_back() -> None:
    def free(machine: HostFile) -> dict[str, int]:
        found = resolve_and_check(fleet(machine, instance("alpha")), reference(), NO_LEDGER)
        capacity = capacity_of(found.sound.hosts[0], Layer(), found.ledger)
        return {supply.kind: supply.free for supply in capacity.supplies}

    held = (Protocol.UDP, "0.0.0.0:50500"), (Protocol.TCP, "203.0.113.30:22")
    before, after = free(busy()), free(busy(*held))
    assert before["IPv4 addresses"] - after["IPv4 addresses"] == 1
    assert before["RTP blocks"] - after["RTP blocks"] == 1

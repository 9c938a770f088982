"""The map of a host: every slot in one run, the strongest use shown, and as many free as are counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.app.capacity import capacities
from pbxfleet.app.reading import read_fleet
from pbxfleet.model.host_map import HostMap, Run, Use
from pbxfleet.resolve.host_map import host_map, runs_of
from support.ledger_repository import Repository
from support.tree import ROOT

USES = [use for use in Use if use is not Use.FREE]
ranges = st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda r: (r[0], r[0] + r[1]))
marks = st.builds(
    lambda where, use, name: Run(*where, use, (name,)),
    ranges,
    st.sampled_from(USES),
    st.sampled_from("abc"),
)


@given(st.lists(ranges, max_size=3), st.lists(marks, max_size=8))
def test_every_slot_is_in_the_run_of_its_strongest_use(
    pools: list[tuple[int, int]], found: list[Run]
) -> None:
    runs = runs_of(pools, found)
    slots = [(number, run) for run in runs for number in range(run.first, run.last + 1)]
    assert [number for number, _ in slots] == sorted(
        {number for first, last in pools for number in range(first, last + 1)}
    )
    for number, run in slots:
        here = [mark for mark in found if mark.first <= number <= mark.last]
        strongest = min((mark.use for mark in here), key=USES.index, default=Use.FREE)
        assert run.use is strongest
        assert set(run.names) == {m.names[0] for m in here if m.use is strongest}


def maps(folder: Path) -> dict[str, HostMap]:
    fleet = read_fleet(str(folder))
    assert fleet.resolved is not None and fleet.ledger is not None
    found = {host.name: host_map(host, fleet.ledger) for host in fleet.resolved.hosts}
    for capacity in capacities(fleet, ()):
        one = found[capacity.host]
        runs = {f"IPv{a.version} addresses": a.runs for a in one.addresses}
        runs["cores"] = one.cores
        for supply in capacity.supplies:
            if supply.kind in runs:
                counts = [sum(r.size for r in runs[supply.kind] if r.use is use)
                          for use in (Use.FREE, Use.USED, Use.GONE)]  # fmt: skip
                assert counts == [supply.free, supply.used, supply.gone]
    return found


def test_the_example_fleet() -> None:
    found = maps(ROOT)
    fra1 = found["fra1"]
    assert [i.name for i in fra1.instances[:3]] == ["acme", "birch", "cedar"]
    assert fra1.standard == ("203.0.113.2", "2001:db8:1::2")
    acme = fra1.instances[0]
    assert acme.half is not None and acme.half.peer_host == "ber1"
    assert acme.rtp == (49152, 51199) and acme.cpu == 2
    assert [(r.use, r.size) for r in fra1.cores[:2]] == [(Use.SYSTEM, 2), (Use.USED, 1)]
    rtp = found["ber1"].rtp
    assert rtp is not None and rtp.pool == (rtp.first, rtp.last) == (49152, 61439)
    assert [run.names for run in rtp.runs] == [
        ("acme-dr", "iris"), ("acme-dr", "juniper"), ("acme-dr",),
    ]  # fmt: skip


def test_what_is_reserved_gone_or_held_by_others(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    more = (
        'address = "203.0.113.12"\nreserve_address = true\n'
        'reserved = [{ addresses = "203.0.113.13", reason = "promised" }]\n'
        'reserved_cpus = [{ cpus = "15", reason = "recordings" }]\n'
        'reserved_ports = [{ ports = "50000-50001", reason = "a probe" }]\n'
        "[[foreign_listeners]]\n"
        'protocol = "udp"\nbind = "203.0.113.20:53"\nby = "unbound"\nreason = "names"\n'
    )
    path = tmp_path / "desired/hosts/fra1.toml"
    repository.write("desired/hosts/fra1.toml", path.read_text(encoding="utf-8") + more)
    repository.remove("birch")
    repository.compile()
    one = maps(tmp_path)["fra1"]
    (addresses,) = one.addresses
    uses = [(run.use, run.names, run.why) for run in addresses.runs if run.use is not Use.FREE]
    assert uses == [
        (Use.GONE, ("birch",), ""),
        (Use.USED, ("elm",), ""),
        (Use.OWN, (), ""),
        (Use.RESERVED, (), "promised"),
        (Use.FOREIGN, ("unbound",), "names"),
    ]
    assert one.cores[-1] == Run(15, 15, Use.RESERVED, (), "recordings")
    assert one.rtp is not None
    assert Run(50000, 50001, Use.RESERVED, (), "a probe") in one.rtp.runs
    assert {run.names for run in one.rtp.runs if run.use is Use.GONE} == {("birch",)}


@pytest.mark.parametrize("pools", [[], [(5, 5)], [(1, 3), (4, 6)], [(1, 9), (2, 3)]])
def test_pools_without_a_mark_are_free(pools: list[tuple[int, int]]) -> None:
    assert sum(run.size for run in runs_of(pools, ())) == len(
        {number for first, last in pools for number in range(first, last + 1)}
    )
    assert len(runs_of(pools, ())) <= 1

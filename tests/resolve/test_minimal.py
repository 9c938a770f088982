"""A conflict names the lines that cannot be true together: all of them are needed, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Desired, InstanceFile, Layer, Off, Sourced
from pbxfleet.model.net import PortRange, Protocol
from pbxfleet.model.plans import ForeignListener
from pbxfleet.pbx.binds import parse_binds
from pbxfleet.resolve import resolve
from pbxfleet.resolve.checks import check_host
from support.wishes import NO_LEDGER, REFERENCE, File, fleet, host, instance, reference

CODES = ("BND101", "BND109", "RTP101", "RTP102", "CPU103", "DIR102", "DIR103")
SILENT = {
    name: "" for name in REFERENCE if name.startswith(("ip_", "sip_", "rtp_port", "rtp_bind"))
}
LISTEN = st.fixed_dictionaries(
    {},
    optional={
        "http": st.sampled_from([80, 8080, "0.0.0.0:80", "own:80"]),
        "https": st.sampled_from([443, 80]),
        "sip_udp": st.sampled_from([5060, 50500, "own:5060"]),
    },
)
SAYS = st.fixed_dictionaries(
    {"address": st.sampled_from(["203.0.113.10", "203.0.113.11"])},
    optional={
        "listen": LISTEN,
        "cpu": st.sampled_from([1, 2]),
        "rtp": st.sampled_from(["50000-50999", "50400-51399", "52000-52999"]),
        "directory": st.sampled_from(["/srv/a", "/srv/a/b", "/srv/c"]),
    },
)
DEFAULTS = st.fixed_dictionaries(
    {},
    optional={
        "listen": st.sampled_from([{"http": 80}, {"http": "0.0.0.0:80"}, {"sip_udp": 50500}]),
        "cpu": st.just(1),
        "rtp": st.just("50000-50999"),
    },
)
FOREIGN = st.lists(
    st.tuples(st.sampled_from(Protocol), st.sampled_from(["0.0.0.0:80", "203.0.113.10:50500"])),
    max_size=1,
)
WISHES = st.lists(SAYS, min_size=1, max_size=4)


def built(
    wishes: list[dict[str, Any]], defaults: dict[str, Any], foreign: list[tuple[Protocol, str]]
) -> Desired:
    file = File("desired/hosts/others.toml")
    held = tuple(
        ForeignListener(protocol, file.put(parse_binds(bind)[0]), "nginx")
        for protocol, bind in foreign
    )
    machine = host(addresses=["203.0.113.10-203.0.113.99"], reserve_address=False)
    named = (instance(f"i{n}", **_own(says)) for n, says in enumerate(wishes))
    return fleet(replace(machine, foreign_listeners=held), *named, **defaults)


def _own(says: dict[str, Any]) -> dict[str, Any]:
    listen = {
        role: wish.replace("own", says["address"]) if isinstance(wish, str) else wish
        for role, wish in says.get("listen", {}).items()
    }
    return {**says, "listen": listen}


def told(desired: Desired) -> list[Diagnostic]:
    sound = resolve(desired, reference(**SILENT), NO_LEDGER).sound.hosts
    return [d for one in sound for d in check_host(one) if d.code in CODES]


def lines_of(diagnostic: Diagnostic) -> frozenset[Span]:
    return frozenset({*([diagnostic.span] if diagnostic.span else []), *dict(diagnostic.related)})


def keeping(desired: Desired, lines: frozenset[Span]) -> Desired:
    """The fleet in which every other line has a value of its own that is in nobody's way."""
    names = sorted(desired.instances)
    instances = {
        name: harmless(file, number, lines)
        for number, (name, file) in enumerate((n, desired.instances[n]) for n in names)
    }
    defaults = harmless_layer(desired.fleet.defaults, 0, lines)
    machine = desired.hosts["fra1"]
    held = tuple(one for one in machine.foreign_listeners if one.bind.origin in lines)
    return replace(
        desired,
        fleet=replace(desired.fleet, defaults=defaults),
        hosts={"fra1": replace(machine, foreign_listeners=held)},
        instances=instances,
    )


def harmless(file: InstanceFile, number: int, lines: frozenset[Span]) -> InstanceFile:
    directory = file.directory
    if directory is not None and directory.origin not in lines:
        directory = Sourced(f"/srv/harmless-{number}", directory.origin)
    layer = harmless_layer(file.layer, number + 1, lines)
    return replace(file, directory=directory, layer=layer)


def harmless_layer(layer: Layer, number: int, lines: frozenset[Span]) -> Layer:
    def kept(written: Sourced[Any] | None, value: Any) -> Sourced[Any] | None:
        if written is None or written.origin in lines:
            return written
        return Sourced(value, written.origin)

    address = layer.address and tuple(
        kept(one, ip_address(f"203.0.113.{60 + number}")) or one for one in layer.address
    )
    ports = PortRange(20000 + 100 * number, 20099 + 100 * number)
    listen: Mapping[Any, Sourced[Any]] = {
        role: kept(wish, Off.OFF) or wish for role, wish in layer.listen.items()
    }
    if number:
        layer = replace(layer, rtp=kept(layer.rtp, ports))
    return replace(
        layer,
        address=address,
        cpu=kept(layer.cpu, Off.OFF),
        # Nothing is a range that all instances can have on one address.
        rtp=layer.rtp if number or layer.rtp is None or layer.rtp.origin in lines else None,
        listen=listen,
    )


def without(desired: Desired, line: Span) -> Desired:
    """The fleet without the instance whose first key the line is; else as it is."""
    left = {name: file for name, file in desired.instances.items() if file.span != line}
    return replace(desired, instances=left)


@given(WISHES, DEFAULTS, FOREIGN)
@settings(max_examples=30)
def test_the_lines_that_are_named_are_enough_and_all_are_needed(
    wishes: list[dict[str, Any]], defaults: dict[str, Any], foreign: list[tuple[Protocol, str]]
) -> None:
    desired = built(wishes, defaults, foreign)
    for diagnostic in told(desired):
        lines = lines_of(diagnostic)
        alone = told(keeping(desired, lines))
        assert any(d.code == diagnostic.code and lines_of(d) == lines for d in alone), diagnostic
        for line in lines:
            left = told(without(keeping(desired, lines - {line}), line))
            same = [d for d in left if d.code == diagnostic.code and lines_of(d) <= lines]
            assert same == [], (diagnostic, line, same)


@given(st.integers(2, 40))
@settings(max_examples=8)
def test_one_line_for_many_is_one_conflict(count: int) -> None:
    wishes: list[dict[str, Any]] = [{"address": f"203.0.113.{20 + n}"} for n in range(count)]
    found = told(built(wishes, {"cpu": 1, "listen": {"http": "0.0.0.0:80"}}, []))
    assert sorted(d.code for d in found) == ["BND101", "CPU103"]
    assert all(len(lines_of(d)) == 3 for d in found)

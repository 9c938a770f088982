"""Canonical text of desired/ledger.toml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from pbxfleet.model.resolved import Allocation, Ledger, Resource, Thing

_HEADER = """\
# What every instance holds, one line for each thing: what `auto` stands for was handed out once and is
# never moved while the host has it. Written by `pbxfleet compile`; commit it. `pbxfleet move` changes it.
# After a merge conflict keep one of two lines for the same thing and compile: the other instance gets
# another one.

format = 2
"""

_Rows = dict[Resource, dict[str, list[str]]]


def ledger_text(ledger: Ledger) -> bytes:
    """The file for a ledger: the same ledger always gives the same bytes.

    Sorted by host, kind and thing, so that branches which hand out the same thing change the same
    place and conflict, and branches that work on different hosts merge. The table of tombstones is
    always there, so that a first one is not written beside a new line of the last host.
    """
    hosts: dict[str, _Rows] = {}
    holders: Mapping[str, Allocation] = {**ledger.tombstones, **ledger.allocations}
    for name in sorted(holders):
        for thing, holder in _holders(name, holders[name]):
            kinds = hosts.setdefault(holders[name].host, {})
            kinds.setdefault(thing.resource, {}).setdefault(thing.text, []).append(holder)
    rows = (f'{n} = "{ledger.tombstones[n].host}"\n' for n in sorted(ledger.tombstones))
    parts = [_HEADER, "[tombstones]\n" + "".join(rows)]
    for host in sorted(hosts):
        parts += ["".join(_table(host, kind, hosts[host].get(kind))) for kind in Resource]
    return "\n".join(filter(None, parts)).encode()


def _holders(name: str, allocation: Allocation) -> Iterator[tuple[Thing, str]]:
    """Each thing with the holder's text: the second address of a family and later ones are numbered."""
    places = {True: 0, False: 0}
    for thing in allocation.things:
        text = name
        if thing.resource is Resource.ADDRESS:
            family = ":" in thing.text
            places[family] += 1
            text = name if places[family] == 1 else f"{name} {places[family]}"
        yield thing, text


def _table(host: str, kind: Resource, rows: Mapping[str, list[str]] | None) -> Iterator[str]:
    if not rows:
        return
    yield f"[hosts.{host}.{kind.value}]\n"
    for key in sorted(rows, key=_order):
        written = f'"{key}"' if kind is Resource.ADDRESS else key
        names = ", ".join(f'"{name}"' for name in rows[key])
        yield f"{written} = {names if len(rows[key]) == 1 else f'[{names}]'}\n"


def _order(key: str) -> tuple[int, int]:
    """Things in the order of their numbers, addresses of IPv4 first."""
    if "." in key or ":" in key:
        address = ip_address(key)
        return address.version, int(address)
    return 0, int(key.partition("-")[0])

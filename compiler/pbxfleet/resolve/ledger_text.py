"""Canonical text of desired/ledger.toml."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.model.resolved import Allocation, Ledger

_HEADER = """\
# What `auto` stands for, by instance: handed out once, never moved while the host has it.
# Written by `pbxfleet compile`; commit it. To have a value handed out anew, remove its line here.
# After a merge that gave one value to two instances, compile says which (ALC104).

format = 1
"""


def ledger_text(ledger: Ledger) -> bytes:
    """The file for a ledger: the same ledger always gives the same bytes.

    One table per instance, sorted by name and set apart by empty lines: branches that add different
    instances merge into both tables or conflict. If a clean merge gave one value to two of them,
    the next compile refuses it (ALC104).
    """
    parts = [_HEADER]
    parts += [
        "".join(_table(name, ledger.allocations[name])) for name in sorted(ledger.allocations)
    ]
    return "\n".join(parts).encode()


def _table(name: str, allocation: Allocation) -> Iterator[str]:
    yield f"[instances.{name}]\n"
    yield f'host = "{allocation.host}"\n'
    if allocation.addresses:
        yield "addresses = [" + ", ".join(f'"{text}"' for text in allocation.addresses) + "]\n"
    if allocation.cpu is not None:
        yield f"cpu = {allocation.cpu}\n"
    if allocation.rtp is not None:
        yield f'rtp = "{allocation.rtp}"\n'
    if allocation.ports is not None:
        yield f'ports = "{allocation.ports}"\n'
    if allocation.number is not None:
        yield f"number = {allocation.number}\n"

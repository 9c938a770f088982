"""Hosts that only the ledger knows: their file is gone, or a line was changed by hand."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity, nearest
from pbxfleet.model.resolved import Ledger
from pbxfleet.resolve.problems import NAMED_AT_MOST, some


def lost_hosts(ledger: Ledger, hosts: Collection[str]) -> Iterator[Diagnostic]:
    """ALC111 (a warning) once for each host that no file declares, but that the ledger has things of."""
    names: dict[str, list[str]] = {}
    known = {**ledger.tombstones, **ledger.allocations}
    for name in sorted(known):
        if known[name].host not in hosts:
            names.setdefault(known[name].host, []).append(name)
    for host in sorted(names):
        held = names[host]
        places = [(ledger.spans[name], f"of {name}") for name in held if name in ledger.spans]
        close = nearest(host, hosts)
        meant = f'did you mean "{close}"? ' if close else ""
        yield Diagnostic(
            "ALC111",
            f"the ledger has things of {some(held)} on {host}, and no host is called so",
            places[0][0] if places else None,
            Severity.WARNING,
            related=tuple(places[1:NAMED_AT_MOST]),
            hint=f"{meant}Of a host that is gone, pbxfleet move --release "
            f"{' '.join(held[:NAMED_AT_MOST])} gives them back when nothing leads there any more; a "
            "line that was changed by hand is restored from the last commit",
        )

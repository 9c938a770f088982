"""The report page of a fleet: the repository, and what is known of hosts, joined to one picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pbxfleet.app.capacity import capacities
from pbxfleet.app.fleet import Fleet
from pbxfleet.app.freshness import stale_inputs
from pbxfleet.app.reading import read_fleet
from pbxfleet.app.rehearse import rehearsed
from pbxfleet.app.report_looks import NOTHING, Told, looks
from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.errors import Refused
from pbxfleet.host.disk import package_path, read_file, write_file
from pbxfleet.model.manifest import MANIFEST, decode
from pbxfleet.model.picture import NOT_LOOKED, Finding, FleetPicture, HostPicture
from pbxfleet.resolve.host_map import host_map

STYLE = package_path("style")


def fleet_picture(
    repository: str, only: Sequence[str], told: Told = NOTHING
) -> tuple[Fleet, FleetPicture | None]:
    """The picture of every host, or of those in `only`, with what is told of them.

    None if the fleet has an error. Raises Refused if a named host is not declared, and as `looks`.
    """
    fleet = read_fleet(repository)
    resolved, ledger = fleet.resolved, fleet.ledger
    if resolved is None or ledger is None:
        return fleet, None
    capacity = {one.host: one for one in capacities(fleet, only)}
    rehearsal = {found.rehearsal.host: found.rehearsal for found in rehearsed(fleet, only)}
    known = looks(repository, capacity, told)
    hosts = tuple(
        HostPicture(
            host_map(host, ledger),
            capacity[host.name],
            rehearsal[host.name],
            _stale(repository, host.name),
            known.get(host.name, NOT_LOOKED),
        )
        for host in resolved.hosts
        if host.name in capacity
    )
    return fleet, FleetPicture(
        resolved.fleet_name, hosts, len(resolved.hosts), folded(fleet.diagnostics)
    )


def style() -> str:
    """The style sheet of the page, as it is installed with the program."""
    return (read_file(f"{STYLE}/report.css") or b"").decode()


def folded(diagnostics: Iterable[Diagnostic]) -> tuple[Finding, ...]:
    """Findings of one code and one hint as one, with the first of them; warnings come first."""
    groups: dict[tuple[str, str, str], list[Diagnostic]] = {}
    for one in diagnostics:
        groups.setdefault((str(one.severity), one.code, one.hint), []).append(one)
    found = [
        Finding(code, severity, same[0].message, _place(same[0]), hint, len(same))
        for (severity, code, hint), same in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.severity != "warning", one.code, one.place)))


def _place(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    return "" if span is None else f"{span.file}:{span.line}"


def _stale(repository: str, host: str) -> tuple[str, ...] | None:
    content = read_file(f"{repository}/rendered/{host}/{MANIFEST}")
    if content is None:
        return None
    try:
        return stale_inputs(repository, decode(content).inputs)
    except Refused:
        return (f"rendered/{host}/{MANIFEST}",)


def store(content: bytes, path: str) -> None:
    """Write the page for others to read; missing folders are made."""
    write_file(path, content, 0o644)

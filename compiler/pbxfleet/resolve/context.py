"""What every host's resolution stands on: the fleet file, the reference files, who is declared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.model.desired import FleetFile
from pbxfleet.model.resolved import Reference
from pbxfleet.resolve.elements import Elements, read_elements
from pbxfleet.resolve.problems import Problems
from pbxfleet.resolve.roles import RoleMap, role_map


@dataclass(frozen=True, slots=True)
class FleetContext:
    """The same for all hosts. `instances` are the names of all that are declared, on any host.

    `broken_releases` are declared, but not understood.

    Reference files are sorted into elements once per release; what was found in them on the way is
    in `elements_found`, and concerns the fleet only if an instance uses the release.
    """

    fleet: FleetFile
    references: Mapping[str, Reference]
    instances: Collection[str]
    roles: RoleMap
    found: tuple[Diagnostic, ...]
    broken_releases: Collection[str] = ()
    _elements: dict[str, tuple[Elements | None, tuple[Diagnostic, ...]]] = field(
        default_factory=dict
    )

    def elements(self, release: str) -> Elements | None:
        """The elements of a declared release's reference file; None without such a file."""
        return self._read(release)[0]

    def elements_found(self, release: str) -> tuple[Diagnostic, ...]:
        """What reading them reported (ADV101)."""
        return self._read(release)[1]

    def _read(self, release: str) -> tuple[Elements | None, tuple[Diagnostic, ...]]:
        if release not in self._elements:
            problems = Problems()
            reference = self.references.get(release)
            elements = None
            if reference is not None:
                file = self.fleet.releases[release]
                elements = read_elements(file, reference, self.roles, problems)
            self._elements[release] = (elements, problems.diagnostics())
        return self._elements[release]


def fleet_context(
    fleet: FleetFile,
    references: Mapping[str, Reference],
    instances: Collection[str],
    broken_releases: Collection[str] = (),
) -> FleetContext:
    """The context of a fleet; `found` has what is wrong with its `[catalogue]` (REF103)."""
    problems = Problems()
    roles = role_map(fleet, problems)
    found = problems.diagnostics()
    return FleetContext(fleet, references, instances, roles, found, broken_releases)

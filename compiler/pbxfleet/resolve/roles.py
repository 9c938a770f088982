"""Which pbx.xml element belongs to which role: confirmed names, and those that the fleet maps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pbxfleet.core.diagnostics import Diagnostic, Severity, nearest
from pbxfleet.core.span import Span
from pbxfleet.model.desired import (
    LISTENER_ROLES,
    AffinityBy,
    FleetFile,
    HostFile,
    Layer,
    Off,
    Role,
)
from pbxfleet.model.resolved import Reference
from pbxfleet.pbx.learn import learn
from pbxfleet.pbx.port_block import ALWAYS
from pbxfleet.pbx.roles import CONFIRMED, label_of
from pbxfleet.resolve.problems import NAMED_AT_MOST, Problems

# Where a role is declared, for the hint that its element is not to be set by name.
_KEYS: Mapping[Role, str] = {
    Role.RTP_BIND: "address",
    Role.RTP_START: "rtp",
    Role.RTP_END: "rtp",
    Role.AFFINITY: "cpu",
}


@dataclass(frozen=True, slots=True)
class RoleMap:
    """Element names by role and roles by element name; `origins` has the mapped ones only."""

    elements: Mapping[Role, str]
    roles: Mapping[str, Role]
    origins: Mapping[Role, Span]


def role_map(fleet: FleetFile, problems: Problems) -> RoleMap:
    """The roles whose element is known; reports elements that are mapped to two roles (REF103)."""
    elements = dict(CONFIRMED)
    elements |= {role: name.value for role, name in fleet.catalogue.items()}
    origins = {role: name.origin for role, name in fleet.catalogue.items()}
    roles: dict[str, Role] = {}
    for role in sorted(elements, key=lambda role: (role in origins, role.value)):
        first = roles.setdefault(elements[role], role)
        if first is not role:
            problems.add(_two_roles(elements[role], first, role, origins))
    return RoleMap(elements, roles, origins)


def key_of(role: Role) -> str:
    """The key of the fleet format that sets the role's element."""
    return _KEYS.get(role, f"listen.{role.value}")


def check_mapped(
    fleet: FleetFile,
    references: Mapping[str, Reference],
    unmapped: Iterable[tuple[Role, Span]],
    problems: Problems,
) -> None:
    """Report the roles that are declared in any layer but have no element (REF102).

    Once per place, with the lines to add; names come from the reference files, if these suggest any.
    """
    places: dict[Role, dict[Span, None]] = {}
    for role, place in unmapped:
        places.setdefault(role, {})[place] = None
    by_first: dict[Span, list[Role]] = {}
    for role, found in places.items():
        by_first.setdefault(next(iter(found)), []).append(role)
    names = _suggested(fleet, references) if places else {}
    for first, wanted in by_first.items():
        labels = " and ".join(f'"{label_of(role)}"' for role in wanted)
        one = len(wanted) == 1
        what = (
            f"the element of {labels}, which is" if one else f"the elements of {labels}, which are"
        )
        others = dict.fromkeys(place for role in wanted for place in [*places[role]][1:])
        problems.add(
            Diagnostic(
                "REF102",
                f"{key_of(wanted[0])} needs {what} not mapped",
                first,
                related=tuple((place, "needed here too") for place in [*others][:NAMED_AT_MOST]),
                hint=_lines_to_add(fleet.span.file, wanted, names),
            )
        )


def _lines_to_add(file: str, wanted: Iterable[Role], names: Mapping[Role, str]) -> str:
    lines = ", ".join(f'{role.value} = "{names.get(role, "...")}"' for role in wanted)
    if all(role in names for role in wanted):
        return f"add to [catalogue] in {file}: {lines} (the reference file suggests it; check it)"
    return f"add to [catalogue] in {file}: {lines}; pbxfleet learn FILE proposes names"


def _suggested(fleet: FleetFile, references: Mapping[str, Reference]) -> dict[Role, str]:
    """Names that the reference files of the releases suggest without a rival."""
    names: dict[Role, set[str]] = {}
    for name, reference in references.items():
        release = fleet.releases[name]
        for proposal in learn(reference, {a.value for a in release.reference_address}):
            if proposal.role in list(Role) and proposal.confidence in ("likely", "possible"):
                names.setdefault(Role(proposal.role), set()).add(proposal.name)
    return {role: found.pop() for role, found in names.items() if len(found) == 1}


def check_reference(
    fleet: FleetFile,
    roles: RoleMap,
    declared: Collection[Role],
    reference: Reference,
    place: Span,
    problems: Problems,
) -> None:
    """Warn of mapped elements that a reference file lacks (REF104) and of blind spots (REF105).

    `declared` are the roles that some layer declares although no element is mapped to them.
    """
    for role, mapped in roles.origins.items():
        name = roles.elements[role]
        if name not in reference.settings:
            close = nearest(name, set(reference.settings) - set(roles.roles))
            problems.add(
                Diagnostic(
                    "REF104",
                    f'{reference.file} has no element "{name}", which is mapped to {role}',
                    mapped,
                    Severity.WARNING,
                    hint=f'did you mean "{close}"?' if close else "compare it with the file",
                )
            )
    blind = [
        role.value
        for role in (*LISTENER_ROLES, Role.RTP_BIND)
        if role not in roles.elements and role not in declared
    ]
    if blind:
        message = f"nothing is known of {', '.join(blind)} in {reference.file}: not mapped"
        hint = f"they may be on every address: map them in [catalogue] of {fleet.span.file}"
        hint += f"; pbxfleet learn {reference.file} proposes names"
        problems.add(Diagnostic("REF105", message, place, Severity.WARNING, hint=hint))


def _two_roles(name: str, first: Role, role: Role, origins: Mapping[Role, Span]) -> Diagnostic:
    place = origins.get(first)
    return Diagnostic(
        "REF103",
        f'the element "{name}" is mapped to {role}, but it is that of {first}',
        origins[role],
        related=() if place is None else ((place, f"mapped to {first} here"),),
        hint=f'find the element of "{label_of(role)}"; every role has one of its own',
    )


def roles_of_host(host: HostFile) -> Iterator[tuple[Role, Span]]:
    """The roles that a host's file declares, and where."""
    yield from roles_of_layer(host.defaults)
    if host.rtp is not None:
        yield Role.RTP_START, host.rtp.origin
        yield Role.RTP_END, host.rtp.origin
    if host.affinity.value is AffinityBy.PBX:
        yield Role.AFFINITY, host.affinity.origin


def roles_of_layer(layer: Layer) -> Iterator[tuple[Role, Span]]:
    """The roles that one layer declares, and where."""
    for role, wish in layer.listen.items():
        yield role, wish.origin
    if layer.ports is not None and not isinstance(layer.ports.value, Off):
        yield from ((role, layer.ports.origin) for role in ALWAYS)
    if layer.rtp is not None:
        yield Role.RTP_START, layer.rtp.origin
        yield Role.RTP_END, layer.rtp.origin

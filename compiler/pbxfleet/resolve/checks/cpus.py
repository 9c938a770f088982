"""Cores: they exist, are not the system's, and each is given once."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import AffinityBy, Sourced
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.resolve.problems import NAMED_AT_MOST, some

# What the PBX makes of a mask that is wider than an int is not documented
# (http://wiki.pbxnsip.com/index.php/Processor_Affinity).
MASK_BITS = 32


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """CPU101 no such core, CPU102 the system's, CPU103 given twice, CPU104 beyond the mask."""
    by_core: dict[int, list[tuple[ResolvedInstance, Sourced[int]]]] = {}
    for instance in host.instances:
        if instance.cpu is not None:
            by_core.setdefault(instance.cpu.value, []).append((instance, instance.cpu))
    for core, users in sorted(by_core.items()):
        yield from _fitness(host, core, users[0][1].origin)
        yield from _shared(host, core, [(i.name, i.span, cpu.origin) for i, cpu in users])


def _fitness(host: ResolvedHost, core: int, place: Span) -> Iterator[Diagnostic]:
    cpus, system = host.file.cpus, host.file.system_cpus
    if cpus is not None and core not in cpus.value:
        yield Diagnostic(
            "CPU101",
            f"{host.name} has no core {core}",
            place,
            related=((cpus.origin, f"cores of {host.name}"),),
            hint=f'choose one of {_listed(cpus.value)}, or cpu = "auto"',
        )
    if system is not None and core in system.value:
        yield Diagnostic(
            "CPU102",
            f"core {core} is left to the system on {host.name}",
            place,
            related=((system.origin, "cores of the system"),),
            hint='choose another core, or cpu = "auto"',
        )
    if host.affinity is AffinityBy.PBX and core >= MASK_BITS:
        yield Diagnostic(
            "CPU104",
            f"a mask for core {core} has more than {MASK_BITS} bits",
            place,
            Severity.WARNING,
            related=((host.file.affinity.origin, "pinned by the PBX's own mask"),),
            hint='use affinity = "unit", which knows every core',
        )


def _shared(
    host: ResolvedHost, core: int, users: list[tuple[str, Span, Span]]
) -> Iterator[Diagnostic]:
    """One report for each line that gives a core again; one for a line that gives it to several."""
    by_place: dict[Span, list[tuple[str, Span]]] = {}
    for name, span, place in users:
        by_place.setdefault(place, []).append((name, span))
    first = users[0]
    hint = 'choose another core, cpu = "auto" or cpu = "off"'
    for place, here in by_place.items():
        if place == first[2]:
            if len(here) > 1:
                message = f"core {core} of {host.name} is given to {some(n for n, _ in here)}"
                related = tuple((span, f"instance {n}") for n, span in here[:NAMED_AT_MOST])
                yield Diagnostic("CPU103", message, place, related=related, hint=hint)
            continue
        message = (
            f"core {core} of {host.name} is given to {some([first[0], *(n for n, _ in here)])}"
        )
        related = ((first[2], f"given to {first[0]} here"),)
        yield Diagnostic("CPU103", message, place, related=related, hint=hint)


def _listed(cores: tuple[int, ...]) -> str:
    """Sorted cores as ranges: `0-3, 8`."""
    parts: list[list[int]] = []
    for core in cores:
        if parts and parts[-1][-1] == core - 1:
            parts[-1][1:] = [core]
        else:
            parts.append([core])
    return ", ".join("-".join(map(str, part)) for part in parts)

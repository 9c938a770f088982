"""Cores: they exist, are not the system's, and each is given once."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import AffinityBy
from pbxfleet.model.resolved import ResolvedHost, Resource, Thing
from pbxfleet.resolve.checks.claims import (
    Claim,
    Conflict,
    Kind,
    Line,
    accuse,
    by_cause,
    owners,
    remembered_lines,
    repeated,
    same_lines,
)
from pbxfleet.resolve.pools import core_ranges, free_cores
from pbxfleet.resolve.problems import Problems, some

# What the PBX makes of a mask that is wider than an int is not documented
# (http://wiki.pbxnsip.com/index.php/Processor_Affinity).
MASK_BITS = 32


def core_claims(host: ResolvedHost) -> list[Claim]:
    """The core of every instance that is pinned to one."""
    return [
        Claim(
            Kind.CORE,
            i.cpu.value,
            "core",
            i.name,
            i.span,
            (
                Line(i.cpu.origin, f"core {i.cpu.value}"),
                *remembered_lines(i, Thing(Resource.CORE, str(i.cpu.value)), i.cpu.origin),
            ),
        )
        for i in host.instances
        if i.cpu is not None
    ]


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """CPU101 no such core, CPU102 the system's, CPU103 given twice, CPU104 beyond the mask.

    CPU105 (advice) core 0, which serves interrupts, although others are free.
    """
    problems = Problems()
    for instance in host.instances:
        if instance.cpu is not None:
            for diagnostic in unfit_core(host, instance.cpu.value, instance.cpu.origin):
                problems.share(diagnostic, instance.name, instance.span)
    yield from problems.diagnostics()
    claims = core_claims(host)
    conflicts = (Conflict(one, more) for one, later in repeated(claims) for more in later)
    for group in by_cause(conflicts, same_lines):
        yield _shared(host, group)
    yield from _first_core(host, claims)


def unfit_core(host: ResolvedHost, core: int, place: Span) -> Iterator[Diagnostic]:
    """CPU101, CPU102 and CPU104: what is wrong with one core, whatever else its instance says."""
    cpus, system = host.file.cpus, host.file.system_cpus
    if cpus is not None and core not in cpus.value:
        yield Diagnostic(
            "CPU101",
            f"{host.name} has no core {core}",
            place,
            related=((cpus.origin, f"cores of {host.name}"),),
            hint=f'choose one of {core_ranges(cpus.value)}, or cpu = "auto"',
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


def _shared(host: ResolvedHost, group: list[Conflict]) -> Diagnostic:
    message = f"core {group[0].later.key} of {host.name} is given to {some(owners(group))}"
    hint = 'choose another core, cpu = "auto" or cpu = "off"'
    return accuse("CPU103", message, group[0], hint)


def _first_core(host: ResolvedHost, claims: list[Claim]) -> Iterator[Diagnostic]:
    taken = {claim.key for claim in claims if isinstance(claim.key, int)}
    spare = next(free_cores(host.file, {0, *taken}), None)
    system = host.file.system_cpus
    if 0 not in taken or spare is None or (system is not None and 0 in system.value):
        return  # of the system's cores CPU102 says more
    problems = Problems()
    for claim in claims:
        if claim.key == 0 and claim.place is not None and claim.home is not None:
            diagnostic = Diagnostic(
                "CPU105",
                f"core 0 of {host.name} serves interrupts as a rule",
                claim.place,
                Severity.ADVICE,
                hint=f"core {spare} is free; system_cpus = 0 keeps core 0 for the system",
            )
            problems.share(diagnostic, claim.owner, claim.home)
    yield from problems.diagnostics()

"""What a host asks of its service manager, and whether that one has it."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.model.desired import AffinityBy, ServiceBackend
from pbxfleet.model.resolved import ResolvedHost

# Managers that make a set of cores for a service: systemd by AllowedCPUs (systemd.resource-control),
# containers by the same kernel interface.
WITH_CPUSET = frozenset((ServiceBackend.SYSTEMD, ServiceBackend.COMPOSE))
# Cores of one processor group, beyond which a mask says nothing (SetProcessAffinityMask).
GROUP = 64
WITH_HARDENING = WITH_CPUSET


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """SVC101 a core that it cannot keep to, SVC102 nothing to harden, SVC110 nothing to schedule."""
    file, services = host.file, host.file.services
    chosen = ((services.origin, f'services is "{host.services}"'),)
    if host.affinity is AffinityBy.CPUSET and host.services not in WITH_CPUSET:
        yield Diagnostic(
            "SVC101",
            f'"{host.services}" cannot keep a process on a set of cores',
            file.affinity.origin,
            related=chosen,
            hint='use affinity = "unit", or "pbx"',
        )
    if host.services is ServiceBackend.WINDOWS and host.affinity is AffinityBy.UNIT:
        for instance in host.instances:
            if instance.cpu is not None and instance.cpu.value >= GROUP:
                yield Diagnostic(
                    "SVC101",
                    f"Windows pins a process to the first {GROUP} cores only, not to "
                    f"{instance.cpu.value}",
                    instance.cpu.origin,
                    related=chosen,
                    hint=f"choose a core below {GROUP}",
                )
    moment = host.schedule.drift or host.schedule.remind
    if moment is not None and moment.value and host.services is ServiceBackend.WINDOWS:
        yield Diagnostic(
            "SVC110",
            "drift is not looked for on Windows, so there is nothing to schedule",
            moment.origin,
            related=chosen,
            hint='say drift = "off" (and remind = "off") under [schedule] of this host',
        )
    hardening = file.hardening
    if hardening is not None and hardening.value and host.services not in WITH_HARDENING:
        yield Diagnostic(
            "SVC102",
            f'"{host.services}" takes nothing away from a process',
            hardening.origin,
            Severity.WARNING,
            related=chosen,
            hint="remove the line: it promises what does not happen",
        )

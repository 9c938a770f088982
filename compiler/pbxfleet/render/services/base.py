"""What a service manager module offers, and what its templates may say."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.paths import HostPath, join
from pbxfleet.model.desired import AffinityBy, ServiceBackend
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.pbx import layout
from pbxfleet.render.services.hardening import Directive, directives, written_folders


class FileText(NamedTuple):
    """What a file shall hold, and its permission bits."""

    content: bytes
    mode: int


class Backend(Protocol):
    """What a service manager module offers; the module itself is the implementation."""

    def service_file(self, host: ResolvedHost, instance: ResolvedInstance) -> FileText | None:
        """The file at `instance.paths.unit`; None if this manager needs none."""
        ...

    def problems(self, instance: ResolvedInstance) -> tuple[Diagnostic, ...]:
        """What the instance asks for and this manager cannot do."""
        ...


class ServiceValues(NamedTuple):
    """Everything that a unit or script template knows, raw; the template quotes.

    `cpu` is the core that the starter pins the process to, None if the starter does not pin;
    `cpuset` the core that the kernel keeps it on. `hardening` are lines of a unit, `writes` folders
    that stay writable beside the directory.
    """

    name: str
    service: str
    directory: str
    executable: str
    pid_file: str
    lock_file: str
    cpu: int | None
    cpuset: int | None
    stop_timeout_s: int
    hardening: tuple[Directive, ...]
    writes: tuple[HostPath, ...]


def no_service_file(host: ResolvedHost, instance: ResolvedInstance) -> FileText | None:
    """Nothing: this manager needs no file for each instance."""
    del host, instance
    return None


def no_problems(instance: ResolvedInstance) -> tuple[Diagnostic, ...]:
    """Nothing: this manager can do whatever the checks let through."""
    del instance
    return ()


def executable_path(host: ResolvedHost, instance: ResolvedInstance) -> HostPath:
    """Where the executable of the instance lies."""
    on_windows = host.services is ServiceBackend.WINDOWS
    name = layout.WINDOWS_EXECUTABLE if on_windows else layout.EXECUTABLE
    return join(instance.paths.directory, name)


def service_values(host: ResolvedHost, instance: ResolvedInstance) -> ServiceValues:
    """The values of one instance; with affinity `pbx` the starter does not pin, the PBX does."""
    paths = instance.paths
    core = None if instance.cpu is None else instance.cpu.value
    hardened = host.hardened
    return ServiceValues(
        name=instance.name,
        service=paths.service_name,
        directory=paths.directory,
        executable=executable_path(host, instance),
        pid_file=paths.pid_file,
        lock_file=paths.lock_file,
        cpu=core if host.affinity is AffinityBy.UNIT else None,
        cpuset=core if host.affinity is AffinityBy.CPUSET else None,
        stop_timeout_s=host.stop_timeout_s,
        hardening=tuple(directives(host, instance)) if hardened else (),
        writes=written_folders(host, instance) if hardened else (),
    )

"""Service managers: how one is asked, started and stopped. One module each, all of one shape."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.commands import Runner
from pbxfleet.host.files import Files
from pbxfleet.host.proc import Processes
from pbxfleet.host.refusals import refused
from pbxfleet.host.views import NOT_THERE
from pbxfleet.model.observed import RuntimeSeen, ServiceSeen, What
from pbxfleet.model.target import InstanceTarget

Running: TypeAlias = Mapping[str, RuntimeSeen]  # what was just seen to run, by instance


class Services(Protocol):
    """What a service manager offers. `runs`: whether it can start and stop anything here."""

    @property
    def runs(self) -> bool: ...

    def seen(
        self, instances: Sequence[InstanceTarget], runtime: Running | None = None
    ) -> Mapping[str, ServiceSeen]:
        """What the manager says of each instance, by its name; few questions for many."""
        ...

    def reload(self) -> None:
        """Let the manager read changed definitions again."""
        ...

    def enable(self, instance: InstanceTarget) -> None:
        """Let the instance start with the machine; an error if it then does not."""
        ...

    def disable(self, instance: InstanceTarget) -> None:
        """Let the instance not start with the machine; an error if it then still does."""
        ...

    def start(self, instance: InstanceTarget) -> None:
        """Start an instance of which no process runs."""
        ...

    def stop(self, instance: InstanceTarget, timeout_s: float) -> None:
        """Have the manager stop what it started; what it does not know is left to the caller."""
        ...


class Parts(NamedTuple):
    """What a backend is made of. `live` is False under a root folder that is not the machine's."""

    files: Files
    runner: Runner
    processes: Processes
    live: bool
    pin: bool
    program: str = ""


def settle(files: Files, directory: HostPath) -> None:
    """What other programs did to the names in a directory is on the disk; nothing if there is none."""
    try:
        opened = files.root.open_directory(directory)
    except HostError as error:
        if error.errno in NOT_THERE:
            return
        raise
    try:
        os.fsync(opened)
    except OSError as error:
        raise refused(directory, error) from error
    finally:
        os.close(opened)


class NoServices:
    """A manager that pbxfleet renders files for but cannot ask or command from here."""

    runs = False

    def __init__(self, name: str) -> None:
        self._name = name

    def seen(
        self, instances: Sequence[InstanceTarget], runtime: Running | None = None
    ) -> Mapping[str, ServiceSeen]:
        return {i.name: ServiceSeen(False, False, False, None) for i in instances}

    def reload(self) -> None:
        return

    def enable(self, instance: InstanceTarget) -> None:
        raise self._cannot(instance)

    def disable(self, instance: InstanceTarget) -> None:
        raise self._cannot(instance)

    def start(self, instance: InstanceTarget) -> None:
        raise self._cannot(instance)

    def stop(self, instance: InstanceTarget, timeout_s: float) -> None:
        raise self._cannot(instance)

    def _cannot(self, instance: InstanceTarget) -> HostError:
        return not_here(instance, self._name)


def not_here(instance: InstanceTarget, name: str) -> HostError:
    """The refusal of a service command where the manager is not the one that runs this machine."""
    reason = f"the service manager {name} cannot be commanded from here"
    return HostError(instance.service, reason, code="HST109")


def put_link(files: Files, path: HostPath, target: str) -> None:
    """Make a link that a service manager reads; what is no link there is somebody's, and refused."""
    if files.look(path).what not in (What.ABSENT, What.SYMLINK):
        raise HostError(path, "is not a link; move it aside", code="HST105")
    files.make_link(path, target)


def backend(name: str, parts: Parts) -> Services:
    """The service manager of that name, as in the fleet format."""
    if name == "systemd":
        from pbxfleet.host.services.systemd import Systemd

        return Systemd(parts)
    if name == "sysv":
        from pbxfleet.host.services.sysv import Sysv

        return Sysv(parts)
    if name == "compose":
        from pbxfleet.host.services.compose import Compose

        return Compose(parts)
    if name == "direct":
        from pbxfleet.host.services.direct import Direct

        return Direct(parts)
    return NoServices(name)

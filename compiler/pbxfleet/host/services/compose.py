"""Containers: made by a compose program from one file an instance, asked and stopped by their engine.

A container of our file is started with the machine by its restart policy, as long as it exists. With
Docker that is all; Podman has a unit for it, podman-restart.service, which the host must have enabled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.services import Parts, Running, not_here
from pbxfleet.model.observed import ServiceSeen, What
from pbxfleet.model.target import InstanceTarget

FOLDER = HostPath("/etc/pbx/compose")
FILE = "compose.yaml"
AT_ONCE = 200
MARGIN_S = 30.0
CREATE_S = 600.0  # an image that is not here yet is fetched first
FORMAT = "{{.Name}}\t{{.State.Running}}\t{{.State.Pid}}\t{{.HostConfig.RestartPolicy.Name}}"
STARTED_WITH_THE_MACHINE = frozenset(("always", "unless-stopped"))


class ContainerSeen(NamedTuple):
    """What the engine says of one container."""

    running: bool
    pid: int | None
    policy: str


def engine_of(program: str) -> str:
    """The program of the container engine under a compose program: its first word."""
    return program.replace("-", " ").split(" ", 1)[0]


def parse_inspect(text: str) -> dict[str, ContainerSeen]:
    """Containers by their names, from lines as `FORMAT` makes them; Docker puts a slash before names."""
    found = {}
    for line in text.splitlines():
        name, running, pid, policy = line.split("\t")
        runs = running == "true"
        found[name.removeprefix("/")] = ContainerSeen(runs, int(pid) if runs else None, policy)
    return found


class Compose:
    """One compose project, with one container, for each instance."""

    def __init__(self, parts: Parts) -> None:
        self._files = parts.files
        self._runner = parts.runner
        self._live = parts.live
        self._program = tuple(parts.program.split())
        self._engine = engine_of(parts.program)

    @property
    def runs(self) -> bool:
        return self._live

    def seen(
        self, instances: Sequence[InstanceTarget], runtime: Running | None = None
    ) -> Mapping[str, ServiceSeen]:
        if not self._live:
            return {i.name: self._seen_on_disk(i) for i in instances}
        containers = self._containers({i.service for i in instances})
        return {i.name: _seen(containers.get(i.service)) for i in instances}

    def _containers(self, wanted: set[str]) -> dict[str, ContainerSeen]:
        """Those of the wanted containers that exist."""
        if not wanted:
            return {}
        listed = self._runner.check((self._engine, "ps", "--all", "--format", "{{.Names}}"))
        there = sorted(wanted.intersection(listed.stdout.split()))
        found: dict[str, ContainerSeen] = {}
        for first in range(0, len(there), AT_ONCE):
            some = there[first : first + AT_ONCE]
            argv = (self._engine, "inspect", "--type", "container", "--format", FORMAT, *some)
            found |= parse_inspect(self._runner.check(argv).stdout)
        return found

    def _seen_on_disk(self, instance: InstanceTarget) -> ServiceSeen:
        """Below a root folder there is no engine: the file is all there is, and it says `always`."""
        there = self._files.identity(_file(instance)) is not None
        return ServiceSeen(there, there, False, None)

    def reload(self) -> None:
        """Nothing to do: a compose file is read when it is used."""

    def enable(self, instance: InstanceTarget) -> None:
        """Make the container, which its policy starts with the machine."""
        if not self._live:
            return
        self._compose(instance, "up", "--no-start")
        if not self.seen((instance,))[instance.name].enabled:
            raise HostError(instance.service, "nothing starts it with the machine", code="HST105")

    def disable(self, instance: InstanceTarget) -> None:
        """Remove the container; everything that an instance knows lies in its directory."""
        if self._live and self._containers({instance.service}):
            self._runner.check((self._engine, "rm", "--force", instance.service))

    def start(self, instance: InstanceTarget) -> None:
        """Start the container, made anew if its file says something else by now."""
        if not self._live:
            raise not_here(instance, "compose")
        self._compose(instance, "up", "--detach")

    def stop(self, instance: InstanceTarget, timeout_s: float) -> None:
        if not self._live:
            raise not_here(instance, "compose")
        found = self._containers({instance.service}).get(instance.service)
        if found is not None and found.running:
            argv = (self._engine, "stop", "-t", f"{timeout_s:.0f}", instance.service)
            self._runner.check(argv, timeout_s + MARGIN_S)

    def _compose(self, instance: InstanceTarget, *words: str) -> None:
        file = self._files.root.machine_path(_file(instance))
        if self._files.look(_file(instance)).what is not What.FILE:
            raise HostError(_file(instance), "there is no compose file", code="HST105")
        project = ("--project-name", instance.service, "--file", file)
        self._runner.check((*self._program, *project, *words), CREATE_S)


def _file(instance: InstanceTarget) -> HostPath:
    return join(FOLDER, instance.service, FILE)


def _seen(container: ContainerSeen | None) -> ServiceSeen:
    if container is None:
        return ServiceSeen(False, False, False, None)
    enabled = container.policy in STARTED_WITH_THE_MACHINE
    return ServiceSeen(True, enabled, container.running, container.pid)

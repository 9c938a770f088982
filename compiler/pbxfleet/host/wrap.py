"""Hosts around hosts: one that remembers effects, one that fails, one that cannot write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host
from pbxfleet.host.dryrun import DryRunHost
from pbxfleet.model.asking import Answer, Question
from pbxfleet.model.observed import (
    HostFacts,
    ProcessSeen,
    RuntimeSeen,
    Seen,
    ServiceSeen,
    SocketSeen,
    TreeSize,
)
from pbxfleet.model.target import ExpectedListener, InstanceTarget

__all__ = ["DryRunHost", "Effect", "FailingHost", "Power", "RecordingHost"]


class Power(BaseException):
    """The power went out: nobody may catch it but the test that injected it."""


class Effect(NamedTuple):
    """One effect on a host: the name of the method, and the path or instance it was about."""

    name: str
    subject: str


class _Through:
    """A host that passes everything on; effects go through `_effect`, in one place."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def _effect(self, effect: Effect, perform: Callable[[], None]) -> None:
        perform()

    def look(self, path: HostPath) -> Seen:
        return self._host.look(path)

    def read(self, path: HostPath) -> bytes | None:
        return self._host.read(path)

    def identity(self, path: HostPath) -> tuple[int, int, int, int, int] | None:
        return self._host.identity(path)

    def link_target(self, path: HostPath) -> str | None:
        return self._host.link_target(path)

    def names(self, directory: HostPath) -> tuple[str, ...]:
        return self._host.names(directory)

    def tree_size(self, path: HostPath) -> TreeSize:
        return self._host.tree_size(path)

    def free_bytes(self, folder: HostPath) -> int:
        return self._host.free_bytes(folder)

    def service(self, instance: InstanceTarget) -> ServiceSeen:
        return self._host.service(instance)

    def service_states(
        self,
        instances: Sequence[InstanceTarget],
        runtime: Mapping[str, RuntimeSeen] | None = None,
    ) -> Mapping[str, ServiceSeen]:
        return self._host.service_states(instances, runtime)

    def runtime(self, instances: Sequence[InstanceTarget]) -> Mapping[str, RuntimeSeen]:
        return self._host.runtime(instances)

    def started_ns(self, process: ProcessSeen) -> int | None:
        return self._host.started_ns(process)

    def foreign_sockets(self, instances: Sequence[InstanceTarget]) -> tuple[SocketSeen, ...]:
        return self._host.foreign_sockets(instances)

    def running(
        self, instances: Sequence[InstanceTarget]
    ) -> tuple[Mapping[str, RuntimeSeen], tuple[SocketSeen, ...]]:
        return self._host.running(instances)

    def ask(
        self, instance: InstanceTarget, question: Question, listener: ExpectedListener
    ) -> Answer:
        return self._host.ask(instance, question, listener)

    def configure(
        self, instance: InstanceTarget, listener: ExpectedListener, values: Mapping[str, str]
    ) -> Answer:
        answers: list[Answer] = []
        effect = Effect("configure", instance.name)
        self._effect(
            effect, lambda: answers.append(self._host.configure(instance, listener, values))
        )
        return answers[0]

    def facts(self) -> HostFacts:
        return self._host.facts()

    @property
    def runs_services(self) -> bool:
        return self._host.runs_services

    @property
    def owners_matter(self) -> bool:
        return self._host.owners_matter

    def make_directory(self, path: HostPath, mode: int, owner: str) -> None:
        effect = Effect("make_directory", path)
        self._effect(effect, lambda: self._host.make_directory(path, mode, owner))

    def write(self, path: HostPath, content: bytes, mode: int | None, owner: str) -> None:
        self._effect(Effect("write", path), lambda: self._host.write(path, content, mode, owner))

    def swap(
        self, path: HostPath, before: bytes | None, after: bytes, mode: int | None, owner: str
    ) -> bool:
        done: list[bool] = []
        swap = self._host.swap
        effect = Effect("write", path)  # what it does to the host, if it does anything
        self._effect(effect, lambda: done.append(swap(path, before, after, mode, owner)))
        return done[0]

    def append(self, path: HostPath, content: bytes) -> None:
        self._effect(Effect("append", path), lambda: self._host.append(path, content))

    def copy_in(self, path: HostPath, source: str, digest: Digest, mode: int, owner: str) -> None:
        effect = Effect("copy_in", path)
        self._effect(effect, lambda: self._host.copy_in(path, source, digest, mode, owner))

    def keep(self, path: HostPath, place: HostPath) -> None:
        self._effect(Effect("keep", place), lambda: self._host.keep(path, place))

    def stage(self, path: HostPath, content: bytes, mode: int, owner: str) -> None:
        self._effect(Effect("stage", path), lambda: self._host.stage(path, content, mode, owner))

    def stage_copy(
        self, path: HostPath, source: str, digest: Digest, mode: int, owner: str
    ) -> None:
        effect = Effect("stage", path)
        self._effect(effect, lambda: self._host.stage_copy(path, source, digest, mode, owner))

    def unstage(self) -> None:
        self._host.unstage()  # it fails silently where it fails

    def set_attributes(self, path: HostPath, mode: int, owner: str) -> None:
        effect = Effect("set_attributes", path)
        self._effect(effect, lambda: self._host.set_attributes(path, mode, owner))

    def make_link(self, path: HostPath, target: str) -> None:
        self._effect(Effect("make_link", path), lambda: self._host.make_link(path, target))

    def remove(self, path: HostPath) -> None:
        self._effect(Effect("remove", path), lambda: self._host.remove(path))

    def move_directory(self, path: HostPath, to: HostPath) -> None:
        effect = Effect("move_directory", path)
        self._effect(effect, lambda: self._host.move_directory(path, to))

    def archive(self, path: HostPath, to: HostPath) -> None:
        self._effect(Effect("archive", path), lambda: self._host.archive(path, to))

    def reload_services(self) -> None:
        self._effect(Effect("reload_services", ""), self._host.reload_services)

    def enable(self, instance: InstanceTarget) -> None:
        self._effect(Effect("enable", instance.name), lambda: self._host.enable(instance))

    def disable(self, instance: InstanceTarget) -> None:
        self._effect(Effect("disable", instance.name), lambda: self._host.disable(instance))

    def start(self, instance: InstanceTarget) -> None:
        self._effect(Effect("start", instance.name), lambda: self._host.start(instance))

    def stop(self, instance: InstanceTarget, timeout_s: int) -> None:
        self._effect(Effect("stop", instance.name), lambda: self._host.stop(instance, timeout_s))

    def pause(self, seconds: float) -> None:
        self._host.pause(seconds)  # waiting changes nothing

    def seconds(self) -> float:
        return self._host.seconds()

    def in_a_hurry(self) -> AbstractContextManager[None]:
        return self._host.in_a_hurry()


class RecordingHost(_Through):
    """Passes everything on; `effects` are what was done, in order, without what failed."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.effects: list[Effect] = []

    def _effect(self, effect: Effect, perform: Callable[[], None]) -> None:
        perform()
        self.effects.append(effect)


class FailingHost(_Through):
    """Passes everything on, and fails once: at effect `n` (from 0), before it or right `after` it.

    `error` is raised, by default a HostError as from a full disk. `count` is the number of effects
    that were asked for; `failed` tells whether it came so far.
    """

    def __init__(
        self, host: Host, n: int, *, after: bool = False, error: BaseException | None = None
    ) -> None:
        super().__init__(host)
        self.count = 0
        self.failed = False
        self._n = n
        self._after = after
        self._error = error

    def _effect(self, effect: Effect, perform: Callable[[], None]) -> None:
        due = self.count == self._n
        self.count += 1
        if due and not self._after:
            self._fail(effect)
        perform()
        if due:
            self._fail(effect)

    def _fail(self, effect: Effect) -> None:
        self.failed = True
        if self._error is not None:
            raise self._error
        raise HostError(effect.subject or effect.name, "no space left on device", 28)

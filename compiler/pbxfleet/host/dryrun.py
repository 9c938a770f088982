"""A host that cannot be written: what would be done is remembered, and later reads see it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import join
from pbxfleet.host.base import HostView
from pbxfleet.host.local import SEED
from pbxfleet.host.memory import Memory
from pbxfleet.host.refusals import refused
from pbxfleet.host.views import LOOK, digest_of_open, not_regular
from pbxfleet.model.asking import Answer, Question
from pbxfleet.model.observed import (
    HostFacts,
    ProcessSeen,
    RuntimeSeen,
    ServiceSeen,
    SocketSeen,
    What,
)
from pbxfleet.model.target import ExpectedListener, InstanceTarget


class DryRunHost(Memory):
    """Reads through to a view, which is all it has: there is nothing it could write to.

    An instance that was started here is shown as running with what it declares, under the process
    number 0. Whether it would come up so is the one thing that a dry run cannot know.
    """

    def __init__(self, view: HostView) -> None:
        super().__init__(view)
        self._host = view
        self._enabled: dict[str, bool] = {}
        self._running: dict[str, bool] = {}
        self._configured: dict[str, dict[str, str]] = {}

    def _source(self, source: str) -> tuple[bytes | None, Digest, int]:
        try:
            file = os.open(source, LOOK & ~os.O_NOFOLLOW)
        except OSError as error:
            raise refused(source, error) from error
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                raise not_regular(source)
            size_bytes, digest = digest_of_open(file, found.st_size)
            return None, digest, size_bytes
        finally:
            os.close(file)

    def _load(self, source: str) -> bytes:
        try:
            with open(source, "rb") as file:
                return file.read()
        except OSError as error:
            raise refused(source, error) from error

    @property
    def runs_services(self) -> bool:
        """As on the view."""
        return self._host.runs_services

    def facts(self) -> HostFacts:
        """As on the view."""
        return self._host.facts()

    def service(self, instance: InstanceTarget) -> ServiceSeen:
        """What the manager would say."""
        return self.service_states((instance,))[instance.name]

    def service_states(
        self,
        instances: Sequence[InstanceTarget],
        runtime: Mapping[str, RuntimeSeen] | None = None,
    ) -> Mapping[str, ServiceSeen]:
        """What the manager would say of many instances, by name."""
        seen = self._host.service_states(instances)
        return {i.name: self._would_be(i.name, seen[i.name]) for i in instances}

    def _would_be(self, name: str, seen: ServiceSeen) -> ServiceSeen:
        running = self._running.get(name)
        if running is not None:
            seen = seen._replace(running=running, pid=0 if running else None)
        enabled = self._enabled.get(name, seen.enabled)
        return seen._replace(enabled=enabled, installed=seen.installed or enabled)

    def runtime(self, instances: Sequence[InstanceTarget]) -> Mapping[str, RuntimeSeen]:
        """What would run: as on the view, but for instances that were started or stopped here."""
        untouched = [i for i in instances if i.name not in self._running]
        seen = dict(self._host.runtime(untouched)) if untouched else {}
        for instance in instances:
            running = self._running.get(instance.name)
            if running is not None:
                seen[instance.name] = RuntimeSeen((self._tree(instance),) if running else (), "")
        return seen

    def _tree(self, instance: InstanceTarget) -> ProcessSeen:
        cpus = self.facts().cpus if instance.cpu is None else (instance.cpu,)
        sockets = tuple(SocketSeen(*listener.bind, pid=0) for listener in instance.listeners)
        return ProcessSeen((0,), 0, cpus, False, sockets)

    def started_ns(self, process: ProcessSeen) -> int | None:
        """As on the view; nobody knows when something would be started."""
        return self._host.started_ns(process) if process.pids != (0,) else None

    def foreign_sockets(self, instances: Sequence[InstanceTarget]) -> tuple[SocketSeen, ...]:
        """As on the view."""
        return self._host.foreign_sockets(instances)

    def running(
        self, instances: Sequence[InstanceTarget]
    ) -> tuple[Mapping[str, RuntimeSeen], tuple[SocketSeen, ...]]:
        """Both, one after the other."""
        return self.runtime(instances), self.foreign_sockets(instances)

    def ask(
        self, instance: InstanceTarget, question: Question, listener: ExpectedListener
    ) -> Answer:
        """As on the view; what would have been started here is taken for healthy."""
        if instance.name in self._running:
            return Answer(200, b"", "")
        answer = self._host.ask(instance, question, listener)
        changed = self._configured.get(instance.name)
        if question is not Question.CONFIG or not changed or answer.problem:
            return answer
        return answer._replace(body=_with_values(answer.body, changed))

    def configure(
        self, instance: InstanceTarget, listener: ExpectedListener, values: Mapping[str, str]
    ) -> Answer:
        """From now on the instance is shown with these settings."""
        self._configured.setdefault(instance.name, {}).update(values)
        return Answer(200, b"true", "")

    def reload_services(self) -> None:
        """Nothing: the view has no manager to tell."""

    def enable(self, instance: InstanceTarget) -> None:
        """From now on the instance is shown as enabled."""
        self._enabled[instance.name] = True

    def disable(self, instance: InstanceTarget) -> None:
        """From now on the instance is shown as not enabled."""
        self._enabled[instance.name] = False

    def start(self, instance: InstanceTarget) -> None:
        """From now on the instance is shown as running; HST106 where a real host would refuse."""
        if self.look(join(instance.directory, SEED)).what is not What.FILE:
            raise HostError(instance.directory, f"has no {SEED}", code="HST106")
        if not self.service(instance).running and self.runtime((instance,))[instance.name].trees:
            raise HostError(instance.directory, "a process runs there already", code="HST106")
        self._running[instance.name] = True

    def stop(self, instance: InstanceTarget, timeout_s: int) -> None:
        """From now on the instance is shown as not running."""
        self._running[instance.name] = False

    def pause(self, seconds: float) -> None:
        """Nothing to wait for."""

    def seconds(self) -> float:
        """No time passes."""
        return 0.0

    def in_a_hurry(self) -> AbstractContextManager[None]:
        """Nothing is ever down."""
        return nullcontext()


def _with_values(body: bytes, values: Mapping[str, str]) -> bytes:
    import json

    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return json.dumps({**told, **values}).encode() if isinstance(told, dict) else body

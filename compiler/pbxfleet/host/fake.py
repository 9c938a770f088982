"""A whole host in memory, for thousands of runs a second. Processes are what a test says they are."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from typing import NamedTuple

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, host_path, join, parent
from pbxfleet.host.local import SEED
from pbxfleet.host.memory import Memory
from pbxfleet.model.asking import NO_ANSWER, NO_LOGIN, Answer, Question
from pbxfleet.model.observed import (
    HostFacts,
    ProcessSeen,
    RuntimeSeen,
    ServiceSeen,
    SocketSeen,
    What,
)
from pbxfleet.model.target import ExpectedListener, InstanceTarget

FACTS = HostFacts("fake", ("192.0.2.1",), (0, 1, 2, 3))
DEFINITIONS = {"systemd": "/etc/systemd/system/{}.service", "sysv": "/etc/init.d/{}"}


class FakeProcess(NamedTuple):
    """A process of an instance. `settings` and `executable` are the bytes it was started with.

    `started` is the moment, on the clock that stamps files.
    """

    pid: int
    settings: bytes | None
    executable: Digest | None
    cpus: tuple[int, ...]
    sockets: tuple[SocketSeen, ...]
    by_hand: bool
    started: int = 0


Hook = Callable[["FakeHost", InstanceTarget], None]
Answers = Callable[["FakeHost", InstanceTarget, Question, ExpectedListener], Answer]
Configures = Callable[["FakeHost", InstanceTarget, Mapping[str, str]], Answer]


class FakeHost(Memory):
    """A host of dictionaries with the whole `Host` interface.

    `tree` maps paths to contents (0644, root:root), `sources` are files of "this machine" for
    `copy_in`. What may be set at any time: `on_start`, called once a process runs, and `on_stop`,
    called while it still does (a PBX that rewrites its pbx.xml); `listens`, the sockets a new process
    opens, by default those that are declared; `answers` and `configures`, what it says when it is
    asked, by default what a healthy one without a login says; `stubborn`, instances that do not
    stop; `foreign`, sockets of strangers; `host_facts`.
    """

    def __init__(
        self,
        tree: Mapping[str, bytes] | None = None,
        services: str = "direct",
        *,
        sources: Mapping[str, bytes] | None = None,
    ) -> None:
        super().__init__()
        self.services = services
        self.sources = dict(sources or {})
        self.enabled: set[str] = set()
        self.processes: dict[str, list[FakeProcess]] = {}
        self.host_facts = FACTS
        self.foreign: tuple[SocketSeen, ...] = ()
        self.stubborn: set[str] = set()
        self.on_start: Hook | None = None
        self.on_stop: Hook | None = None
        self.listens: Callable[[FakeHost, InstanceTarget], tuple[SocketSeen, ...]] = declared
        self.answers: Answers = healthy
        self.configures: Configures = no_rest
        self.reloads = 0
        self.paused_s = 0.0
        self._pids = count(100)
        for path, content in (tree or {}).items():
            place = host_path(path)
            self.make_directory(parent(place), 0o755, "root:root")
            self.write(place, content, 0o644, "root:root")

    @property
    def runs_services(self) -> bool:
        """Always: a fake host runs whatever it is told to."""
        return True

    def tree(self) -> dict[str, tuple[str, int, str, bytes | None]]:
        """Everything on the disk: what it is, mode, owner and content, by path in order."""
        return {
            path: (entry.seen.what.value, entry.seen.mode, entry.seen.owner, entry.content)
            for path, entry in sorted(self._entries.items())
            if entry is not None
        }

    def _source(self, source: str) -> tuple[bytes | None, Digest, int]:
        if source not in self.sources:
            raise HostError(source, "no such file or directory", errno.ENOENT)
        content = self.sources[source]
        return content, digest_of(content), len(content)

    def service(self, instance: InstanceTarget) -> ServiceSeen:
        """What the manager says: of processes started by hand it knows nothing."""
        own = [p for p in self.processes.get(instance.name, ()) if not p.by_hand]
        pid = own[0].pid if own else None
        enabled = self.services == "direct" or instance.service in self.enabled
        return ServiceSeen(self._is_installed(instance), enabled, bool(own), pid)

    def service_states(
        self,
        instances: Sequence[InstanceTarget],
        runtime: Mapping[str, RuntimeSeen] | None = None,
    ) -> Mapping[str, ServiceSeen]:
        """`service` of many."""
        return {i.name: self.service(i) for i in instances}

    def _is_installed(self, instance: InstanceTarget) -> bool:
        definition = DEFINITIONS.get(self.services)
        if definition is None:
            return True
        return self.look(HostPath(definition.format(instance.service))).what is What.FILE

    def runtime(self, instances: Sequence[InstanceTarget]) -> Mapping[str, RuntimeSeen]:
        """One tree per process; `replaced` when the executable is not what it was at the start."""
        return {i.name: RuntimeSeen(tuple(self._trees(i)), "") for i in instances}

    def _trees(self, instance: InstanceTarget) -> list[ProcessSeen]:
        on_disk = self.look(instance.executable).digest
        return [
            ProcessSeen((p.pid,), p.pid, p.cpus, p.executable != on_disk, p.sockets)
            for p in self.processes.get(instance.name, ())
        ]

    def started_ns(self, process: ProcessSeen) -> int | None:
        """As of a real process; None where it is gone."""
        running = (p for processes in self.processes.values() for p in processes)
        return next((p.started for p in running if p.pid == process.pids[0]), None)

    def foreign_sockets(self, instances: Sequence[InstanceTarget]) -> tuple[SocketSeen, ...]:
        """`foreign`, and the sockets of instances that are not asked for."""
        asked = {i.name for i in instances}
        others = [p for name, ps in self.processes.items() if name not in asked for p in ps]
        return (*self.foreign, *(s for p in others for s in p.sockets))

    def facts(self) -> HostFacts:
        """`host_facts`."""
        return self.host_facts

    def running(
        self, instances: Sequence[InstanceTarget]
    ) -> tuple[Mapping[str, RuntimeSeen], tuple[SocketSeen, ...]]:
        """Both, one after the other."""
        return self.runtime(instances), self.foreign_sockets(instances)

    def ask(
        self, instance: InstanceTarget, question: Question, listener: ExpectedListener
    ) -> Answer:
        """What `answers` says; nothing where no process of the instance holds the listener."""
        trees = self.runtime([instance])[instance.name].trees
        if not any(s[:3] == listener.bind for tree in trees for s in tree.sockets):
            return Answer(0, b"", "it does not run")
        return self.answers(self, instance, question, listener)

    def configure(
        self, instance: InstanceTarget, listener: ExpectedListener, values: Mapping[str, str]
    ) -> Answer:
        """What `configures` says; by default there is no REST interface."""
        return self.configures(self, instance, values)

    def reload_services(self) -> None:
        """Count it."""
        self.reloads += 1

    def enable(self, instance: InstanceTarget) -> None:
        """Let the instance start with the machine; an error if the manager does not know it."""
        if not self._is_installed(instance):
            raise HostError(instance.service, "there is no such service", code="HST105")
        self.enabled.add(instance.service)

    def disable(self, instance: InstanceTarget) -> None:
        """Let the instance not start with the machine."""
        self.enabled.discard(instance.service)

    def start(self, instance: InstanceTarget) -> None:
        """Start the instance, with the refusals of a real host."""
        if self.look(join(instance.directory, SEED)).what is not What.FILE:
            raise HostError(instance.directory, f"has no {SEED}", code="HST106")
        if self.processes.get(instance.name):
            if self.service(instance).running:
                return
            raise HostError(instance.directory, "a process runs there already", code="HST106")
        if not self._is_installed(instance):
            raise HostError(instance.service, "there is no such service", code="HST105")
        if not self.look(instance.executable).mode & 0o111:
            raise HostError(instance.executable, "cannot be executed", code="HST108")
        self.run(instance, by_hand=False)

    def run(
        self,
        instance: InstanceTarget,
        *,
        by_hand: bool = True,
        sockets: tuple[SocketSeen, ...] | None = None,
    ) -> FakeProcess:
        """A new process of the instance, as somebody starts it on a shell."""
        process = FakeProcess(
            next(self._pids),
            self.read(join(instance.directory, SEED)),
            self.look(instance.executable).digest,
            self.host_facts.cpus if instance.cpu is None else (instance.cpu,),
            self.listens(self, instance) if sockets is None else sockets,
            by_hand,
            next(self._clock),
        )
        own = tuple(socket._replace(pid=process.pid) for socket in process.sockets)
        process = process._replace(sockets=own)
        self.processes.setdefault(instance.name, []).append(process)
        if self.on_start is not None:
            self.on_start(self, instance)
        return process

    def stop(self, instance: InstanceTarget, timeout_s: int) -> None:
        """End every process of the instance; HST107 if it is one of the stubborn."""
        if not self.processes.get(instance.name):
            return
        if instance.name in self.stubborn:
            reason = f"{instance.name} did not stop within {timeout_s} s"
            raise HostError(instance.directory, reason, errno.ETIMEDOUT, code="HST107")
        if self.on_stop is not None:
            self.on_stop(self, instance)
        del self.processes[instance.name]

    def kill(self, name: str) -> None:
        """All processes of an instance vanish, without a chance to write anything."""
        self.processes.pop(name, None)

    def pause(self, seconds: float) -> None:
        """Time passes, but only in `paused_s`."""
        self.paused_s += seconds

    def seconds(self) -> float:
        """Only pauses take time here."""
        return self.paused_s

    def in_a_hurry(self) -> AbstractContextManager[None]:
        """There is nobody else."""
        return nullcontext()


def declared(host: FakeHost, instance: InstanceTarget) -> tuple[SocketSeen, ...]:
    """The sockets a well-behaved instance opens: those that are declared."""
    return tuple(SocketSeen(s.protocol, s.address, s.port, None) for s in instance.listeners)


def healthy(
    _host: FakeHost, instance: InstanceTarget, question: Question, _listener: ExpectedListener
) -> Answer:
    """A well-behaved instance that nobody may log in to."""
    if question in (Question.SESSION, Question.OPTIONS):
        return Answer(200, b"", "")
    if question is Question.CERTIFICATE:
        return Answer(0, b"2099-12-31", "")
    return Answer(0, b"", NO_LOGIN if instance.api is None else NO_ANSWER)


def no_rest(_host: FakeHost, _instance: InstanceTarget, _values: Mapping[str, str]) -> Answer:
    """No answer to any change."""
    return Answer(0, b"", NO_ANSWER)

"""This machine as a host, or a folder of it that stands for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import join
from pbxfleet.host.commands import Runner
from pbxfleet.host.owners import Owners
from pbxfleet.host.priority import Ordinary
from pbxfleet.host.proc import Processes
from pbxfleet.host.rooted import Root
from pbxfleet.host.services import Parts, backend
from pbxfleet.host.staging import StagingFiles
from pbxfleet.host.trees import Trees
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

if TYPE_CHECKING:
    from pbxfleet.host.ask import Asker

# An instance without it would write one with wildcard binds at its first start (VODIA 0, rule 3).
SEED = "pbx.xml"


class LocalHost(StagingFiles, Trees):
    """The machine this program runs on, seen below `root`; `services` as in the fleet format.

    `root` None or `/` is the machine itself. Elsewhere systemd and init scripts are not commanded
    (`runs_services`), and only what can be done with files is done. `pin` False leaves the affinity
    of processes that we start ourselves to the PBX; `program` runs compose files. Owners are set
    only by the superuser; `look` tells them always.
    """

    def __init__(
        self, root: str | None, services: str, *, pin: bool = True, program: str = ""
    ) -> None:
        super().__init__(Root(root), Owners())
        self.processes = Processes(self.root)
        live = self.root.is_machine
        self.manager = backend(services, Parts(self, Runner(), self.processes, live, pin, program))

    @property
    def runs_services(self) -> bool:
        """Whether services can be started here; not under a root folder with a real init system."""
        return self.manager.runs

    @property
    def owners_matter(self) -> bool:
        """Whether owners can be set here, and so are compared: only for the superuser."""
        return self.owners.matter

    def service(self, instance: InstanceTarget) -> ServiceSeen:
        """What the host's service manager says of the instance."""
        return self.manager.seen((instance,))[instance.name]

    def service_states(
        self,
        instances: Sequence[InstanceTarget],
        runtime: Mapping[str, RuntimeSeen] | None = None,
    ) -> Mapping[str, ServiceSeen]:
        """What the service manager says of many instances, by name, asked at once."""
        return self.manager.seen(instances, runtime)

    def runtime(self, instances: Sequence[InstanceTarget]) -> Mapping[str, RuntimeSeen]:
        """What runs in the name of each instance, by name, from one pass over the processes."""
        return self.processes.runtime(instances)

    def started_ns(self, process: ProcessSeen) -> int | None:
        """When a process had been started for certain, on the clock that stamps files."""
        from pbxfleet.host.clock import started_ns
        from pbxfleet.host.owned import CLOCK_TOLERANCE_NS

        return started_ns(process.started_ticks) + CLOCK_TOLERANCE_NS

    def foreign_sockets(
        self, instances: Sequence[InstanceTarget], *, find_owners: bool = False
    ) -> tuple[SocketSeen, ...]:
        """Receiving sockets of this host that belong to none of the instances' process trees.

        Their processes are looked for where one is in the way, or with `find_owners`.
        """
        return self.processes.foreign_sockets(instances, find_owners=find_owners)

    def running(
        self, instances: Sequence[InstanceTarget]
    ) -> tuple[Mapping[str, RuntimeSeen], tuple[SocketSeen, ...]]:
        """`runtime` and `foreign_sockets` of the same instances, from one pass over the processes."""
        return self.processes.running(instances)

    def ask(
        self, instance: InstanceTarget, question: Question, listener: ExpectedListener
    ) -> Answer:
        """What the running instance answers at one of its own listeners, or why nothing came."""
        return self._asker().ask(instance, question, listener)

    def configure(
        self, instance: InstanceTarget, listener: ExpectedListener, values: Mapping[str, str]
    ) -> Answer:
        """Set settings of the running process through its REST interface."""
        return self._asker().configure(instance, listener, values)

    def _asker(self) -> Asker:
        from pbxfleet.host.ask import Asker

        return Asker(self, self.processes)

    def facts(self) -> HostFacts:
        """Node name, addresses and cores of the machine; the whole of 127/8 is there unlisted."""
        from pbxfleet.host.facts import facts

        return facts()

    def reload_services(self) -> None:
        """Let the service manager read changed units again."""
        self.manager.reload()

    def enable(self, instance: InstanceTarget) -> None:
        """Let the instance start with the machine."""
        self.manager.enable(instance)

    def disable(self, instance: InstanceTarget) -> None:
        """Let the instance not start with the machine."""
        self.manager.disable(instance)

    def start(self, instance: InstanceTarget) -> None:
        """Start the instance, or leave it alone if the manager runs it already.

        HST106 without a pbx.xml, or while a process runs there that the manager did not start:
        two processes in one directory would overwrite each other's settings.
        """
        if self.look(join(instance.directory, SEED)).what is not What.FILE:
            reason = f"{instance.name} has no {SEED}; started so it would take every address"
            raise HostError(instance.directory, reason, code="HST106")
        trees = self.processes.table((instance,)).trees.get(instance.name, ())
        if trees:
            main = trees[0].members[0].pid
            if self.service(instance).running:
                return
            reason = f"process {main} runs there already, and the service manager does not know it"
            raise HostError(instance.directory, reason, code="HST106")
        with Ordinary():  # what a script starts inherits it
            self.manager.start(instance)

    def stop(self, instance: InstanceTarget, timeout_s: int) -> None:
        """Stop the instance, also what was started by hand, and wait until nothing is left."""
        from pbxfleet.host.stopping import end_trees

        if self.manager.runs:
            self.manager.stop(instance, timeout_s)
        end_trees(self.processes, instance, timeout_s)

    def pause(self, seconds: float) -> None:
        """Wait, for probes that look again."""
        import time

        time.sleep(seconds)

    def seconds(self) -> float:
        """The monotonic clock of the kernel."""
        import time

        return time.monotonic()

    def in_a_hurry(self) -> Ordinary:
        """The priority of any other program, where we gave way before."""
        return Ordinary()

"""A fake host whose processes behave like the PBX, and the loop of plan and apply on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pbxfleet.app.memory import HostMemory
from pbxfleet.apply.execute import apply_plan
from pbxfleet.apply.gate import OPEN, Gate, Watch
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.base import Host, HostView
from pbxfleet.host.fake import FakeHost, FakeProcess
from pbxfleet.host.state import FOLDER, State, StateView
from pbxfleet.host.wrap import Effect, RecordingHost
from pbxfleet.model.applied import AppliedRecord, decode_record
from pbxfleet.model.observed import (
    HostFacts,
    Observed,
    RuntimeSeen,
    ServiceSeen,
    SocketSeen,
    What,
)
from pbxfleet.model.plan import ApplyReport, Do, Plan, Step
from pbxfleet.model.target import InstanceTarget, Kind
from pbxfleet.observe.observe import observe
from pbxfleet.pbx.pbx_xml import PbxXmlError, read
from pbxfleet.plan.diff import Difference, diff
from pbxfleet.plan.make import make_basis, make_plan
from support.targets import Fleet

ADDRESSES = (
    *(f"192.0.2.{last}" for last in range(1, 60)),
    *(f"2001:db8::{last}" for last in range(10, 30)),
)
PROTOCOLS = {"ip_http_port": "tcp", "sip_udp_ports": "udp", "more_tcp": "tcp"}
Rewrite = Callable[[bytes], bytes]


class Machine(FakeHost):
    """Tells processes by their executable, as a real host does; their sockets are those of pbx.xml.

    A process that finds a TCP bind of its taken ends at once. `rewrite` is what the PBX makes of its
    pbx.xml when it starts and when it stops. `accidents` are things that must never happen.
    """

    def __init__(self, services: str = "direct") -> None:
        super().__init__({}, services)
        self.host_facts = HostFacts("fra1", ADDRESSES, (0, 1, 2, 3))
        self.accidents: list[str] = []
        self.rewrite: Rewrite | None = None
        self.extra: tuple[SocketSeen, ...] = ()
        self.unreadable = ""
        self.commands_services = True
        self.listens = _settings_binds
        self.on_start = _begin
        self.on_stop = _end
        self._ours = True
        for folder in ("/etc/systemd/system", "/etc/init.d", "/srv"):
            self.make_directory(HostPath(folder), 0o755, "root:root")

    @property
    def runs_services(self) -> bool:
        """False stands for a root folder with a real service manager."""
        return self.commands_services

    def write(self, path: HostPath, content: bytes, mode: int | None, owner: str) -> None:
        """As it is, but who writes a pbx.xml under a running process is noted."""
        executable = path.replace("/pbx.xml", "/pbxctrl")
        if (
            path.endswith("/pbx.xml")
            and getattr(self, "_ours", False)
            and self.processes.get(executable)
        ):
            self.accidents.append(f"{path} was written under a running process")
        super().write(path, content, mode, owner)

    def write_as_pbx(self, instance: InstanceTarget, rewrite: Rewrite) -> None:
        """The PBX writes its own pbx.xml, as it may at any time."""
        path = join(instance.directory, "pbx.xml")
        if self.look(path).what is What.FILE:
            self._ours = False
            self.write(path, rewrite(self.read(path) or b""), None, "")
            self._ours = True

    def run(
        self,
        instance: InstanceTarget,
        *,
        by_hand: bool = True,
        sockets: tuple[SocketSeen, ...] | None = None,
    ) -> FakeProcess:
        """A new process; two in one directory are an accident unless somebody did it by hand."""
        if not by_hand and self.processes.get(instance.executable):
            self.accidents.append(f"two processes in {instance.directory}")
        return super().run(_keyed(instance), by_hand=by_hand, sockets=sockets)

    def start(self, instance: InstanceTarget) -> None:
        super().start(_keyed(instance))

    def stop(self, instance: InstanceTarget, timeout_s: int) -> None:
        super().stop(_keyed(instance), timeout_s)

    def service(self, instance: InstanceTarget) -> ServiceSeen:
        return super().service(_keyed(instance))

    def runtime(self, instances: Sequence[InstanceTarget]) -> Mapping[str, RuntimeSeen]:
        """Where two instances have one executable, the last of them has the processes."""
        owners = {i.executable: i.name for i in instances}
        return {
            i.name: RuntimeSeen(
                tuple(self._trees(_keyed(i))) if owners[i.executable] == i.name else (),
                self.unreadable,
            )
            for i in instances
        }

    def foreign_sockets(self, instances: Sequence[InstanceTarget]) -> tuple[SocketSeen, ...]:
        return super().foreign_sockets([_keyed(i) for i in instances])

    def lose_record(self, name: str) -> None:
        """Somebody removed an applied record."""
        self.remove(join(FOLDER, "records", "applied", name))

    def runs(self, directory: str) -> int:
        """How many processes run in a directory."""
        return len(self.processes.get(f"{directory}/pbxctrl", ()))


def _keyed(instance: InstanceTarget) -> InstanceTarget:
    return instance._replace(name=instance.executable)


def _settings_binds(host: FakeHost, instance: InstanceTarget) -> tuple[SocketSeen, ...]:
    """The sockets that a process opens: those its pbx.xml says."""
    extra = host.extra if isinstance(host, Machine) else ()
    try:
        document = read(host.read(join(instance.directory, "pbx.xml")) or b"")
    except PbxXmlError:
        return extra
    found = []
    for name, protocol in PROTOCOLS.items():
        setting = document.get(name)
        for text in ((setting.value if setting else "") or "").split():
            address, _, port = text.rpartition(":")
            found.append(SocketSeen(protocol, address.strip("[]") or "0.0.0.0", int(port), None))
    return (*found, *extra)


def _begin(host: FakeHost, instance: InstanceTarget) -> None:
    own = host.processes[instance.name][-1]
    taken = {
        s[:3]
        for processes in host.processes.values()
        for process in processes
        if process.pid != own.pid
        for s in process.sockets
        if s.protocol == "tcp"
    } | {s[:3] for s in host.foreign if s.protocol == "tcp"}
    if any(s[:3] in taken for s in own.sockets):
        host.processes[instance.name].remove(own)
        if not host.processes[instance.name]:
            del host.processes[instance.name]
        return
    _end(host, instance)


def _end(host: FakeHost, instance: InstanceTarget) -> None:
    if isinstance(host, Machine) and host.rewrite is not None:
        host.write_as_pbx(instance, host.rewrite)


def memory_of(host: Host) -> HostMemory:
    """Applied records and journal in the state folder of a host, as the program keeps them."""
    return HostMemory(State(host))


def records_on(view: HostView) -> dict[str, AppliedRecord]:
    """The applied records that lie on a host."""
    state = StateView(view)
    found = [decode_record(state.read_record(n) or b"") for n in state.records("applied")]
    return {record.instance: record for record in found}


class Look:
    """What one look at a host gives."""

    def __init__(self, fleet: Fleet, view: HostView) -> None:
        fields = fleet.contents.fields
        self.records = records_on(view)
        self.observed: Observed = observe(view, fleet.target, self.records, fields)
        ignoring = fleet.contents.ignoring
        self.difference: Difference = diff(
            fleet.target, self.observed, self.records, fields, ignoring
        )
        plan = make_plan(fleet.target, self.observed, self.records, self.difference, "/")
        basis = make_basis(fleet.target, self.observed, self.records, fields)
        self.plan: Plan = plan._replace(basis=basis)


def plan_of(fleet: Fleet, view: HostView) -> Plan:
    """The plan for a host as it is now."""
    return Look(fleet, view).plan


def apply_to(
    fleet: Fleet, host: Host, plan: Plan | None = None, *, close: bool = True, gate: Gate = OPEN
) -> ApplyReport:
    """Apply a plan, by default the one for the host as it is now, and (`close`) end its journal."""
    _serve(fleet, host)
    memory = memory_of(host)
    report = apply_plan(
        plan or plan_of(fleet, host),
        host,
        fleet.target,
        records_on(host),
        fleet.contents,
        memory,
        Watch(_silent, gate),
    )
    try:
        if close and not report.broken:
            memory.state.close_journal()
    except HostError as error:
        return report._replace(failure=report.failure or str(error))
    return report


def _silent(step: Step, moment: str) -> None:
    """Nobody watches."""


def _serve(fleet: Fleet, host: object) -> None:
    """Release files lie on "this machine", below every wrapper."""
    while not isinstance(host, FakeHost):
        host = host._host  # type: ignore[attr-defined]
    host.sources.update(fleet.contents.artefacts)


def applied(fleet: Fleet, services: str = "direct") -> Machine:
    """A machine on which the fleet was applied and runs."""
    machine = Machine(services)
    report = apply_to(fleet, machine)
    assert not report.failure, report.failure
    assert plan_of(fleet, machine).is_empty
    return machine


def settle(fleet: Fleet, machine: Machine) -> None:
    """Plan and apply; after that there is nothing to do, and doing it again has no effect."""
    plan = plan_of(fleet, machine)
    assert not plan.blocked, plan.blocked
    report = apply_to(fleet, machine, plan)
    assert not report.failure, report.failure
    again = RecordingHost(machine)
    second = plan_of(fleet, again)
    assert second.is_empty, second
    apply_to(fleet, again, second)
    assert again.effects == []
    assert machine.accidents == []


def effects_on_host(recorded: Sequence[Effect]) -> list[Effect]:
    """Effects without those on our own state folder, and without /etc/pbx, which its files imply.

    What is only made ready beside its place is seen by nobody, and announced by no plan.
    """
    implied = Effect("make_directory", "/etc/pbx")
    shown = (e for e in recorded if not e.subject.startswith(FOLDER) and e.name != "stage")
    return [e for e in shown if e != implied]


EFFECTS = {
    Do.MAKE_DIRECTORY: "make_directory",
    Do.WRITE: "write",
    Do.COPY_IN: "copy_in",
    Do.MERGE: "write",
    Do.CONFIGURE: "configure",
    Do.SET_ATTRIBUTES: "set_attributes",
    Do.REMOVE: "remove",
    Do.RELOAD: "reload_services",
    Do.ENABLE: "enable",
    Do.DISABLE: "disable",
    Do.STOP: "stop",
    Do.START: "start",
    Do.ARCHIVE: "archive",
    Do.MOVE_ASIDE: "move_directory",
}


def announced(plan: Plan) -> list[Effect]:
    """The effects that the steps of a plan promise, in order; a proof has none."""
    of_instance = (Do.ENABLE, Do.DISABLE, Do.STOP, Do.START, Do.CONFIGURE)
    return [
        Effect(
            EFFECTS[s.do], s.wave if s.do in of_instance else "" if s.do is Do.RELOAD else s.path
        )
        for s in plan.steps
        if s.do is not Do.PROVE
    ]


def is_ours(fleet: Fleet, path: str) -> bool:
    """Whether a path is managed: named by the target, or our own state."""
    named = {r.path for r in fleet.target.resources.values() if r.kind is not Kind.SERVICE}
    return path in named or path.startswith(FOLDER)

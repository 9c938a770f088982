"""One step on a host, and its inverse."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial

from pbxfleet.apply.files import FileSteps, expect
from pbxfleet.apply.inverse import must_be_stopped, release_of, runtime_of
from pbxfleet.apply.io import Contents
from pbxfleet.apply.live import perform_live, prepare_live, process_of
from pbxfleet.apply.prove import prove
from pbxfleet.apply.readback import Unproven
from pbxfleet.apply.ready import Ready, ready
from pbxfleet.core.errors import HostError, StalePlan
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.base import Host
from pbxfleet.model.applied import AppliedRecord, Live
from pbxfleet.model.debt import RestartDebt, by_instance
from pbxfleet.model.journal import (
    MoveBack,
    Nothing,
    ReloadAgain,
    RemoveArchive,
    SetEnabled,
    StartAgain,
    StopAgain,
)
from pbxfleet.model.observed import What
from pbxfleet.model.plan import Do, Step
from pbxfleet.model.runtime import declared_facts, observed_facts
from pbxfleet.model.target import InstanceTarget, Kind, Resource, Target
from pbxfleet.pbx.layout import PBX_XML

FILE_STEPS = (Do.WRITE, Do.COPY_IN, Do.SET_ATTRIBUTES, Do.REMOVE, Do.MERGE)


class Effects:
    """Makes steps on one host for one target ready; nothing is done before `Ready.do` is called.

    `left` are ids of resources that differ and that the plan leaves as they are, `debts` the restarts
    that were owed when the plan was made.
    """

    def __init__(
        self,
        host: Host,
        target: Target,
        records: dict[str, AppliedRecord],
        contents: Contents,
        left: Collection[str] = (),
        debts: Iterable[RestartDebt] = (),
    ) -> None:
        self.host = host
        self.target = target
        self.records = records
        self.contents = contents
        self.left = frozenset(left)
        self.files = FileSteps(host, contents)
        self.debts = by_instance(debts)
        self.live: dict[str, Live] = {}
        self.started: dict[str, str] = {}  # identity of the process, once it is proven
        self.said_live: dict[str, tuple[Unproven, ...]] = {}
        self._started_with: dict[str, bytes] = {}
        self._resources: dict[str, list[Resource]] = {}
        for resource in target.resources.values():
            self._resources.setdefault(resource.instance, []).append(resource)

    def resources(self, name: str) -> Sequence[Resource]:
        """Everything the target has for an instance, or (name "") for the host itself."""
        return self._resources.get(name, ())

    def check(self, step: Step) -> None:
        """Refused if the step needs a content that is not there; nothing on the host is looked at."""
        if step.do is Do.CONFIGURE:
            self.contents.fields(step.wave)
        self.files.check(step, self.target.resources.get(step.resource))

    def stage(self, step: Step) -> None:
        """Lay what a `write` or `copy in` puts somewhere beside that place; Refused as from `check`."""
        self.files.stage(step, self.target.resources[step.resource])

    def prepare(self, step: Step) -> Ready:
        """The step with its undo; StalePlan or HostError if what it expects is not so."""
        resource = self.target.resources.get(step.resource)
        if step.do is Do.RELOAD:
            return ready(self.host.reload_services, ReloadAgain())
        if step.do is Do.MAKE_DIRECTORY and resource is not None:
            return self.files.directory(step, resource)
        if step.do is Do.CONFIGURE:
            return self._configure(self.instance(step))
        if step.do in FILE_STEPS:
            if resource is None or resource.kind is not Kind.SETTINGS:
                return self.files.file(step, resource)
            instance = self.instance(step)
            record = self.records.get(step.wave)
            before = record.resources.get(step.resource) if record is not None else None
            return self.files.settings(step, resource, before, instance)
        if step.do in (Do.ARCHIVE, Do.MOVE_ASIDE):
            return self._leaving(step)
        return self._service(step)

    def _leaving(self, step: Step) -> Ready:
        """The directory of a removed instance, in which nothing runs any more."""
        must_be_stopped(self.host, self._previous(step))
        expect(step, self.host.look(step.path))
        to = HostPath(step.to)
        if step.do is Do.ARCHIVE:
            if self.host.look(to).what is not What.ABSENT:
                raise StalePlan(f"{to} was absent, and is there now")
            return ready(partial(self.host.archive, step.path, to), RemoveArchive(step.path, to))
        return ready(partial(self.host.move_directory, step.path, to), MoveBack(step.path, to))

    def instance(self, step: Step) -> InstanceTarget:
        """The instance a step is about, as declared now or as remembered when it is being removed."""
        return self.target.instances.get(step.wave) or self._previous(step)

    def _previous(self, step: Step) -> InstanceTarget:
        """The instance as it was applied; as declared now where it was not, or was somewhere else."""
        declared = self.target.instances.get(step.wave)
        record = self.records.get(step.wave)
        applied = record.declared if record is not None else None
        if applied is not None and (declared is None or applied.directory == declared.directory):
            return applied
        if declared is None:
            raise HostError(step.wave, "is neither declared nor remembered")
        return declared

    def _must_be_whole(self, name: str) -> None:
        """Executable and resources are read once more: a mixed pair is never started."""
        for resource in self.resources(name):
            if resource.kind is not Kind.ARTEFACT:
                continue
            if self.host.look(resource.path).digest != resource.digest:
                raise HostError(resource.path, "is not of the declared release; nothing is started")

    def _service(self, step: Step) -> Ready:
        host = self.host
        match step.do:
            case Do.STOP:
                return self._stop(step)
            case Do.START:
                instance = self.instance(step)
                must_be_stopped(host, instance)
                self._must_be_whole(step.wave)
                stop = StopAgain(instance, self.target.stop_timeout_s)
                return ready(partial(self._start, instance), stop)
            case Do.ENABLE | Do.DISABLE:
                return self._enabled(step, self.instance(step))
            case Do.PROVE:
                return Ready(partial(self._prove, self.instance(step)), Nothing())
            case _:
                raise HostError(step.resource or step.wave, f"{step.do}: not in the target")

    def _configure(self, instance: InstanceTarget) -> Ready:
        """Settings of the running process, without a restart."""
        what = prepare_live(self.host, instance, self.contents.fields(instance.name))

        def do() -> tuple[Unproven, ...]:
            said, self.live[instance.name] = perform_live(self.host, instance, what)
            self.said_live[instance.name] = said
            return said

        return Ready(do, what.inverse(instance))

    def _start(self, instance: InstanceTarget) -> None:
        path = join(instance.directory, PBX_XML)
        self.files.settings_again(path, instance)
        self._started_with[instance.name] = self.host.read(path) or b""
        self.host.start(instance)

    def _prove(self, instance: InstanceTarget) -> tuple[Unproven, ...]:
        fields = self.contents.fields(instance.name)
        started_with = self._started_with.get(instance.name, b"")
        found = prove(self.host, instance, fields, self.target.start_timeout_s, started_with)
        self.started[instance.name] = process_of(self.host, instance)
        return found

    def _enabled(self, step: Step, instance: InstanceTarget) -> Ready:
        """Let the instance start with the machine, or not."""
        do = self.host.enable if step.do is Do.ENABLE else self.host.disable
        was_enabled = self.host.service(instance).enabled
        inverse = SetEnabled(instance, was_enabled, release_of(self.host, instance))
        return ready(partial(do, instance), inverse)

    def _stop(self, step: Step) -> Ready:
        """What is stopped is the instance as it was applied, and it is started again as that."""
        instance = self._previous(step)
        stop = partial(self.host.stop, instance, self.target.stop_timeout_s)
        runtime = runtime_of(self.host, instance)
        if not runtime.trees:
            return ready(stop)
        held = observed_facts(instance, runtime).keys() & declared_facts(instance).keys()
        inverse = StartAgain(
            instance,
            release_of(self.host, instance),
            tuple(sorted(held)),
            self.target.start_timeout_s,
        )
        return ready(stop, inverse)

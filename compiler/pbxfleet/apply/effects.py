"""One step on a host, and its inverse."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pbxfleet.apply.io import Contents
from pbxfleet.apply.merge import merge, put_back
from pbxfleet.apply.prove import prove
from pbxfleet.core.errors import HostError, StalePlan
from pbxfleet.core.paths import HostPath, parent
from pbxfleet.host.base import Host
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.observed import RuntimeSeen, What
from pbxfleet.model.plan import Do, Step
from pbxfleet.model.target import InstanceTarget, Kind, Resource, Target

DEFAULT_DIRECTORY_MODE = 0o755
NEW_SETTINGS_MODE = 0o600  # pbx.xml holds secrets; the PBX is started by root

Undo = Callable[[], None]


def nothing() -> None:
    """The undo of a step that leaves nothing to undo."""


class Done(NamedTuple):
    """What a step did: how to undo it, and what a proof could not prove."""

    undo: Undo
    unproven: tuple[str, ...] = ()


class Effects:
    """Performs steps on one host for one target."""

    def __init__(
        self, host: Host, target: Target, records: dict[str, AppliedRecord], contents: Contents
    ) -> None:
        self.host = host
        self.target = target
        self.records = records
        self.contents = contents

    def perform(self, step: Step) -> Done:
        """Do one step after checking what it expects; StalePlan or HostError if that cannot be done."""
        match step.do:
            case Do.MAKE_DIRECTORY:
                resource = self.target.resources[step.resource]
                mode = DEFAULT_DIRECTORY_MODE if resource.mode is None else resource.mode
                self.host.make_directory(step.path, mode, resource.owner)
                return Done(nothing)
            case Do.WRITE | Do.COPY_IN | Do.SET_ATTRIBUTES | Do.REMOVE:
                return self._file(step)
            case Do.MERGE:
                return self._merge(step)
            case Do.RELOAD:
                self.host.reload_services()
                return Done(self.host.reload_services)
            case _:
                return self._service(step, self.instance(step))

    def instance(self, step: Step) -> InstanceTarget:
        """The instance a step is about, as declared now or as remembered when it is being removed."""
        declared = self.target.instances.get(step.wave)
        if declared is not None:
            return declared
        record = self.records.get(step.wave)
        if record is None or record.declared is None:
            raise HostError(step.wave, "is neither declared nor remembered")
        return record.declared

    def _file(self, step: Step) -> Done:
        undo = self._restore_later(step.path)
        self._expect(step)
        resource = self.target.resources.get(step.resource)
        if step.do is Do.REMOVE or resource is None:
            self.host.remove(step.path)
            return Done(undo)
        if step.expects == "absent":
            # /etc/pbx and the like: implied by the files in it, as `install -D` has it.
            self.host.make_directory(parent(step.path), DEFAULT_DIRECTORY_MODE, resource.owner)
        if step.do is Do.SET_ATTRIBUTES:
            self.host.set_attributes(step.path, resource.mode or 0, resource.owner)
        elif step.do is Do.COPY_IN:
            source = self.contents.artefact(resource.source, resource.digest)
            self.host.copy_in(
                step.path, source, resource.digest, resource.mode or 0, resource.owner
            )
        else:
            content = self.contents.rendered(resource.source, resource.digest)
            self.host.write(step.path, content, _mode(resource), resource.owner)
        return Done(undo)

    def _expect(self, step: Step) -> None:
        """Nothing is done on assumption: the file must be what it was when the step was planned."""
        if not step.expects:
            return
        seen = self.host.look(step.path)
        found = "absent" if seen.what is What.ABSENT else seen.digest or str(seen.what)
        if not found.startswith(step.expects):
            raise StalePlan(f"{step.path} was {step.expects}, is {found[:19]}")

    def _restore_later(self, path: HostPath) -> Undo:
        before = self.host.look(path)
        if before.what is not What.FILE:
            # A link that is replaced is not made again: what it pointed to has not been touched.
            return lambda: self.host.remove(path)
        content = self.host.read(path) or b""
        return lambda: self.host.write(path, content, before.mode, before.owner)

    def _merge(self, step: Step) -> Done:
        instance = self.instance(step)
        self._must_be_stopped(instance)
        record = self.records.get(step.wave)
        before = record.resources.get(step.resource) if record is not None else None
        inverse = merge(self.host, step.path, self.contents.fields(step.wave), before)
        return Done(lambda: put_back(self.host, step.path, inverse))

    def _must_be_stopped(self, instance: InstanceTarget) -> None:
        runtime = self.host.runtime([instance]).get(instance.name, RuntimeSeen((), ""))
        if runtime.trees:
            pid = runtime.trees[0].pids[0]
            raise HostError(instance.service, f"process {pid} still runs; pbx.xml is left alone")

    def _service(self, step: Step, instance: InstanceTarget) -> Done:
        host, timeout_s = self.host, self.target.stop_timeout_s
        match step.do:
            case Do.ENABLE:
                host.enable(instance)
                return Done(lambda: host.disable(instance))
            case Do.DISABLE:
                host.disable(instance)
                return Done(lambda: host.enable(instance))
            case Do.STOP:
                host.stop(instance, timeout_s)
                return Done(lambda: host.start(instance))
            case Do.START:
                self._must_be_stopped(instance)
                host.start(instance)
                return Done(lambda: host.stop(instance, timeout_s))
            case Do.PROVE:
                return Done(
                    nothing,
                    prove(
                        host, instance, self.contents.fields(step.wave), self.target.start_timeout_s
                    ),
                )
            case _:
                raise HostError(step.wave, f"{step.do} is not about a service")


def _mode(resource: Resource) -> int:
    if resource.kind is Kind.SETTINGS:
        return NEW_SETTINGS_MODE
    return resource.mode or 0

"""One step on a host, and its inverse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pbxfleet.apply.files import FileSteps
from pbxfleet.apply.io import Contents
from pbxfleet.apply.prove import prove, wait_for
from pbxfleet.apply.ready import Ready, ready
from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import join
from pbxfleet.host.base import Host
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.observed import RuntimeSeen
from pbxfleet.model.plan import Do, Step
from pbxfleet.model.runtime import declared_facts, observed_facts
from pbxfleet.model.target import InstanceTarget, Kind, Resource, Target
from pbxfleet.pbx.layout import EXECUTABLE, RESOURCES

FILE_STEPS = (Do.WRITE, Do.COPY_IN, Do.SET_ATTRIBUTES, Do.REMOVE, Do.MERGE)


class Effects:
    """Makes steps on one host for one target ready; nothing is done before `Ready.do` is called."""

    def __init__(
        self, host: Host, target: Target, records: dict[str, AppliedRecord], contents: Contents
    ) -> None:
        self.host = host
        self.target = target
        self.records = records
        self.contents = contents
        self.files = FileSteps(host, contents)
        self._resources: dict[str, list[Resource]] = {}
        for resource in target.resources.values():
            self._resources.setdefault(resource.instance, []).append(resource)

    def resources(self, name: str) -> Sequence[Resource]:
        """Everything the target has for an instance, or (name "") for the host itself."""
        return self._resources.get(name, ())

    def check(self, step: Step) -> None:
        """Refused if the step needs a content that is not there; nothing on the host is looked at."""
        self.files.check(step, self.target.resources.get(step.resource))

    def prepare(self, step: Step) -> Ready:
        """The step with its undo; StalePlan or HostError if what it expects is not so."""
        resource = self.target.resources.get(step.resource)
        if step.do is Do.RELOAD:
            return ready(self.host.reload_services, self.host.reload_services)
        if step.do is Do.MAKE_DIRECTORY and resource is not None:
            return self.files.directory(step, resource)
        if step.do in FILE_STEPS:
            if resource is None or resource.kind is not Kind.SETTINGS:
                return self.files.file(step, resource)
            instance = self.instance(step)
            record = self.records.get(step.wave)
            before = record.resources.get(step.resource) if record is not None else None
            return self.files.settings(
                step, resource, before, partial(self._must_be_stopped, instance)
            )
        return self._service(step)

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

    def _must_be_stopped(self, instance: InstanceTarget) -> None:
        runtime = self._runtime(instance)
        if runtime.trees:
            pid = runtime.trees[0].pids[0]
            raise HostError(instance.service, f"process {pid} still runs; pbx.xml is left alone")
        if runtime.unreadable:
            raise HostError(instance.service, f"may still run: {runtime.unreadable}")

    def _must_be_whole(self, name: str) -> None:
        """Executable and resources are read once more: a mixed pair is never started."""
        for resource in self.resources(name):
            if resource.kind is not Kind.ARTEFACT:
                continue
            if self.host.look(resource.path).digest != resource.digest:
                raise HostError(resource.path, "is not of the declared release; nothing is started")

    def _release_files_must_be_back(self, instance: InstanceTarget) -> Callable[[], None]:
        """A check for an undo: HostError unless both release files are what they are now."""

        def found() -> list[Digest | None]:
            names = (EXECUTABLE, RESOURCES)
            return [self.host.look(join(instance.directory, name)).digest for name in names]

        before = found()

        def check() -> None:
            if found() != before:
                why = "its release files could not be put back; it is not started with others"
                raise HostError(instance.service, why)

        return check

    def _runtime(self, instance: InstanceTarget) -> RuntimeSeen:
        return self.host.runtime([instance]).get(instance.name, RuntimeSeen((), ""))

    def _service(self, step: Step) -> Ready:
        host = self.host
        match step.do:
            case Do.STOP:
                return self._stop(step)
            case Do.START:
                instance = self.instance(step)
                self._must_be_stopped(instance)
                self._must_be_whole(step.wave)
                stop = partial(host.stop, instance, self.target.stop_timeout_s)
                return ready(partial(host.start, instance), stop)
            case Do.ENABLE | Do.DISABLE:
                return self._enabled(step, self.instance(step))
            case Do.PROVE:
                fields = self.contents.fields(step.wave)
                timeout_s = self.target.start_timeout_s
                look = partial(prove, host, self.instance(step), fields, timeout_s)
                return Ready(look, lambda: "")
            case _:
                raise HostError(step.resource or step.wave, f"{step.do}: not in the target")

    def _enabled(self, step: Step, instance: InstanceTarget) -> Ready:
        """Let the instance start with the machine, or not; never again with another pair of files."""
        host = self.host
        was_enabled = host.service(instance).enabled
        must_be_back = self._release_files_must_be_back(instance)

        def undo() -> None:
            if not was_enabled:
                host.disable(instance)
                return
            must_be_back()
            host.enable(instance)

        do = host.enable if step.do is Do.ENABLE else host.disable
        return ready(partial(do, instance), undo)

    def _stop(self, step: Step) -> Ready:
        """What is stopped is the instance as it was applied, and it is started again as that."""
        instance = self._previous(step)
        runtime = self._runtime(instance)
        held = observed_facts(instance, runtime).keys() & declared_facts(instance).keys()
        must_be_back = self._release_files_must_be_back(instance)

        def start_again() -> None:
            if not runtime.trees or self._runtime(instance).trees:
                return  # it did not run, or it still does
            must_be_back()
            self.host.start(instance)
            wait_for(self.host, instance, held, self.target.start_timeout_s)

        return ready(partial(self.host.stop, instance, self.target.stop_timeout_s), start_again)

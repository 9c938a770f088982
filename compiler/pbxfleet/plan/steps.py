"""Changes to steps: what is done in which order, what each step expects, and how it is undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pbxfleet.core.paths import HostPath
from pbxfleet.model.debt import UNIT
from pbxfleet.model.plan import Change, Do, Step, Verb
from pbxfleet.model.target import Impact, Kind, Target
from pbxfleet.model.timers import ACTIVE
from pbxfleet.plan.leaving import ARCHIVE, ASIDE
from pbxfleet.plan.waves import Bind, waves

UNDO = {
    Do.MAKE_DIRECTORY: "nothing: an empty directory harms nobody",
    Do.SET_ATTRIBUTES: "set the previous mode and owner",
    Do.REMOVE: "put the file back",
    Do.MERGE: "put the previous values back",
    Do.CONFIGURE: "set the previous values again",
    Do.RELOAD: "reload again once the files are back",
    Do.ENABLE: "disable it again",
    Do.DISABLE: "enable it again",
    Do.STOP: "start it again as it was",
    Do.START: "stop it again",
    Do.PROVE: "nothing: it only looks",
    Do.ARCHIVE: "remove the archive, once the directory is back",
    Do.MOVE_ASIDE: "give it its name again",
}
SERVICE_FOLDERS = {"systemd": "/etc/systemd/system/", "sysv": "/etc/init.d/"}
STARTED_WITH_THE_MACHINE = ("systemd", "sysv", "compose")


def make_steps(
    target: Target, changes: Sequence[Change], held: Mapping[str, Iterable[Bind]]
) -> tuple[Step, ...]:
    """Steps in order of execution, numbered from 1; `held` are the binds that each instance has now.

    Per instance: what needs no interruption, stop, files and pbx.xml while it is stopped, start, prove,
    remove what is no longer declared. The host's own files come last. While release files are
    switched, the instance does not start with the machine.
    """
    by_instance: dict[str, list[Change]] = {}
    for change in changes:
        if change.action is not Verb.KEEP:
            by_instance.setdefault(change.instance, []).append(change)
    host_wide = by_instance.pop("", [])
    removed = [n for n in by_instance if n not in target.instances]
    staying = [n for n in by_instance if n in target.instances]
    writer = _Writer(target)
    for group in waves(staying, removed, target.instances, held):
        writer.group(group, by_instance)
    for change in host_wide:
        writer.file(change, "")
    if any(_is_service_file(target, change) for change in host_wide):
        writer.reload("")
    return tuple(writer.steps)


class _Writer:
    """Collects numbered steps; one method a phase."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.steps: list[Step] = []

    def group(self, names: Sequence[str], changes: Mapping[str, list[Change]]) -> None:
        for phase in (self.prepare, self.stop, self.replace, self.start, self.finish):
            for name in names:
                phase(name, changes[name])

    def prepare(self, name: str, changes: list[Change]) -> None:
        for change in changes:
            waits = _needs_stop(change) or change.kind is Kind.SERVICE
            if not waits and change.action not in (Verb.REMOVE, Verb.MOVE):
                self.file(change, name)

    def stop(self, name: str, changes: list[Change]) -> None:
        for change in changes:
            if change.kind is Kind.SERVICE and change.impact is Impact.RESTART:
                self.add(name, Do.STOP, change, "running")
            if _switches_off(self.target, change, changes):
                self.add(name, Do.DISABLE, change, "")

    def replace(self, name: str, changes: list[Change]) -> None:
        for change in changes:
            if _needs_stop(change):
                self.file(change, name)
        removed = name not in self.target.instances
        if removed:
            for change in changes:
                if _has(change, "enabled"):
                    self.add(name, Do.DISABLE, change, "")
            self.prune(name, changes)
        if any(_is_service_file(self.target, c) or _owes_unit(self.target, c) for c in changes):
            self.reload(name)
        for change in changes:
            if change.action is Verb.MOVE:
                self.leave(name, change)

    def leave(self, name: str, change: Change) -> None:
        """The directory of a removed instance: packed if that is wished, then out of the way."""
        for do, field in ((Do.ARCHIVE, ARCHIVE), (Do.MOVE_ASIDE, ASIDE)):
            to = next((f.after or "" for f in change.fields if f.name == field), "")
            if to:
                self.add(name, do, change, "directory", to)

    def reload(self, name: str) -> None:
        """The service manager reads its files again."""
        self._step(name, Do.RELOAD, "", HostPath("/"), "", "service files changed")

    def start(self, name: str, changes: list[Change]) -> None:
        for change in changes:
            if change.kind is not Kind.SERVICE or change.action is Verb.REMOVE:
                continue
            if _has(change, "enabled") or _switches_off(self.target, change, changes):
                self.add(name, Do.ENABLE, change, "")
            if change.action in (Verb.START, Verb.RESTART):
                self.add(name, Do.START, change, "stopped")
                self.add(name, Do.PROVE, change, "running")

    def finish(self, name: str, changes: list[Change]) -> None:
        if name in self.target.instances:
            self.prune(name, changes)

    def prune(self, name: str, changes: list[Change]) -> None:
        for change in changes:
            if change.action is Verb.REMOVE and change.kind is not Kind.SERVICE:
                self.add(name, Do.REMOVE, change, _before(change))

    def file(self, change: Change, name: str) -> None:
        """The one step that brings a directory, file, release file or pbx.xml to the target."""
        if change.kind is Kind.DIRECTORY:
            self.add(name, Do.MAKE_DIRECTORY, change, "absent")
        elif change.action is Verb.REMOVE:
            self.add(name, Do.REMOVE, change, _before(change))
        elif change.kind is Kind.SETTINGS and change.impact is Impact.LIVE:
            self.add(name, Do.CONFIGURE, change, "running")
        elif change.kind is Kind.SETTINGS:
            do = Do.WRITE if change.action is Verb.CREATE else Do.MERGE
            # An instance that still runs may write the missing file when it is stopped.
            runs = do is Do.MERGE or change.impact is Impact.RESTART
            self.add(name, do, change, "stopped" if runs else "absent")
        elif change.action is Verb.START:
            return  # a timer: it starts when the service manager reads its files again
        elif not _has(change, "content"):
            self.add(name, Do.SET_ATTRIBUTES, change, "")
        else:
            do = Do.COPY_IN if change.kind is Kind.ARTEFACT else Do.WRITE
            self.add(name, do, change, _before(change))

    def add(self, wave: str, do: Do, change: Change, expects: str, to: str = "") -> None:
        impact = change.impact if do in (Do.STOP, Do.CONFIGURE) else Impact.NONE
        reason = "no longer declared" if to else change.reason  # sizes may change until it is done
        self._step(wave, do, change.resource, change.path, expects, reason, impact)
        self.steps[-1] = self.steps[-1]._replace(to=to)

    def _step(
        self,
        wave: str,
        do: Do,
        resource: str,
        path: HostPath,
        expects: str,
        reason: str,
        impact: Impact = Impact.NONE,
    ) -> None:
        undo = UNDO.get(do, "remove it" if expects == "absent" else "put the previous content back")
        number = len(self.steps) + 1
        self.steps.append(Step(number, wave, do, resource, path, expects, undo, reason, impact))


def _needs_stop(change: Change) -> bool:
    """Whether the change waits until the instance is stopped, and does not start with the machine.

    Release files always, pbx.xml unless the running process is given the settings, others by their
    impact.
    """
    if change.kind is Kind.SERVICE or change.action is Verb.REMOVE:
        return False
    if change.kind is Kind.SETTINGS:
        return change.impact is not Impact.LIVE
    if _is_release_file(change):
        return True
    return change.impact is Impact.RESTART


def _switches_off(target: Target, service: Change, changes: Iterable[Change]) -> bool:
    """Whether the instance must not start with the machine until its release files are a pair again.

    A power cut between the two files would else start an executable with another release's resources.
    """
    if target.services not in STARTED_WITH_THE_MACHINE or service.kind is not Kind.SERVICE:
        return False
    if service.action not in (Verb.START, Verb.RESTART) or _has(service, "enabled"):
        return False
    return any(_is_release_file(change) for change in changes)


def _is_release_file(change: Change) -> bool:
    return change.kind is Kind.ARTEFACT and _has(change, "content")


def _owes_unit(target: Target, change: Change) -> bool:
    """Whether somebody changed the file by which a service is started, and nobody may have reloaded."""
    owed = change.kind is Kind.SERVICE and change.action is Verb.RESTART and _has(change, UNIT)
    return owed and target.services in SERVICE_FOLDERS


def _is_service_file(target: Target, change: Change) -> bool:
    """Whether the service manager has to read the changed file again."""
    folder = SERVICE_FOLDERS.get(target.services)
    ours = change.kind is Kind.FILE and (_has(change, "content") or _has(change, ACTIVE))
    return ours and folder is not None and change.path.startswith(folder)


def _has(change: Change, field: str) -> bool:
    return any(f.name == field for f in change.fields)


def _before(change: Change) -> str:
    """What the content is now: a short digest, `absent`, `symlink`."""
    return next((f.before or "absent" for f in change.fields if f.name == "content"), "")

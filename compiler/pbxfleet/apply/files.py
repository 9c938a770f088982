"""Steps that change files: whole files, release files, and the one in which others write too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pbxfleet.apply.inverse import must_be_stopped
from pbxfleet.apply.io import Contents
from pbxfleet.apply.merge import meaning_digest, merged, prepare_merge
from pbxfleet.apply.ready import Keep, Ready, ready
from pbxfleet.apply.swap import Change, bring, bring_new
from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import StalePlan
from pbxfleet.core.paths import HostPath, parent
from pbxfleet.host.base import Host
from pbxfleet.model.applied import AppliedResource
from pbxfleet.model.journal import PutBack, PutValuesBack, RemoveSettings
from pbxfleet.model.observed import Seen, What
from pbxfleet.model.plan import Do, Step
from pbxfleet.model.target import InstanceTarget, Resource

DIRECTORY_MODE = 0o755
ARTEFACT_MODE = 0o755  # where none is declared: what is started must be executable
SHOWN = 19  # characters of a digest in a message

GONE = Digest("")  # of what is no file


class FileSteps:
    """Makes steps on files ready. Release files are looked for once, however many instances share them."""

    def __init__(self, host: Host, contents: Contents) -> None:
        self.host = host
        self.contents = contents
        self._found: dict[tuple[str, Digest], str] = {}
        self._left: dict[HostPath, tuple[bytes, Change]] = {}

    def check(self, step: Step, resource: Resource | None) -> None:
        """Refused if what the step needs is not there: found out before anything is stopped."""
        if resource is None:
            return
        if step.do is Do.COPY_IN:
            self._artefact(resource)
        elif step.do is Do.WRITE:
            self.contents.rendered(resource.source, resource.digest)
        elif step.do is Do.MERGE:
            self.contents.fields(resource.instance)

    def stage(self, step: Step, resource: Resource) -> None:
        """What the step writes or copies, beside its place; not where the mode is that of before."""
        if step.do is Do.COPY_IN:
            mode = ARTEFACT_MODE if resource.mode is None else resource.mode
            source = self._artefact(resource)
            self.host.stage_copy(step.path, source, resource.digest, mode, resource.owner)
        elif resource.mode is not None:
            content = self.contents.rendered(resource.source, resource.digest)
            self.host.stage(step.path, content, resource.mode, resource.owner)

    def directory(self, step: Step, resource: Resource) -> Ready:
        """A directory is made and stays: an empty one harms nobody."""
        mode = DIRECTORY_MODE if resource.mode is None else resource.mode
        return ready(partial(self.host.make_directory, step.path, mode, resource.owner))

    def file(self, step: Step, resource: Resource | None) -> Ready:
        """A file that is ours as a whole; StalePlan if it is not what the step expects."""
        seen = self.host.look(step.path)
        expect(step, seen)
        if step.do is Do.REMOVE or resource is None:
            return self._undoable(partial(self.host.remove, step.path), step, seen, GONE)
        if step.do is Do.SET_ATTRIBUTES:
            mode = seen.mode if resource.mode is None else resource.mode
            give = partial(self.host.set_attributes, step.path, mode, resource.owner)
            return self._undoable(give, step, seen, seen.digest or GONE)
        put = self._copy_in if step.do is Do.COPY_IN else self._write
        return self._undoable(partial(put, step.path, resource), step, seen, resource.digest)

    def _undoable(self, do: Callable[[], None], step: Step, seen: Seen, written: Digest) -> Ready:
        """A step after which the file is `written`, and whose inverse is what lies there now."""
        is_link = seen.what is What.SYMLINK
        link = self.host.link_target(step.path) or "" if is_link else ""
        digest = seen.digest or GONE
        inverse = PutBack(step.path, str(seen.what), seen.mode, seen.owner, digest, link, written)
        changes = digest and digest != written
        return ready(do, inverse, *([Keep(digest, step.path)] if changes else []))

    def settings(
        self,
        step: Step,
        resource: Resource,
        before: AppliedResource | None,
        instance: InstanceTarget,
    ) -> Ready:
        """pbx.xml: merged into what is there, or written as compiled where nothing is."""
        must_be_stopped(self.host, instance)
        if step.do is Do.WRITE:
            seen = self.host.look(step.path)
            if step.expects == What.ABSENT:
                expect(step, seen)
            if seen.what is What.ABSENT:
                return self._new_settings(step, resource, before, instance)
        fields = self.contents.fields(resource.instance)
        merge = prepare_merge(self.host, step.path, fields, before)
        digest = digest_of(merge.before)
        ours = {name: meaning_digest(value) for name, value in merge.edits.items()}
        change = self._change(step.path, resource, before)
        return ready(
            lambda: self._bring(step.path, change, instance),
            PutValuesBack(step.path, instance, digest, digest_of(merge.after), ours),
            *([Keep(digest, step.path)] if ours else []),
        )

    def settings_again(self, path: HostPath, instance: InstanceTarget) -> None:
        """Right before the start: merge once more if pbx.xml is not what this run left there."""
        left = self._left.get(path)
        if left is not None and self.host.read(path) != left[0]:
            self._bring(path, left[1], instance)

    def _bring(self, path: HostPath, change: Change, instance: InstanceTarget) -> None:
        stopped = partial(must_be_stopped, self.host, instance)
        self._left[path] = (bring(self.host, path, change, stopped), change)

    def _change(self, path: HostPath, resource: Resource, before: AppliedResource | None) -> Change:
        fields = self.contents.fields(resource.instance)
        return lambda content: merged(path, content, fields, before).after

    def _new_settings(
        self,
        step: Step,
        resource: Resource,
        before: AppliedResource | None,
        instance: InstanceTarget,
    ) -> Ready:
        def write() -> None:
            self._make_parent(step.path, resource)
            content = self.contents.rendered(resource.source, resource.digest)
            new = (content, resource.mode, resource.owner)
            stopped = partial(must_be_stopped, self.host, instance)
            left = bring_new(self.host, step.path, new, change, stopped)
            self._left[step.path] = (left, change)

        change = self._change(step.path, resource, before)
        return ready(write, RemoveSettings(step.path, instance, resource.digest))

    def _write(self, path: HostPath, resource: Resource) -> None:
        content = self.contents.rendered(resource.source, resource.digest)
        self._make_parent(path, resource)
        self.host.write(path, content, resource.mode, resource.owner)

    def _copy_in(self, path: HostPath, resource: Resource) -> None:
        source = self._artefact(resource)
        self._make_parent(path, resource)
        mode = ARTEFACT_MODE if resource.mode is None else resource.mode
        self.host.copy_in(path, source, resource.digest, mode, resource.owner)

    def _make_parent(self, path: HostPath, resource: Resource) -> None:
        """/etc/pbx and the like: implied by the files in it, as `install -D` has it."""
        folder = parent(path)
        if self.host.look(folder).what is What.ABSENT:
            self.host.make_directory(folder, DIRECTORY_MODE, resource.owner)

    def _artefact(self, resource: Resource) -> str:
        key = (resource.source, resource.digest)
        if key not in self._found:
            self._found[key] = self.contents.artefact(*key)
        return self._found[key]


def expect(step: Step, seen: Seen) -> None:
    """Nothing is done on assumption: the file must be what it was when the step was planned."""
    found = seen.digest or str(seen.what)
    if step.expects and not found.startswith(step.expects):
        raise StalePlan(f"{step.path} was {step.expects}, is {found[:SHOWN]}")

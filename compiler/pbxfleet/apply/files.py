"""Steps that change files: whole files, release files, and the one in which others write too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from pbxfleet.apply.io import Contents
from pbxfleet.apply.merge import perform_merge, prepare_merge, undo_merge
from pbxfleet.apply.ready import Ready, ready
from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import StalePlan
from pbxfleet.core.paths import HostPath, parent
from pbxfleet.host.base import Host
from pbxfleet.model.applied import AppliedResource
from pbxfleet.model.observed import Seen, What
from pbxfleet.model.plan import Do, Step
from pbxfleet.model.target import Resource

DIRECTORY_MODE = 0o755
ARTEFACT_MODE = 0o755  # where none is declared: what is started must be executable
SHOWN = 19  # characters of a digest in a message

MustBeStopped = Callable[[], None]


class Before(NamedTuple):
    """What lay at a path: `content` of a file, `link` of a symbolic link."""

    seen: Seen
    content: bytes
    link: str


class FileSteps:
    """Makes steps on files ready. Release files are looked for once, however many instances share them."""

    def __init__(self, host: Host, contents: Contents) -> None:
        self.host = host
        self.contents = contents
        self._found: dict[tuple[str, Digest], str] = {}

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

    def directory(self, step: Step, resource: Resource) -> Ready:
        """A directory is made and stays: an empty one harms nobody."""
        mode = DIRECTORY_MODE if resource.mode is None else resource.mode
        return ready(partial(self.host.make_directory, step.path, mode, resource.owner))

    def file(self, step: Step, resource: Resource | None) -> Ready:
        """A file that is ours as a whole; StalePlan if it is not what the step expects."""
        before = self._before(step)
        undo = partial(self._restore, step.path, before)
        if step.do is Do.REMOVE or resource is None:
            return ready(partial(self.host.remove, step.path), undo)
        if step.do is Do.SET_ATTRIBUTES:
            mode = before.seen.mode if resource.mode is None else resource.mode
            return ready(partial(self.host.set_attributes, step.path, mode, resource.owner), undo)
        put = self._copy_in if step.do is Do.COPY_IN else self._write
        return ready(partial(put, step.path, resource), undo)

    def settings(
        self,
        step: Step,
        resource: Resource,
        before: AppliedResource | None,
        must_be_stopped: MustBeStopped,
    ) -> Ready:
        """pbx.xml: merged into what is there, or written as compiled where nothing is."""
        must_be_stopped()
        if step.do is Do.WRITE:
            seen = self.host.look(step.path)
            if step.expects == What.ABSENT:
                _expect(step, seen)
            if seen.what is What.ABSENT:
                return self._new_settings(step, resource, must_be_stopped)
        fields = self.contents.fields(resource.instance)
        merge = prepare_merge(self.host, step.path, fields, before)

        def undo() -> None:
            must_be_stopped()
            undo_merge(self.host, merge)

        return ready(partial(perform_merge, self.host, merge), undo)

    def _new_settings(
        self, step: Step, resource: Resource, must_be_stopped: MustBeStopped
    ) -> Ready:
        def undo() -> str:
            must_be_stopped()
            content = self.host.read(step.path)
            if content is not None and content != compiled:
                return f"{step.path} is kept: the instance has written into it"
            self.host.remove(step.path)
            return ""

        compiled = self.contents.rendered(resource.source, resource.digest)
        return ready(partial(self._write, step.path, resource))._replace(undo=undo)

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

    def _before(self, step: Step) -> Before:
        seen = self.host.look(step.path)
        _expect(step, seen)
        if seen.what is What.SYMLINK:
            return Before(seen, b"", self.host.link_target(step.path) or "")
        keeps_content = seen.what is not What.FILE or step.do is Do.SET_ATTRIBUTES
        return Before(seen, b"" if keeps_content else self.host.read(step.path) or b"", "")

    def _restore(self, path: HostPath, before: Before) -> None:
        now = self.host.look(path)
        seen = before.seen
        if now == seen and (
            now.what is not What.SYMLINK or self.host.link_target(path) == before.link
        ):
            return
        if seen.what is What.ABSENT:
            self.host.remove(path)
        elif seen.what is What.SYMLINK:
            self.host.make_link(path, before.link)
        elif now.what is What.FILE and now.digest == seen.digest:
            self.host.set_attributes(path, seen.mode, seen.owner)
        else:
            self.host.write(path, before.content, seen.mode, seen.owner)


def _expect(step: Step, seen: Seen) -> None:
    """Nothing is done on assumption: the file must be what it was when the step was planned."""
    found = seen.digest or str(seen.what)
    if step.expects and not found.startswith(step.expects):
        raise StalePlan(f"{step.path} was {step.expects}, is {found[:SHOWN]}")

"""What stages may ask of a machine. Implementations: `local`, `fake`, and the wrappers in `wrap`.

All paths are host paths; an implementation with a root folder translates them. Every method raises
`core.errors.HostError` when the machine says no, with the host path or the command as its subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath
from pbxfleet.model.asking import Answer, Question
from pbxfleet.model.observed import (
    HostFacts,
    ProcessSeen,
    RuntimeSeen,
    Seen,
    ServiceSeen,
    SocketSeen,
    TreeSize,
)
from pbxfleet.model.target import ExpectedListener, InstanceTarget


class HostView(Protocol):
    """What `observe` may do: look, never touch."""

    def look(self, path: HostPath) -> Seen:
        """What lies at `path`, with the digest of a regular file's content; `ABSENT` if nothing."""
        ...

    def read(self, path: HostPath) -> bytes | None:
        """Content of a regular file, None if nothing is there; links are not followed."""
        ...

    def identity(self, path: HostPath) -> tuple[int, int, int, int, int] | None:
        """(device, inode, bytes, mtime ns, ctime ns) of a regular file, None if none is there.

        Equal identities mean unchanged content: nobody can turn back the ctime, the kernel sets it.
        """
        ...

    def link_target(self, path: HostPath) -> str | None:
        """What the symbolic link at `path` says, None if there is no link."""
        ...

    def names(self, directory: HostPath) -> tuple[str, ...]:
        """Names in a directory, sorted; empty if there is no such directory."""
        ...

    def tree_size(self, path: HostPath) -> TreeSize:
        """How much lies in a directory, without the directory itself; links are not followed."""
        ...

    def free_bytes(self, folder: HostPath) -> int:
        """How much more a file in `folder` may have, which need not be there yet."""
        ...

    def service(self, instance: InstanceTarget) -> ServiceSeen:
        """What the host's service manager says of the instance."""
        ...

    def service_states(
        self,
        instances: Sequence[InstanceTarget],
        runtime: Mapping[str, RuntimeSeen] | None = None,
    ) -> Mapping[str, ServiceSeen]:
        """What the service manager says of many instances, by name, asked at once.

        Processes that were just seen, in `runtime`, need not be looked at again.

        A thousand single questions cost seconds, this one does not.
        """
        ...

    def runtime(self, instances: Sequence[InstanceTarget]) -> Mapping[str, RuntimeSeen]:
        """What runs in the name of each instance, by name, from one pass over the processes."""
        ...

    def started_ns(self, process: ProcessSeen) -> int | None:
        """When a process had been started for certain, on the clock that stamps files.

        A file with a later ctime was changed after the start. None where that cannot be told.
        """
        ...

    def foreign_sockets(self, instances: Sequence[InstanceTarget]) -> tuple[SocketSeen, ...]:
        """Receiving sockets of this host that belong to none of the instances' process trees."""
        ...

    def running(
        self, instances: Sequence[InstanceTarget]
    ) -> tuple[Mapping[str, RuntimeSeen], tuple[SocketSeen, ...]]:
        """`runtime` and `foreign_sockets` of the same instances, from one pass over the processes."""
        ...

    def facts(self) -> HostFacts:
        """Node name, addresses and cores of the machine."""
        ...

    def ask(
        self, instance: InstanceTarget, question: Question, listener: ExpectedListener
    ) -> Answer:
        """What the running instance answers at one of its own listeners; no answer is one too.

        Only sockets that its own processes hold on this machine are connected to.
        """
        ...

    @property
    def runs_services(self) -> bool:
        """Whether services can be started here; not under a root folder with a real init system."""
        ...

    @property
    def owners_matter(self) -> bool:
        """Whether owners can be set here, and so are compared: only for the superuser."""
        ...


class Host(HostView, Protocol):
    """What `apply` may do. Every effect may be repeated; file effects are all or nothing."""

    def make_directory(self, path: HostPath, mode: int, owner: str) -> None:
        """Make `path` and missing parents (0755); an existing directory is left as it is."""
        ...

    def write(self, path: HostPath, content: bytes, mode: int | None, owner: str) -> None:
        """Put `content` at `path` atomically and durably.

        `mode` None keeps mode and owner of what is there; 0600 and `owner` for a new file.
        """
        ...

    def swap(
        self, path: HostPath, before: bytes | None, after: bytes, mode: int | None, owner: str
    ) -> bool:
        """As `write`, if the file holds `before` at that very moment (None: nothing is there).

        False, and nothing is changed, if it does not. An existing file keeps mode and owner.
        """
        ...

    def append(self, path: HostPath, content: bytes) -> None:
        """Add to the end of a file durably, all or nothing; a missing one is made with 0600."""
        ...

    def copy_in(self, path: HostPath, source: str, digest: Digest, mode: int, owner: str) -> None:
        """Copy a file of this machine to `path` atomically.

        Refuses content that does not match `digest`.
        """
        ...

    def keep(self, path: HostPath, place: HostPath) -> None:
        """Give the regular file at `path` the further name `place`, without a copy where that works.

        What is at `place` is replaced. Nothing is changed at `path`, and later changes of it by rename
        leave the kept file as it was.
        """
        ...

    def stage(self, path: HostPath, content: bytes, mode: int, owner: str) -> None:
        """Get a `write` of just this ready, so that only a rename is left of it.

        Nothing is seen of it at `path`. Nothing happens where the folder is not there yet.
        """
        ...

    def stage_copy(
        self, path: HostPath, source: str, digest: Digest, mode: int, owner: str
    ) -> None:
        """Get a `copy_in` of just this ready; refuses content that does not match `digest`."""
        ...

    def unstage(self) -> None:
        """Remove what was made ready and not used."""
        ...

    def set_attributes(self, path: HostPath, mode: int, owner: str) -> None:
        """Set permission bits and, where that is possible, the owner of a regular file."""
        ...

    def make_link(self, path: HostPath, target: str) -> None:
        """Put a symbolic link to `target` at `path` atomically, in place of a file or link."""
        ...

    def remove(self, path: HostPath) -> None:
        """Remove a file or link; nothing happens if it is not there; a directory is an error."""
        ...

    def move_directory(self, path: HostPath, to: HostPath) -> None:
        """Give a directory another name in the same folder, atomically; never over anything."""
        ...

    def archive(self, path: HostPath, to: HostPath) -> None:
        """Pack a directory into the new tar file `to`, read back, with its digest in `to`.sha256."""
        ...

    def reload_services(self) -> None:
        """Let the service manager read changed units again."""
        ...

    def enable(self, instance: InstanceTarget) -> None:
        """Let the instance start with the machine."""
        ...

    def disable(self, instance: InstanceTarget) -> None:
        """Let the instance not start with the machine."""
        ...

    def start(self, instance: InstanceTarget) -> None:
        """Start the instance; returns when the manager has started it, which is not yet a proof."""
        ...

    def stop(self, instance: InstanceTarget, timeout_s: int) -> None:
        """Stop the instance's own process tree and wait until no process of it is left."""
        ...

    def configure(
        self, instance: InstanceTarget, listener: ExpectedListener, values: Mapping[str, str]
    ) -> Answer:
        """Set settings of the running process through its REST interface; others stay as they are."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait, for probes that look again."""
        ...

    def seconds(self) -> float:
        """What a clock says that only goes forward; only differences mean anything."""
        ...

    def in_a_hurry(self) -> AbstractContextManager[None]:
        """Within it nobody else goes before us: an instance is down."""
        ...

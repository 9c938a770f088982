"""What an apply needs besides the host: contents of the target, and where it remembers what it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.journal import PutRecordBack
from pbxfleet.model.target import Field

Detail: TypeAlias = str | int | bool | Mapping[str, object]


class Contents(Protocol):
    """Contents that the target names by digest."""

    def rendered(self, source: str, digest: Digest) -> bytes:
        """A file of the rendered tree; Refused if its content is not what the manifest says."""
        ...

    def artefact(self, source: str, digest: Digest) -> str:
        """Path on this machine of a release file; Refused if there is none with this digest."""
        ...

    def fields(self, instance: str) -> tuple[Field, ...]:
        """The declared pbx.xml elements of an instance."""
        ...


class Memory(Protocol):
    """The state folder of the host."""

    def remember(self, record: AppliedRecord) -> None:
        """Store the applied record of one instance, durably; nothing is written if it is unchanged."""
        ...

    def record_inverse(self, record: AppliedRecord) -> PutRecordBack | None:
        """How remembering `record` is taken back; None where it is stored like that already."""
        ...

    def put_record_back(self, name: str, content: str | None) -> None:
        """Store a record as it was, or (None) forget it."""
        ...

    def keep(self, digest: Digest, path: HostPath) -> None:
        """Keep the content that the file at `path` has now under its digest, durably."""
        ...

    def kept(self, digest: Digest) -> bytes:
        """A kept content; HostError if it is not there, or is not what its digest says."""
        ...

    def save(self, digest: Digest, path: HostPath, of: HostPath) -> HostPath:
        """Keep the content of `path`, which somebody else had written to `of`, until a person removes it.

        The answer is where it is kept.
        """
        ...

    def last_number(self) -> int:
        """Number of the last step that the journal tells of, 0 without one."""
        ...

    def log(self, event: str, **details: Detail) -> None:
        """Append a line to the journal, durably; the event `end` closes it, if there is one."""
        ...

"""What an apply needs besides the host: contents of the target, and where it remembers what it did."""

from __future__ import annotations

from typing import Protocol

from pbxfleet.core.digest import Digest
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.target import Field


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

    def log(self, event: str, **details: str | int) -> None:
        """Append a line to the journal, durably; the event `end` closes it, if there is one."""
        ...

"""A fleet repository as far as it was understood; light enough for runs that find nothing changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.digest import Digest, digest_of

if TYPE_CHECKING:
    from pbxfleet.model.desired import Desired
    from pbxfleet.model.judged import Suppressed
    from pbxfleet.model.resolved import Ledger, Reference, Resolved


@dataclass
class Fleet:
    """A repository as far as it could be understood. `resolved` is None if there is any error.

    `unread` says of files that the disk does not give why not. `diagnostics` are as the fleet wants
    them told; `suppressed` are those that it accepts.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    desired: Desired | None = None
    references: dict[str, Reference] = field(default_factory=dict)
    templates: dict[str, bytes] = field(default_factory=dict)
    ledger_before: Ledger | None = None
    ledger: Ledger | None = None
    resolved: Resolved | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()

    def texts(self) -> dict[str, str]:
        """Text of the files that diagnostics point into, for printing their lines."""
        from pbxfleet.app.shown import shown_texts  # most runs have nothing to print

        return shown_texts(self.files, self.diagnostics)

    def digest(self, name: str) -> Digest:
        """Digest of one file of the repository."""
        return digest_of(self.files[name])

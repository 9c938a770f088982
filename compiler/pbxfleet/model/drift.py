"""Drift: what somebody else changed on a host since the last apply."""

from __future__ import annotations

from typing import NamedTuple


class DriftItem(NamedTuple):
    """One difference between observed and applied.

    `kind` is its class: `missing`, `changed`, `extra`, `mode` or `runtime`. `first_seen` is UTC in
    ISO 8601, "" before it has been remembered. `who` names the author as far as there is evidence.
    """

    kind: str
    resource: str
    instance: str
    name: str
    applied: str | None
    observed: str | None
    first_seen: str = ""
    who: str = "unknown"

    @property
    def key(self) -> str:
        """Identity of the finding from one run to the next."""
        return "|".join((self.kind, self.resource, self.name, str(self.observed)))

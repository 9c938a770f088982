"""Drift: what somebody else changed on a host since the last apply."""

from __future__ import annotations

from typing import NamedTuple

UNKNOWN = "unknown"


class DriftItem(NamedTuple):
    """One difference between observed and applied.

    `kind` is its class: `missing`, `changed`, `extra`, `mode` or `runtime`. `who` names the author as far
    as there is `evidence`, which is a sentence, "" where there is none. The rest is memory, empty before
    the item has been remembered: `first_seen` and `last_seen` are UTC in ISO 8601, `sightings` counts the
    runs in a row that saw it, the last one included, and `flaps` how often it came back after it was gone.
    """

    kind: str
    resource: str
    instance: str
    name: str
    applied: str | None
    observed: str | None
    first_seen: str = ""
    who: str = UNKNOWN
    evidence: str = ""
    last_seen: str = ""
    sightings: int = 0
    flaps: int = 0

    @property
    def place(self) -> tuple[str, str, str]:
        """Identity of the finding from one run to the next: where something differs, not how."""
        return (self.resource, self.instance, self.name)

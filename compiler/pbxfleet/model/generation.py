"""Generations: what was applied to a host, when, by whom, and whether it still stands."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.digest import Digest

FORMAT = 1
APPLY = "apply"
ROLLBACK = "rollback"
APPLIED = "applied"
PARTLY = "partly"
REVERTED = "reverted"
LATER = ("outside_window", "version")  # generations that older versions wrote have none


class Generation(NamedTuple):
    """One run that changed a host, numbered from 1.

    `target` is the digest of what it applied; `kind` is `apply` or `rollback`; `outcome` is `applied`,
    `partly` (a wave failed and was put back) or `reverted` (taken back as a whole, so that nothing of it
    stands). `restores` is the generation that a rollback went back to. `made` is UTC as
    YYYY-MM-DDTHH:MM:SSZ, `by` the name of the person or account. `instances` are those that it
    changed, `restarted` those of them that were interrupted. `outside_window` is the reason for which
    it kept to no maintenance window, "" if it kept to them. `version` is that of the pbxfleet which made
    it, "" where it did not say.
    """

    number: int
    host: str
    target: Digest
    kind: str
    outcome: str
    restores: int | None
    made: str
    by: str
    instances: tuple[str, ...]
    restarted: tuple[str, ...]
    outside_window: str = ""
    version: str = ""

    @property
    def stands_for(self) -> int:
        """The generation whose target it put into effect: its own, or the one it went back to."""
        return self.number if self.restores is None else self.restores


def encode_generation(generation: Generation) -> bytes:
    """The generation as it is stored: JSON."""
    import json

    return (json.dumps({"format": FORMAT, **generation._asdict()}) + "\n").encode()


def decode_generation(content: bytes) -> Generation:
    """The stored generation; ValueError if it is none."""
    import json

    try:
        data = json.loads(content)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']} is not known")
        values = {name: data[name] for name in Generation._fields if name not in LATER}
        values |= {name: data[name] for name in LATER if name in data}
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a generation: {error!r}") from error
    values["instances"] = tuple(values["instances"])
    values["restarted"] = tuple(values["restarted"])
    return Generation(**values)

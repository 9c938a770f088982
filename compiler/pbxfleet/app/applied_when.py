"""Since when a host has a line of a rendered file, as far as its own records are readable here."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.errors import HostError, Refused
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import StateView
from pbxfleet.model.generation import REVERTED, Generation


class Applied(NamedTuple):
    """`generation` is the one that brought it; None where it is not known, and `why` says why not."""

    generation: Generation | None
    why: str = ""


UNKNOWN = Applied(None, "not known here: ask on the host, or with --root")
PENDING = Applied(None, "not yet: it is pending")


def applied_when(root: str, host: str, source: str, line: str | None) -> Applied:
    """The generation since which the file `source` of the rendered tree has the line (None: is there).

    It is known on the host, or below a folder that is its `/`: the state folder has the generations.
    """
    from pbxfleet.app.generations import generations, unpacked_file

    try:
        state = StateView(LocalHost(root, "direct"))
        known = [g for g in generations(state) if g.host == host and g.outcome != REVERTED]
        since: Generation | None = None
        for generation in reversed(known):
            content = unpacked_file(state, generation.number, source)
            if content is None or (line is not None and line not in _lines(content)):
                break
            since = generation
    except (HostError, Refused):
        return UNKNOWN
    if since is None:
        return PENDING if known else UNKNOWN
    return Applied(since)


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8-sig", errors="replace").split("\n")

"""What of a fleet needs a person, the most urgent first, one line for each kind of thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pbxfleet.model.picture import FleetPicture, HostPicture
from pbxfleet.report.page_host import host_id
from pbxfleet.report.rehearsal import headline, named
from pbxfleet.report.summary import counted

NOW, SOON, KNOW = "now", "soon", "know"


class Attention(NamedTuple):
    """One thing: `urgency` is `now`, `soon` or `know`; `target` is the id of the place to read on."""

    urgency: str
    text: str
    hint: str
    target: str


def attention(picture: FleetPicture) -> tuple[Attention, ...]:
    """Everything that needs attention; a fleet where there is nothing has no line."""
    found = (*_stale(picture.hosts), *_room(picture), *_findings(picture))
    order = (NOW, SOON, KNOW)
    return tuple(sorted(found, key=lambda one: order.index(one.urgency)))


def _stale(hosts: Sequence[HostPicture]) -> Iterator[Attention]:
    never = [host for host in hosts if host.stale is None]
    stale = [host for host in hosts if host.stale]
    for those, what in ((never, "was never compiled"), (stale, "is not what desired/ says now")):
        if those:
            text = f"rendered/ of {_names(those)} {what}"
            hint = "pbxfleet compile brings it up to date"
            yield Attention(NOW, text, hint, host_id(those[0].map.host))


def _room(picture: FleetPicture) -> Iterator[Attention]:
    lost = [host.rehearsal for host in picture.hosts]
    if any(not one.survives for one in lost):
        yield Attention(SOON, headline(lost), "what is missing is told below", "lost")
    full = [host for host in picture.hosts if host.capacity.room == 0]
    if full:
        limits = sorted({kind for host in full for kind in host.capacity.limits})
        text = f"no room for another instance on {_names(full)}"
        hint = f"used up: {', '.join(limits)}" if limits else ""
        yield Attention(SOON, text, hint, host_id(full[0].map.host))


def _findings(picture: FleetPicture) -> Iterator[Attention]:
    for one in picture.findings:
        if one.severity == "warning":
            times = f" ({one.number} times, first in {one.place})" if one.number > 1 else ""
            yield Attention(SOON, f"{one.code}: {one.message}{times}", one.hint, "findings")
    advice = sum(one.number for one in picture.findings if one.severity == "advice")
    if advice:
        text = counted(advice, "piece") + " of advice about what is declared"
        yield Attention(KNOW, text, "pbxfleet validate shows them", "findings")


def _names(hosts: Sequence[HostPicture]) -> str:
    return named([host.map.host for host in hosts])

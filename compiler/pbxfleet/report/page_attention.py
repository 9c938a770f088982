"""What of a fleet needs a person, the most urgent first, one line for each kind of thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pbxfleet.model.picture import FleetPicture, HostPicture
from pbxfleet.model.plan import Plan, Verb
from pbxfleet.report.page_ids import host_id
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
    hosts = picture.hosts
    found = (*_looked(hosts), *_stale(hosts), *_room(picture), *_findings(picture))
    order = (NOW, SOON, KNOW)
    return tuple(sorted(found, key=lambda one: order.index(one.urgency)))


def _looked(hosts: Sequence[HostPicture]) -> Iterator[Attention]:
    """What was found on machines, one line for each kind."""
    plans = [(h, h.look.plan) for h in hosts if h.look.plan is not None]
    kinds: Sequence[tuple[str, str, str, Sequence[tuple[HostPicture, int]]]] = (
        (NOW, "cannot be applied", "problem", [(h, len(p.blocked)) for h, p in plans]),
        (NOW, "drift", "difference", [(h, len(h.look.drift or ())) for h in hosts]),
        (NOW, "restarts are owed", "instance", [(h, len(owing(h))) for h in hosts]),
        (SOON, "the next apply restarts", "instance", [(h, len(p.restarts())) for h, p in plans]),
        (KNOW, "waiting for a window", "instance", [(h, _waiting(p)) for h, p in plans]),
        (KNOW, "declared and not applied yet", "change", [(h, pending(h) or 0) for h in hosts]),
    )
    for urgency, what, unit, counts in kinds:
        there = [(host, number) for host, number in counts if number]
        if there:
            where = named([f"{h.map.host} ({counted(number, unit)})" for h, number in there])
            target = host_id(there[0][0].map.host)
            yield Attention(urgency, f"{what}: {where}", "", target)


def _waiting(plan: Plan) -> int:
    return sum(bool(one.instance) for one in plan.waits)


def owing(host: HostPicture) -> tuple[str, ...]:
    """Instances that are owed a restart."""
    return tuple(sorted({debt.instance for debt in host.look.debts or ()}))


def pending(host: HostPicture) -> int | None:
    """How many declared changes are not applied yet; None where nobody looked."""
    look = host.look
    if look.plan is None:
        return look.pending
    waiting = sum(len(one.changes) for one in look.plan.waits)
    return waiting + sum(change.action is not Verb.KEEP for change in look.plan.changes)


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

"""What a drift, an apply, its end or a run that was refused has to tell, and to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pbxfleet.app.apply import Applied
from pbxfleet.app.contents import RenderedTree
from pbxfleet.app.deliver import deliver
from pbxfleet.app.drift import Drift
from pbxfleet.app.identity import check_machine
from pbxfleet.app.live import Live
from pbxfleet.app.pending import pending_change
from pbxfleet.core.digest import digest_of_data
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.core.exits import Exit
from pbxfleet.host.clock import now_s
from pbxfleet.host.disk import absolute
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import State
from pbxfleet.model.drift import DriftItem
from pbxfleet.model.sinks import NO_SINKS, Event, Sample, Sinks, Tidings
from pbxfleet.report import metrics
from pbxfleet.report.applied import applied_text
from pbxfleet.report.drift import item_line
from pbxfleet.report.summary import counted


class End(NamedTuple):
    """How a `command` that changes an earlier run ended: `rollback`, `confirm` or `undo`.

    `why` says in a few words what it was done for, "" where nobody need be told; `text` is all of it.
    """

    host: str
    command: str
    exit_code: Exit
    why: str
    text: str
    succeeded: bool


def sinks_of(declared: Sinks, root: str, flags: Sinks) -> Sinks:
    """The sinks of a run: what flags say, else what is declared.

    A folder that plays the host's / gets the declared files inside of it; people and other programs are
    only told of a real host.
    """
    if root == "/":
        return flags.over(declared)
    inside = (root + path if path else "" for path in (declared.metrics, declared.report))
    metrics_file, report = inside
    return flags.over(Sinks(metrics_file, report))


def declared_sinks(repository: str, host: str, root: str) -> tuple[Sinks, State | None]:
    """The sinks of a host from its manifest, with its state folder, where a run was refused.

    Nothing where the manifest cannot be read, or this machine is not the host: whoever types a name at a
    desk is told what is wrong, and nobody else.
    """
    if not root:
        return NO_SINKS, None
    try:
        target = RenderedTree(absolute(repository), host).target()
        machine = LocalHost(absolute(root), target.services)
        state = State(machine)
        check_machine(target, machine, state, this_host=False)
    except (Refused, HostError):
        return NO_SINKS, None
    return target.sinks, state


def told_drift(
    live: Live, found: Drift, document: Mapping[str, Any], sinks: Sinks
) -> tuple[str, ...]:
    """Tell of a drift, also what was shown before; a sentence for each sink that could not be told.

    What does not last yet is told nobody; metrics say what is so now.
    """
    host, items = live.target.host, found.lasting
    exit_code = Exit.DIFFERENCES if found.items else Exit.DONE
    what = counted(len(items), "difference") if items else "no difference"
    tidings = Tidings(
        host,
        "drift",
        exit_code,
        exit_code.word,
        f"{what} on {host} since the last apply",
        document,
        tuple(map(_event, items)),
        (*_drift_samples(live, found), *_waiting(host, live.state)),
        metrics.OF_DRIFT,
        succeeded=True,
    )
    return deliver(tidings, sinks, live.state, now_s())


def told_apply(
    live: Live, applied: Applied, document: Mapping[str, Any], sinks: Sinks
) -> tuple[str, ...]:
    """Tell of an apply; people hear only of one that did something, or tried to."""
    host, at_s, exit_code = live.target.host, now_s(), applied.exit_code
    text = applied_text(applied.plan, applied.report, applied.remaining).rstrip("\n")
    summary = f"apply of {host}: {exit_code.word.replace('_', ' ')}"
    events = () if applied.report is None else (Event(str(at_s), "", exit_code.word, text),)
    differs = Sample(metrics.DIFFERS, (("host", host),), int(exit_code is not Exit.DONE))
    tidings = Tidings(
        host,
        "apply",
        exit_code,
        exit_code.word,
        summary,
        document,
        events,
        (differs, *_waiting(host, live.state)),
        metrics.OF_APPLY,
        succeeded=exit_code is Exit.DONE,
    )
    return deliver(tidings, sinks, live.state, at_s)


def told_end(end: End, document: Mapping[str, Any], sinks: Sinks, state: State) -> tuple[str, ...]:
    """Tell of a run that went back, was taken back, or was kept."""
    at_s, word = now_s(), end.exit_code.word
    summary = f"{end.command} of {end.host}: {word.replace('_', ' ')}"
    if end.why:
        summary += f", {end.why}"
    tidings = Tidings(
        end.host,
        end.command,
        end.exit_code,
        word,
        summary,
        document,
        (Event(str(at_s), "", word, end.text),),
        tuple(_waiting(end.host, state)),
        metrics.OF_END,
        succeeded=end.succeeded,
    )
    return deliver(tidings, sinks, state, at_s)


def told_refused(
    host: str, command: str, error: Refused | HostError, sinks: Sinks, state: State | None
) -> tuple[str, ...]:
    """Tell that a run could not come to its end: what it did not measure stays as it was."""
    code = Exit(error.exit_code) if isinstance(error, Refused) else Exit.REFUSED
    message = f"{command} of {host} could not be done: [{error.code}] {error}"
    document = {
        "format": 1,
        "outcome": code.word,
        "error": {"code": error.code, "message": str(error), "hint": ""},
    }
    key = _key("failed", error.code, str(error))
    events = (Event(key, "", error.code, message),)
    tidings = Tidings(
        host, command, code, code.word, message, document, events, (), frozenset(), succeeded=False
    )
    return deliver(tidings, sinks, state, now_s())


def _event(item: DriftItem) -> Event:
    key = _key(item.kind, item.resource, item.instance, item.name, str(item.observed))
    return Event(key, item.instance, item.kind, item_line(item))


def _key(*parts: str) -> str:
    return digest_of_data(list(parts)).partition(":")[2][:16]


def _drift_samples(live: Live, found: Drift) -> Iterable[Sample]:
    host, every = live.target.host, found.every
    yield from metrics.drift_samples(
        host,
        live.target.instances,
        [(item.instance, item.kind) for item in every],
        [change.instance for change in found.pending],
        {debt.instance for debt in found.debts},
    )
    yield Sample(metrics.DIFFERS, (("host", host),), int(found.plan_differs))
    yield Sample(metrics.OLDEST, (("host", host),), _oldest_s(every))


def _oldest_s(items: Sequence[DriftItem]) -> int:
    seen = min((item.first_seen for item in items if item.first_seen), default="")
    if not seen:
        return 0
    from datetime import datetime

    return int(datetime.fromisoformat(seen).timestamp())


def _waiting(host: str, state: State) -> Iterable[Sample]:
    try:
        waits = pending_change(state) is not None
    except Refused:
        waits = True  # it is damaged, and somebody has to look
    yield Sample(metrics.UNCONFIRMED, (("host", host),), int(waits))

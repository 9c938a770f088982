"""A rehearsal as text and as JSON: the verdict first, then what is missing, then who goes where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pbxfleet.model.rehearsal import HostRehearsal, Lack, Seat, Stranded
from pbxfleet.report.paint import PLAIN, Paint, visible
from pbxfleet.report.summary import counted

_NAMED = 4  # instances of one line that are named
NOTES = (
    "addresses are the other host's own: DNS names of what starts elsewhere must follow",
    "data come from a backup or a mirror; secrets must be in the other host's store",
)
_PLURALS = ((" address", " addresses"), (" core", " cores"), (" block of", " blocks of"))


def rehearsal_text(hosts: Sequence[HostRehearsal], *, details: bool, paint: Paint = PLAIN) -> str:
    """A row for each host, below it what is missing, with `details` also every instance."""
    head = ("host", "if it is lost", "instances", "taken over", "start elsewhere", "no place")
    table = [head, *(_cells(host) for host in hosts)]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    lines = [paint("bold", headline(hosts)), paint("dim", _row(head, widths))]
    for host, cells in zip(hosts, table[1:], strict=True):
        row = _row(cells, widths)
        lines.append(row if host.survives else paint("red", row))
        lines += [f"    {line}" for line in missing_lines(host)]
        if details:
            lines += [f"    {line}" for line in _instances(host)]
    if any(host.starts for host in hosts):
        lines += [paint("dim", f"note: {note}") for note in NOTES]
    return "\n".join(lines) + "\n"


def headline(hosts: Sequence[HostRehearsal]) -> str:
    """How many hosts can be lost, and which cannot."""
    losing = [host for host in hosts if not host.survives]
    if len(hosts) == 1:
        (host,) = hosts
        lost = counted(len(host.stranded), "instance")
        fate = f"{lost} would have no place" if losing else "everything runs elsewhere afterwards"
        return f"if {visible(host.host)} is lost, {fate}"
    if not losing:
        return f"any of {counted(len(hosts), 'host')} can be lost: everything runs elsewhere afterwards"
    names = named([f"{host.host} ({counted(len(host.stranded), 'instance')})" for host in losing])
    return f"{len(losing)} of {counted(len(hosts), 'host')} cannot be lost without loss: {names}"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip()


def _cells(host: HostRehearsal) -> tuple[str, ...]:
    verdict = "all survive" if host.survives else f"{len(host.stranded)} LOST"
    counts = (host.instances, len(host.takeovers), len(host.starts), len(host.stranded))
    return (visible(host.host), verdict, *(str(count) if count else "-" for count in counts))


def missing_lines(host: HostRehearsal) -> Iterator[str]:
    """What the stranded instances lack, the same words once."""
    if host.stranded:
        names = named([one.instance for one in host.stranded])
        found = "" if host.proven else " was found"
        yield f"no place{found} for {names}"
    least = "" if host.proven else " (at most: the search was ended)"
    for lack in host.lacks:
        yield f"{lack_text(lack)}{least}"
    yield from _refusals(host.stranded)


def _refusals(stranded: Iterable[Stranded]) -> Iterator[str]:
    said: dict[tuple[str, str], list[str]] = {}
    for one in stranded:
        for refusal in one.refusals:
            said.setdefault((refusal.host, refusal.why), []).append(one.instance)
    for (where, why), names in sorted(said.items()):
        yield f"{where} cannot take {named(names)}: {visible(why)}"


def lack_text(lack: Lack) -> str:
    """`fra2 has no free IPv4 address: 3 more are needed`."""
    what = lack.what
    if lack.free:
        for one, many in _PLURALS:
            what = what.replace(one, many) if lack.free > 1 else what
    has = f"only {lack.free} {what}" if lack.free else f"no {what}"
    needed = "1 more is" if lack.missing == 1 else f"{lack.missing} more are"
    return f"{lack.host} has {has}: {needed} needed"


def _instances(host: HostRehearsal) -> Iterator[str]:
    """One line for each instance, the same columns in all of them."""
    rows: list[tuple[str, ...]] = []
    below: dict[int, tuple[str, ...]] = {}
    for over in host.takeovers:
        rows.append((over.instance, f"{over.peer} on {over.host} takes over", *_seat(over.seat)))
    for left in host.bereft:
        rows.append((left.instance, f"standby of {left.primary} on {left.host}, which runs on"))
    for start in host.starts:
        below[len(rows)] = start.changes
        rows.append((start.instance, f"starts on {start.host}", *_seat(start.seat)))
    full = [row for row in rows if len(row) > 2]
    widths = [max((len(row[i]) for row in rows if len(row) > i), default=0) for i in range(2)]
    widths += [max((len(row[i]) for row in full), default=0) for i in range(2, 6)]
    for number, row in enumerate(rows):
        yield _row(row, widths[: len(row)])
        if below.get(number):
            yield f"  now differs: {', '.join(map(visible, below[number]))}"


def _seat(seat: Seat) -> tuple[str, ...]:
    core = "no core" if seat.cpu is None else f"core {seat.cpu}"
    ports = " ".join(f"{role}:{port.replace(' ', ',')}" for role, port in seat.ports)
    return (", ".join(seat.addresses), core, seat.release, visible(ports))


def named(names: Sequence[str]) -> str:
    """The names, the first few of many."""
    shown = list(map(visible, names))
    if len(shown) > _NAMED + 1:
        shown = [*shown[:_NAMED], f"{len(shown) - _NAMED} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def rehearsal_data(hosts: Iterable[HostRehearsal]) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        {
            "host": host.host,
            "survives": host.survives,
            "proven": host.proven,
            "instances": host.instances,
            "taken_over": [
                {"instance": o.instance, "peer": o.peer, "host": o.host, **_seat_data(o.seat)}
                for o in host.takeovers
            ],
            "standby_lost": [
                {"instance": b.instance, "primary": b.primary, "host": b.host} for b in host.bereft
            ],
            "starts": [
                {
                    "instance": start.instance,
                    "host": start.host,
                    **_seat_data(start.seat),
                    "changes": list(start.changes),
                }
                for start in host.starts
            ],
            "no_place": [
                {
                    "instance": one.instance,
                    "refused": [{"host": r.host, "why": r.why} for r in one.refusals],
                }
                for one in host.stranded
            ],
            "missing": [lack._asdict() for lack in host.lacks],
        }
        for host in hosts
    ]


def _seat_data(seat: Seat) -> dict[str, object]:
    return {
        "addresses": list(seat.addresses),
        "cpu": seat.cpu,
        "rtp": seat.rtp,
        "release": seat.release,
        "ports": dict(seat.ports),
    }

"""The files by which a host looks for drift by itself: a service and a timer of systemd, or a file of cron.

systemd.timer(5), systemd.time(7); crontab(5): a percent sign ends the command unless a backslash is before
it. With cron a host always waits for the same moment within the jitter, one of its own, so that not all
hosts of a fleet begin at once and what is compiled stays the same.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import NamedTuple

from pbxfleet.core.digest import digest_of
from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span
from pbxfleet.model.desired import ServiceBackend
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.model.schedule import JITTER_S, PROGRAM, REPOSITORY, ScheduleWish, Weekday, When
from pbxfleet.render.network.base import HEADING
from pbxfleet.render.own_templates import render
from pbxfleet.render.services.systemd import command, word

CRON = HostPath("/etc/cron.d/pbxfleet")
UNITS = "/etc/systemd/system"
STARTING = HostPath(f"{UNITS}/timers.target.d/50-pbxfleet.conf")
LOCK = "/run/pbxfleet-drift.lock"
MINUTES = 60


class ScheduleFile(NamedTuple):
    """A file of the schedule, 0644, with the places that it is made from."""

    path: HostPath
    content: bytes
    origins: tuple[Span, ...]


class Run(NamedTuple):
    """One thing that is done at its time: its unit's name, what people call it, its arguments."""

    unit: str
    title: str
    when: When
    arguments: tuple[str, ...]
    origin: Span


def files(host: ResolvedHost) -> Iterator[ScheduleFile]:
    """The files of the schedule; none where nothing is scheduled, and none for Windows."""
    runs = tuple(scheduled(host.name, host.schedule))
    if not runs or host.services is ServiceBackend.WINDOWS:
        return
    origins = tuple(run.origin for run in runs)
    if host.services is not ServiceBackend.SYSTEMD:
        yield ScheduleFile(CRON, _cron(host, runs).encode(), origins)
        return
    for run in runs:
        values = {"run": run, "program": _program(host.schedule), "told": host.sinks.wanted}
        values |= {"calendar": calendar(run.when), "jitter_s": jitter_s(host.schedule)}
        for kind in ("service", "timer"):
            text = render(f"schedule.{kind}.j2", values, {"word": word, "command": command})
            path = HostPath(f"{UNITS}/{run.unit}.{kind}")
            yield ScheduleFile(path, text.encode(), (run.origin,))
    wanted = " ".join(f"{run.unit}.timer" for run in runs)
    text = f"# {HEADING}\n[Unit]\nWants={wanted}\n"
    yield ScheduleFile(STARTING, text.encode(), origins)


def scheduled(host: str, wish: ScheduleWish) -> Iterator[Run]:
    """What is done when: first the report of what is new, then the reminder."""
    repository = REPOSITORY if wish.repository is None else wish.repository.value
    words = ("-C", repository, "drift", host)
    if wish.drift is not None and wish.drift.value is not None:
        new = (*words, "--only-new")
        title = f"Report new drift of {host}"
        yield Run("pbxfleet-drift", title, wish.drift.value, new, wish.drift.origin)
    if wish.remind is not None and wish.remind.value is not None:
        title = f"Report all drift of {host}"
        yield Run("pbxfleet-remind", title, wish.remind.value, words, wish.remind.origin)


def calendar(when: When) -> str:
    """The moment as systemd writes it (`OnCalendar=`)."""
    if when.every_min == MINUTES:
        return "*-*-* *:00:00"
    if when.every_min:
        return f"*-*-* *:0/{when.every_min}:00"
    day = "" if when.weekday is None else f"{when.weekday.title()} "
    return f"{day}*-*-* {when.hour:02}:{when.minute:02}:00"


def cron_time(when: When, offset_min: int) -> str:
    """The five columns of cron; what comes every hour or oftener begins `offset_min` later."""
    if when.every_min == MINUTES:
        return f"{offset_min % MINUTES} * * * *"
    if when.every_min:
        return f"{offset_min % when.every_min}-59/{when.every_min} * * * *"
    day = "*" if when.weekday is None else str([*Weekday].index(when.weekday) + 1)
    return f"{when.minute} {when.hour} * * {day}"


def jitter_s(wish: ScheduleWish) -> int:
    """Seconds by which a run may be late on purpose."""
    return JITTER_S if wish.jitter_s is None else wish.jitter_s.value


def _program(wish: ScheduleWish) -> HostPath:
    return PROGRAM if wish.program is None else wish.program.value


def _cron(host: ResolvedHost, runs: tuple[Run, ...]) -> str:
    number = int(digest_of(host.name.encode()).partition(":")[2][:12], 16)
    wait_s = number // MINUTES % (jitter_s(host.schedule) + 1)
    lines = []
    for run in runs:
        argv = ("flock", "-n", LOCK, _program(host.schedule), *run.arguments)
        text = (f"sleep {wait_s}; " if wait_s else "") + shlex.join(argv)
        escaped = text.replace("%", "\\%")
        lines.append((run.title, f"{cron_time(run.when, number)} root {escaped}"))
    mailto = host.schedule.mailto
    values = {"lines": lines, "mailto": None if mailto is None else mailto.value}
    return render("schedule.cron.j2", values, {})

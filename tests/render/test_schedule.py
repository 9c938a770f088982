"""When a host looks for drift: what systemd and cron read of it, and that both do it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pbxfleet.core.paths import HostPath
from pbxfleet.model.desired import ServiceBackend
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.model.schedule import ScheduleWish, Weekday, When
from pbxfleet.model.sinks import Sinks
from pbxfleet.plan.confined import HOST_PLACES
from pbxfleet.render.schedule import calendar, cron_time, files
from support import beds
from support.resolved import host, sourced

HOURLY = When(60)
MOMENTS = [
    *(When(minutes) for minutes in (5, 10, 15, 20, 30, 60)),
    When(0, None, 6, 40),
    *(When(0, day, 23, 5) for day in Weekday),
]
PATIENCE_S = 60


def scheduled(services: str = "systemd", **wishes: object) -> ResolvedHost:
    """A host with a schedule; `wishes` are its keys."""
    wish = ScheduleWish(**{key: sourced(value) for key, value in wishes.items()})  # type: ignore[arg-type]
    return replace(host([], ServiceBackend(services)), schedule=wish)


def written(declared: ResolvedHost) -> Mapping[str, str]:
    return {file.path: file.content.decode() for file in files(declared)}


@pytest.mark.parametrize("services", ["systemd", "sysv", "compose", "direct"])
def test_only_known_places_are_written(services: str) -> None:
    found = written(scheduled(services, drift=HOURLY, remind=When(0, Weekday.MONDAY, 6, 40)))
    assert found
    assert set(found) <= set(HOST_PLACES), "a manifest that names another place is not used"


@pytest.mark.parametrize("services", ["systemd", "sysv", "windows"])
def test_without_a_moment_there_is_no_file(services: str) -> None:
    assert not written(scheduled(services))
    assert not written(scheduled(services, drift=None, remind=None))
    assert not written(scheduled("windows", drift=HOURLY))


def test_a_drift_is_no_failed_unit_where_somebody_is_told() -> None:
    quiet = scheduled(drift=HOURLY)
    told = replace(quiet, sinks=Sinks(mail=("ops",)))
    unit = "/etc/systemd/system/pbxfleet-drift.service"
    assert "SuccessExitStatus=2" not in written(quiet)[unit]
    assert "SuccessExitStatus=2" in written(told)[unit]


@pytest.mark.parametrize("moment", MOMENTS)
def test_systemd_and_cron_mean_the_same(moment: When) -> None:
    """Over two days, for an offset of 0: the calendar of systemd against the columns of cron."""
    beds.require_programs("systemd", "systemd-analyze")
    start = "2027-03-14 12:00:30"  # a Sunday
    argv = ("systemd-analyze", "calendar", "--iterations=9", f"--base-time={start} UTC")
    done = subprocess.run(
        (*argv, calendar(moment)), check=True, capture_output=True, text=True, env={"TZ": "UTC"}
    )
    lines = [line.partition(":")[2].split() for line in done.stdout.splitlines() if "UTC" in line]
    seen = [(words[0].lower(), words[2]) for words in lines]
    assert len(seen) == 9, done.stdout
    minutes, hours, _, _, days = cron_time(moment, 0).split()
    for day, time in seen:
        hour, minute, second = map(int, time.split(":"))
        assert second == 0
        assert hours == "*" or int(hours) == hour
        assert days == "*" or [*Weekday].index(Weekday(day)) + 1 == int(days)
        first, _, step = minutes.partition("/")
        assert minute == int(first) if not step else minute % int(step) == 0


def test_minutes_of_cron_stay_in_their_range() -> None:
    for moment in MOMENTS[:6]:
        for offset in range(200):
            first = cron_time(moment, offset).split()[0].partition("-")[0]
            assert 0 <= int(first) < moment.every_min


def test_systemd_verifies_the_units(tmp_path: Path) -> None:
    beds.require_programs("systemd", "systemd-analyze")
    program = HostPath("/bin/true")
    found = written(
        scheduled(
            drift=When(15),
            remind=When(0, None, 6, 40),
            program=program,
            repository=HostPath('/srv/our fleet 100% "x" $HOME'),
        )
    )
    units = []
    for path, text in found.items():
        if "timers.target" not in path:
            units.append(tmp_path / path.rpartition("/")[2])
            units[-1].write_text(text, encoding="utf-8")
    argv = ("systemd-analyze", "verify", "--man=no", *map(str, units))
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


IN_A_HOST_OF_ITS_OWN = """\
set -eu
for place in /etc/cron.d /var/spool/cron /run /dev/shm; do mount -t tmpfs none "$place"; done
mkdir -p /var/spool/cron/crontabs
: > "$1/crontab"
mount --bind "$1/crontab" /etc/crontab
cp "$1/pbxfleet" /etc/cron.d/pbxfleet
chmod 0644 /etc/cron.d/pbxfleet
exec faketime -f '@2027-03-14 11:59:57' cron -f
"""


def test_cron_runs_it(tmp_path: Path) -> None:
    """The real one, a few seconds before an hour: program, arguments, lock, and a per cent sign."""
    beds.require_root("cron")
    beds.require_programs("cron", "cron", "faketime", "unshare", "flock")
    folder = tmp_path / "our 100% fleet"
    folder.mkdir()
    program, noted = folder / "pbxfleet", tmp_path / "noted"
    program.write_text(
        '#!/bin/sh\nfor word in "$0" "$@"; do echo "$word"; done > "$0.new"\n'
        f'echo "$PATH" >> "$0.new"\nmv "$0.new" {noted}\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    declared = scheduled(
        "sysv",
        drift=When(0, None, 12, 0),
        jitter_s=0,
        repository=HostPath(str(folder)),
        program=HostPath(str(program)),
        mailto="root",
    )
    (text,) = written(declared).values()
    (tmp_path / "pbxfleet").write_text(text, encoding="utf-8")
    argv = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    command = (*argv, "sh", "-c", IN_A_HOST_OF_ITS_OWN, "sh", str(tmp_path))
    with subprocess.Popen(command) as process:
        try:
            for _ in range(PATIENCE_S * 10):
                if noted.exists() or process.poll() is not None:
                    break
                subprocess.run(("sleep", "0.1"), check=True)
        finally:
            process.kill()
    *words, path = noted.read_text(encoding="utf-8").splitlines()
    assert words == [str(program), "-C", str(folder), "drift", "fra1", "--only-new"]
    assert path == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

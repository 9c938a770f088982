"""systemd: units are asked with `systemctl show`, many at once, and commanded one by one.

Under a root folder there is no systemd to ask. What `enable` does there is a link in
multi-user.target.wants, and this is what is made, removed and read (systemd.unit(5), "Wants=").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.commands import Runner
from pbxfleet.host.services import Parts, Running, not_here, put_link, settle
from pbxfleet.model.observed import ServiceSeen, What
from pbxfleet.model.target import InstanceTarget
from pbxfleet.model.timers import TIMERS

UNITS = HostPath("/etc/systemd/system")
STAMPS = HostPath("/var/lib/systemd/timers")
WANTS = HostPath("/etc/systemd/system/multi-user.target.wants")
PROPERTIES = "LoadState,ActiveState,MainPID,UnitFileState"
AT_ONCE = 200  # units per question: far below the limits of a command line
MARGIN_S = 30.0  # what systemd itself may need beside the time that the unit may take to stop


def unit_name(service: str) -> str:
    """The unit of a service; a name without a kind of unit means a service unit."""
    return service if service.endswith(".service") else f"{service}.service"


def parse_show(text: str) -> list[dict[str, str]]:
    """The answers of `systemctl show`, one for each unit that was asked for, in that order."""
    blocks = [block for block in text.split("\n\n") if block.strip()]
    return [dict(line.split("=", 1) for line in b.splitlines() if "=" in line) for b in blocks]


def service_seen(fields: Mapping[str, str]) -> ServiceSeen:
    """What the properties of one unit mean; a unit that waits for its next restart does not run.

    Only the unit-file state `enabled` survives a reboot: `enabled-runtime` and `generated` do not.
    """
    running = fields.get("ActiveState") in ("active", "reloading")
    pid = int(fields.get("MainPID") or 0)
    return ServiceSeen(
        installed=fields.get("LoadState", "not-found") != "not-found",
        enabled=fields.get("UnitFileState") == "enabled",
        running=running,
        pid=pid if running and pid else None,
    )


def active_states(runner: Runner, units: Sequence[str]) -> Mapping[str, str]:
    """`ActiveState` of units by name, asked at once; `inactive` for one that systemd does not know."""
    argv = ("systemctl", "show", "--no-pager", "--property=ActiveState", "--", *units)
    answers = parse_show(runner.check(argv).stdout)
    if len(answers) != len(units):
        raise HostError("systemctl show", "gave no answer for some units", code="HST105")
    return {u: a.get("ActiveState", "inactive") for u, a in zip(units, answers, strict=True)}


class Systemd:
    """The service manager systemd, or what it would find below a root folder."""

    def __init__(self, parts: Parts) -> None:
        self._files = parts.files
        self._runner = parts.runner
        self._live = parts.live

    @property
    def runs(self) -> bool:
        return self._live

    def seen(
        self, instances: Sequence[InstanceTarget], runtime: Running | None = None
    ) -> Mapping[str, ServiceSeen]:
        if not self._live:
            return {i.name: self._seen_on_disk(unit_name(i.service)) for i in instances}
        seen: dict[str, ServiceSeen] = {}
        for first in range(0, len(instances), AT_ONCE):
            some = instances[first : first + AT_ONCE]
            answers = self._show([unit_name(i.service) for i in some])
            for instance, fields in zip(some, answers, strict=True):
                seen[instance.name] = service_seen(fields)
        return seen

    def _show(self, units: Sequence[str]) -> list[dict[str, str]]:
        """Properties of each unit; by the order of the answers, as a unit may be an alias."""
        argv = ("systemctl", "show", "--no-pager", f"--property={PROPERTIES}", "--", *units)
        ran = self._runner.check(argv)
        answers = parse_show(ran.stdout)
        if len(answers) != len(units):
            raise HostError("systemctl show", "gave no answer for some units", code="HST105")
        return answers

    def _seen_on_disk(self, unit: str) -> ServiceSeen:
        installed = self._files.identity(join(UNITS, unit)) is not None
        # systemd goes by the name of the link, and by what it leads to (systemd.unit(5)): one that
        # leads to /dev/null masks the unit.
        leads_to = self._files.link_target(join(WANTS, unit)) or ""
        return ServiceSeen(installed, leads_to.rpartition("/")[2] == unit, False, None)

    def reload(self) -> None:
        if self._live:
            self._runner.check(("systemctl", "daemon-reload"))
            self._settle_timers()

    def _settle_timers(self) -> None:
        """Our timers run as their files say; those whose files are gone do not run any more.

        A drop-in of timers.target starts them with the machine, and this now. A stamp tells that one was
        there before.
        """
        for timer in TIMERS:
            if self._files.identity(join(UNITS, timer)) is not None:
                self._runner.check(("systemctl", "restart", "--", timer))
            elif self._files.identity(join(STAMPS, f"stamp-{timer}")) is not None:
                # Each says no where there is nothing left to do. Without its file a timer may have failed.
                self._runner.run(("systemctl", "stop", "--", timer))
                self._runner.run(("systemctl", "reset-failed", "--", timer))
                self._files.remove(join(STAMPS, f"stamp-{timer}"))

    def enable(self, instance: InstanceTarget) -> None:
        unit = unit_name(instance.service)
        if self._live:
            self._set_enabled(instance, "enable", enabled=True)
            return
        if self._files.look(WANTS).what is What.ABSENT:
            self._files.make_directory(WANTS, 0o755, "root:root")
        if self._files.link_target(join(WANTS, unit)) != join(UNITS, unit):
            put_link(self._files, join(WANTS, unit), join(UNITS, unit))

    def disable(self, instance: InstanceTarget) -> None:
        if self._live:
            self._set_enabled(instance, "disable", enabled=False)
        else:
            self._files.remove(join(WANTS, unit_name(instance.service)))

    def _set_enabled(self, instance: InstanceTarget, verb: str, *, enabled: bool) -> None:
        unit = unit_name(instance.service)
        if not enabled and not self.seen((instance,))[instance.name].installed:
            return
        self._runner.check(("systemctl", verb, "--", unit))
        # systemctl leaves its links to the kernel's time. After a power cut a unit must not start
        # that was disabled before its files were changed.
        for folder in (UNITS, WANTS):
            settle(self._files, folder)
        if self.seen((instance,))[instance.name].enabled is not enabled:
            raise HostError(unit, f"systemctl {verb} changed nothing", code="HST105")

    def start(self, instance: InstanceTarget) -> None:
        if not self._live:
            raise not_here(instance, "systemd")
        unit = unit_name(instance.service)
        state = self._state(unit)
        if state == "failed":
            # A unit that failed too often refuses to start until its counter is cleared.
            self._runner.check(("systemctl", "reset-failed", "--", unit))
        # No process was found (see LocalHost.start). A unit that is active all the same, by
        # RemainAfterExit= of a drop-in, say, would take `start` for done.
        verb = "restart" if state in ("active", "reloading") else "start"
        self._runner.check(("systemctl", verb, "--", unit))

    def stop(self, instance: InstanceTarget, timeout_s: float) -> None:
        if not self._live:
            raise not_here(instance, "systemd")
        unit = unit_name(instance.service)
        # A unit that waits for its next restart is `activating`: it too has to be told.
        if self._state(unit) not in ("inactive", "failed"):
            self._runner.check(("systemctl", "stop", "--", unit), timeout_s + MARGIN_S)

    def _state(self, unit: str) -> str:
        return active_states(self._runner, [unit])[unit]

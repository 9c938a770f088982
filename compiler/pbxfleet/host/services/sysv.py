"""SysV init scripts: commanded by their verbs, enabled by links in the folders of the runlevels.

What `status` says is not asked: whether an instance runs is told by its PID file, verified against
/proc, so that no script has to run only to look.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.pidfile import verified_pid
from pbxfleet.host.services import Parts, Running, not_here, put_link, settle
from pbxfleet.model.observed import RuntimeSeen, ServiceSeen, What
from pbxfleet.model.target import InstanceTarget

SCRIPTS = HostPath("/etc/init.d")
STARTING = ("2", "3", "4", "5")  # LSB: the runlevels in which services run
STOPPING = ("0", "1", "6")
# Red Hat keeps them below /etc/rc.d, and has links to there.
RUNLEVELS = tuple(
    HostPath(f"{folder}/rc{level}.d") for folder in ("/etc", "/etc/rc.d") for level in range(7)
)
START_ORDER, STOP_ORDER = "20", "80"  # as in the vendor's own script (chkconfig: - 20 80)
MARGIN_S = 30.0

# Program that keeps the links, and its words for each verb; the first that is there is used.
KEEPERS: tuple[tuple[str, Mapping[str, tuple[tuple[str, ...], ...]]], ...] = (
    ("update-rc.d", {"enable": (("{}", "defaults"),), "disable": (("-f", "{}", "remove"),)}),
    ("chkconfig", {"enable": (("--add", "{}"), ("{}", "on")), "disable": (("--del", "{}"),)}),
)
PROGRAM_FOLDERS = ("/usr/sbin", "/sbin")


def is_start_link(name: str, service: str) -> bool:
    """Whether a name in a runlevel's folder starts the service: S, two digits, its name."""
    return name[:1] == "S" and name[1:3].isdecimal() and name[3:] == service


class Sysv:
    """Init scripts, run by hand or linked into runlevels."""

    def __init__(self, parts: Parts) -> None:
        self._files = parts.files
        self._runner = parts.runner
        self._processes = parts.processes
        self._live = parts.live

    @property
    def runs(self) -> bool:
        return self._live

    def seen(
        self, instances: Sequence[InstanceTarget], runtime: Running | None = None
    ) -> Mapping[str, ServiceSeen]:
        links = self._enabled()
        known = runtime or {}
        return {i.name: self._seen(i, i.service in links, known.get(i.name)) for i in instances}

    def _seen(
        self, instance: InstanceTarget, enabled: bool, known: RuntimeSeen | None
    ) -> ServiceSeen:
        installed = self._files.identity(join(SCRIPTS, instance.service)) is not None
        pid = verified_pid(self._files, self._processes, instance, known) if self._live else None
        return ServiceSeen(installed, enabled, pid is not None, pid)

    def _folder(self, level: str) -> HostPath:
        """The folder of a runlevel: Red Hat's place if there is one, else everybody else's."""
        own = HostPath(f"/etc/rc.d/rc{level}.d")
        return (
            own if self._files.look(own).what is What.DIRECTORY else HostPath(f"/etc/rc{level}.d")
        )

    def _started_by(self, level: str) -> frozenset[str]:
        """Services that a runlevel starts."""
        names = self._files.names(self._folder(level))
        return frozenset(name[3:] for name in names if is_start_link(name, name[3:]))

    def _enabled(self) -> frozenset[str]:
        """Services that the machine starts: which runlevel it boots into is not known to us.

        Where we make the links ourselves, each of them counts. A keeper of links follows the script's
        own header, and leaves a runlevel alone that somebody has taken out by hand.
        """
        by_level = [self._started_by(level) for level in STARTING]
        if self._keeper() is None:
            return frozenset.intersection(*by_level)
        return frozenset.union(*by_level)

    def reload(self) -> None:
        """Nothing to do: a script is read when it is run."""

    def enable(self, instance: InstanceTarget) -> None:
        keeper = self._keeper()
        if keeper is None:
            self._link(instance.service)
        else:
            self._keep(keeper, "enable", instance.service)
        # update-rc.d makes no link for a script without Default-Start and still says 0.
        if instance.service not in self._enabled():
            raise HostError(instance.service, "no runlevel starts it", code="HST105")

    def disable(self, instance: InstanceTarget) -> None:
        keeper = self._keeper()
        if keeper is None:
            self._unlink(instance.service)
        else:
            self._keep(keeper, "disable", instance.service)
        if any(instance.service in self._started_by(level) for level in STARTING):
            raise HostError(instance.service, "a runlevel still starts it", code="HST105")

    def _keeper(self) -> int | None:
        """The keeper of links that this machine has; none below a root folder."""
        if self._live:
            for number, (program, _) in enumerate(KEEPERS):
                if any(os.access(f"{folder}/{program}", os.X_OK) for folder in PROGRAM_FOLDERS):
                    return number
        return None

    def _keep(self, keeper: int, verb: str, service: str) -> None:
        program, words = KEEPERS[keeper]
        for line in words[verb]:
            self._runner.check((program, *(word.format(service) for word in line)))
        # These programs leave their links to the kernel's time. After a power cut a script must not
        # start that was taken out before its files were changed.
        for level in (*STARTING, *STOPPING):
            settle(self._files, self._folder(level))

    def _link(self, service: str) -> None:
        for levels, letter, order in ((STARTING, "S", START_ORDER), (STOPPING, "K", STOP_ORDER)):
            for level in levels:
                folder = self._folder(level)
                self._files.make_directory(folder, 0o755, "root:root")
                link = join(folder, f"{letter}{order}{service}")
                if letter == "S" and service in self._started_by(level):
                    continue  # perhaps in another order, which is the administrator's
                if self._files.link_target(link) is None:
                    put_link(self._files, link, f"../init.d/{service}")

    def _unlink(self, service: str) -> None:
        for level in (*STARTING, *STOPPING):
            folder = self._folder(level)
            for name in self._files.names(folder):
                if name[:1] in ("S", "K") and is_start_link("S" + name[1:], service):
                    self._files.remove(join(folder, name))

    def start(self, instance: InstanceTarget) -> None:
        self._runner.check((self._script(instance), "start"))

    def stop(self, instance: InstanceTarget, timeout_s: float) -> None:
        script = self._script(instance)
        # A script that finds a stale PID file may signal whoever has that number now. What it says
        # at the end is not asked: whether something is left is told by /proc.
        if verified_pid(self._files, self._processes, instance) is not None:
            self._runner.run((script, "stop"), timeout_s + MARGIN_S)

    def _script(self, instance: InstanceTarget) -> str:
        if not self._live:
            raise not_here(instance, "sysv")
        return self._files.root.machine_path(join(SCRIPTS, instance.service))

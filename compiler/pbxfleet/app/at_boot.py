"""What takes a change back that nobody confirmed before the machine went down: there only while one waits.

A timer dies with the machine. Where systemd starts services it is a unit; where init scripts do, a
script of our own, linked as those of instances are and run before them.
"""

from __future__ import annotations

from collections.abc import Sequence

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.local import LocalHost
from pbxfleet.host.services.systemd import UNITS, WANTS
from pbxfleet.host.services.sysv import SCRIPTS
from pbxfleet.model.target import InstanceTarget, Target

NAME = "pbxfleet-undo"
UNIT = HostPath(f"{UNITS}/{NAME}.service")
UNIT_LINK = HostPath(f"{WANTS}/{NAME}.service")
SCRIPT = join(SCRIPTS, NAME)
UNIT_TEXT = """\
[Unit]
Description=pbxfleet: take back a change that nobody confirmed before the machine went down
After=multi-user.target

[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart={command}

[Install]
WantedBy=multi-user.target
"""
# 19: right before the vendor's own 20, which instances have. insserv goes by the names instead.
SCRIPT_TEXT = """\
#!/bin/sh
# chkconfig: 2345 19 81
# description: take back a change that nobody confirmed before the machine went down
### BEGIN INIT INFO
# Provides:          {name}
# Required-Start:    $network $local_fs $remote_fs
# Required-Stop:
# X-Start-Before:    {before}
# Default-Start:     2 3 4 5
# Default-Stop:
# Short-Description: pbxfleet: take back a change that nobody confirmed
### END INIT INFO
case "$1" in
    start) exec {command} ;;
esac
exit 0
"""


def prepare(machine: LocalHost, target: Target, argv: Sequence[str]) -> None:
    """Let the machine run `argv` when it comes up. Nothing where it runs no services of its own."""
    command = " ".join(argv)
    if not machine.runs_services:
        return
    if target.services == "systemd":
        text = UNIT_TEXT.format(command=command)
        machine.write(UNIT, text.encode(), 0o644, "root:root")
        machine.make_link(UNIT_LINK, UNIT)
    elif target.services == "sysv":
        services = sorted(instance.service for instance in target.instances.values())
        text = SCRIPT_TEXT.format(name=NAME, before=" ".join(services), command=command)
        machine.write(SCRIPT, text.encode(), 0o755, "root:root")
        machine.enable(_script_of_ours())


def forget(machine: LocalHost) -> None:
    """Nothing is to be taken back any more; safe to repeat, and where nothing was prepared."""
    machine.remove(UNIT_LINK)
    machine.remove(UNIT)
    if machine.identity(SCRIPT) is not None:
        LocalHost(machine.root.machine_path(HostPath("/")), "sysv").disable(_script_of_ours())
        machine.remove(SCRIPT)


def _script_of_ours() -> InstanceTarget:
    """As much of an instance as is needed to link a script into runlevels."""
    nowhere, nothing = HostPath(""), (None, (), (), None, None, None, "")
    return InstanceTarget(NAME, nowhere, NAME, nowhere, Digest(""), nowhere, *nothing)

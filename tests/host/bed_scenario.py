"""What a real service manager does with instances; run inside a booted host: `bed_scenario.py KIND`.

Prints `whole` at the end. The definitions are the smallest that work: those that are rendered have
tests of their own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.local import LocalHost
from pbxfleet.model.observed import ServiceSeen
from pbxfleet.model.target import InstanceTarget
from support.instances import install, instance

KIND = sys.argv[1]
A, B, C = (instance(name) for name in "abc")

PROGRAM = b"""#!/usr/bin/python3 -IS
import sys, time
while True:
    time.sleep(60)
"""

UNIT = """[Unit]
StartLimitBurst=3
StartLimitIntervalSec=1000
[Service]
ExecStart={program} --no-daemon
Restart={restart}
RestartSec={wait}
[Install]
WantedBy=multi-user.target
"""

SCRIPT = """#!/bin/sh
### BEGIN INIT INFO
# Provides: {service}
# Required-Start: $network
# Required-Stop: $network
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
case $1 in
start) start-stop-daemon --start --background --make-pidfile --pidfile {pid_file} --exec {program} ;;
stop) start-stop-daemon --stop --pidfile {pid_file} --remove-pidfile ;;
*) exit 2 ;;
esac
"""


def define(host: LocalHost, one: InstanceTarget, restart: str = "no", wait: int = 0) -> None:
    if KIND == "systemd":
        path = HostPath(f"/etc/systemd/system/{one.service}.service")
        host.write(
            path,
            UNIT.format(program=one.executable, restart=restart, wait=wait).encode(),
            0o644,
            "root:root",
        )
    else:
        path = HostPath(f"/etc/init.d/{one.service}")
        text = SCRIPT.format(service=one.service, program=one.executable, pid_file=one.pid_file)
        host.write(path, text.encode(), 0o755, "root:root")


def trees(host: LocalHost, one: InstanceTarget) -> list[tuple[int, ...]]:
    return [tree.pids for tree in host.runtime((one,))[one.name].trees]


def until(condition: object, what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def started_and_stopped(host: LocalHost) -> None:
    for one in (A, B):
        assert host.service(one) == ServiceSeen(True, False, False, None), host.service(one)
        host.enable(one)
        host.enable(one)
        host.start(one)
        until(lambda one=one: len(trees(host, one)) == 1, "it runs")
        until(lambda one=one: host.service(one).running, "the manager knows")
        ((pid,),) = trees(host, one)
        assert host.service(one) == ServiceSeen(True, True, True, pid), host.service(one)
        host.start(one)
        assert trees(host, one) == [(pid,)]
    states = host.service_states((A, B, C))
    assert [states[name].running for name in "abc"] == [True, True, False]
    assert not states["c"].installed
    before = trees(host, B)
    host.stop(A, 20)
    assert trees(host, A) == []
    assert trees(host, B) == before, "the sibling was touched"
    assert host.service(A) == ServiceSeen(True, True, False, None)
    host.stop(A, 20)
    host.start(A)
    until(lambda: len(trees(host, A)) == 1, "it runs again")


def by_hand(host: LocalHost) -> None:
    host.stop(A, 20)
    process = subprocess.Popen((A.executable,), start_new_session=True)
    until(lambda: trees(host, A) == [(process.pid,)], "the process started by hand")
    assert not host.service(A).running
    try:
        host.start(A)
    except HostError as error:
        assert error.code == "HST106", error
    else:
        raise AssertionError("a second process was started")
    host.stop(A, 20)
    assert process.wait(20) == -signal.SIGTERM
    host.start(A)


def disabled(host: LocalHost) -> None:
    for one in (A, B):
        host.disable(one)
        host.disable(one)
        assert not host.service(one).enabled
        host.stop(one, 20)
    assert trees(host, A) == trees(host, B) == []


def failing(host: LocalHost) -> None:
    """A unit that failed too often, and one that waits for its next restart."""
    install(host, C, b"#!/bin/false\n")
    define(host, C, restart="always")
    host.reload_services()
    host.start(C)
    show = ("systemctl", "show", "--value", "-p", "ActiveState", "pbx-c")
    said = lambda: subprocess.check_output(show, text=True).strip()  # noqa: E731
    until(lambda: said() == "failed", "the start limit")
    assert host.service(C) == ServiceSeen(True, False, False, None)
    host.write(C.executable, PROGRAM, 0o755, "root:root")
    host.start(C)
    until(lambda: len(trees(host, C)) == 1, "it runs in spite of the limit")
    host.stop(C, 20)
    define(host, C, restart="always", wait=1000)
    host.reload_services()
    host.write(C.executable, b"#!/bin/false\n", 0o755, "root:root")
    host.start(C)
    until(lambda: said() == "activating", "it waits for its restart")
    assert not host.service(C).running
    host.stop(C, 20)
    assert said() == "inactive"


def refused(host: LocalHost) -> None:
    if KIND == "systemd":
        failing(host)
        host.write(HostPath("/etc/systemd/system/pbx-a.service"), b"nonsense", 0o644, "root:root")
        host.reload_services()
    else:
        host.write(HostPath("/etc/init.d/pbx-a"), b"#!/bin/sh\nexit 1\n", 0o755, "root:root")
    for attempt in (lambda: host.start(A), lambda: host.enable(A)):
        try:
            attempt()
        except HostError as error:
            assert error.code == "HST105", error
        else:
            raise AssertionError("nonsense was accepted")
    host.remove(join(B.directory, "pbx.xml"))
    try:
        host.start(B)
    except HostError as error:
        assert error.code == "HST106", error
    else:
        raise AssertionError("an unseeded instance was started")


def main() -> None:
    host = LocalHost(None, KIND)
    assert host.runs_services and host.owners_matter
    for one in (A, B):
        install(host, one, PROGRAM)
        define(host, one)
    host.reload_services()
    started_and_stopped(host)
    by_hand(host)
    disabled(host)
    refused(host)
    host.write(HostPath("/var/run/through-a-system-link"), b"", 0o644, "root:root")
    assert os.path.exists("/run/through-a-system-link")
    assert "203.0.113.10" in host.facts().addresses
    sys.stdout.write("whole\n")


main()

"""No service manager: pbxfleet starts the processes itself, in a sandbox or an embedded system."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, parent
from pbxfleet.host.pidfile import verified_pid
from pbxfleet.host.services import Parts, Running
from pbxfleet.model.observed import RuntimeSeen, ServiceSeen
from pbxfleet.model.target import InstanceTarget

LOGS = "/var/log"
WATCHED_S = 0.3  # how long a start is watched for an exit at once
LOOK_EVERY_S = 0.02
UNDO_S = 10.0
LAST_LINES = 5


class Direct:
    """Instances as processes of their own session, with a PID file and a log file each.

    An instance is always `enabled` here: there is nobody who would start it with the machine.
    """

    runs = True

    def __init__(self, parts: Parts) -> None:
        self._files = parts.files
        self._processes = parts.processes
        self._pin = parts.pin

    def seen(
        self, instances: Sequence[InstanceTarget], runtime: Running | None = None
    ) -> Mapping[str, ServiceSeen]:
        known = runtime or {}
        return {i.name: self._seen(i, known.get(i.name)) for i in instances}

    def _seen(self, instance: InstanceTarget, known: RuntimeSeen | None) -> ServiceSeen:
        pid = verified_pid(self._files, self._processes, instance, known)
        return ServiceSeen(True, True, pid is not None, pid)

    def reload(self) -> None:
        """Nothing to do: there is no manager."""

    def enable(self, instance: InstanceTarget) -> None:
        """Nothing to do: see the class."""

    def disable(self, instance: InstanceTarget) -> None:
        """Nothing to do: see the class."""

    def start(self, instance: InstanceTarget) -> None:
        """Start the instance; HST108 with the last lines of its log if it ends at once."""
        from pbxfleet.host.launch import Launch, launch, reap

        root = self._files.root
        log_path = HostPath(f"{LOGS}/pbx-{instance.name}.log")
        for folder in (HostPath(LOGS), parent(instance.pid_file)):
            self._files.make_directory(folder, 0o755, "")
        log = self._files.open_log(log_path)
        try:
            said_before = os.fstat(log).st_size
            cores = (instance.cpu,) if self._pin and instance.cpu is not None else ()
            executable = root.machine_path(instance.executable)
            directory = root.machine_directory(instance.directory)
            argv = (executable, "--no-daemon", "--dir", directory)
            pid = launch(Launch(argv, directory, cores, log))
            self._write_pid(instance, pid)
            if not self._stays(pid):
                reap()
                self._files.remove(instance.pid_file)
                raise self._ended(instance, log_path, said_before)
        finally:
            os.close(log)

    def _write_pid(self, instance: InstanceTarget, pid: int) -> None:
        try:
            self._files.write(instance.pid_file, f"{pid}\n".encode(), 0o644, "")
        except BaseException:  # what nobody knows of shall not run
            from pbxfleet.host.stopping import end_trees

            end_trees(self._processes, instance, UNDO_S)
            raise

    def _stays(self, pid: int) -> bool:
        first = self._processes.proc.stat(pid)
        until = time.monotonic() + WATCHED_S
        while first is not None and time.monotonic() < until:
            time.sleep(LOOK_EVERY_S)
            now = self._processes.proc.stat(pid)
            if now is None or now.ended or now.started_ticks != first.started_ticks:
                return False
        return first is not None and not first.ended

    def _ended(self, instance: InstanceTarget, log: HostPath, said_before: int) -> HostError:
        content = (self._files.read(log) or b"")[said_before:]
        lines = content.decode("utf-8", "replace").strip().splitlines()[-LAST_LINES:]
        said = f": {'; '.join(lines)}" if lines else " and said nothing"
        return HostError(instance.executable, f"ended right after its start{said}", code="HST108")

    def stop(self, instance: InstanceTarget, timeout_s: float) -> None:
        """End every process of the instance, then forget its number."""
        from pbxfleet.host.launch import reap
        from pbxfleet.host.stopping import end_trees

        end_trees(self._processes, instance, timeout_s)
        reap()
        self._files.remove(instance.pid_file)

"""PID files: a number that counts only once /proc agrees whose process it is."""

from __future__ import annotations

from pbxfleet.core.errors import HostError
from pbxfleet.host.proc import Processes
from pbxfleet.host.views import FileView
from pbxfleet.model.observed import RuntimeSeen
from pbxfleet.model.target import InstanceTarget


def parse_pid(content: bytes) -> int | None:
    """The process number in a PID file, None if it holds no such thing."""
    word = content.split(b"\n", 1)[0].strip()
    return int(word) if word.isdigit() and len(word) < 10 and int(word) > 0 else None


def verified_pid(
    files: FileView,
    processes: Processes,
    instance: InstanceTarget,
    runtime: RuntimeSeen | None = None,
) -> int | None:
    """The process that an instance's PID file names, if it is one of the instance's own.

    One that was just seen in the `runtime` of the instance is not looked at again.
    """
    try:
        content = files.read(instance.pid_file)
    except HostError:  # not a regular file, or not ours to read: it proves nothing
        return None
    pid = parse_pid(content) if content is not None else None
    if pid is not None and runtime is not None and any(pid in t.pids for t in runtime.trees):
        return pid
    return pid if pid is not None and processes.belongs(pid, instance) else None

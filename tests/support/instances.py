"""Instances and throw-away PBX scripts for tests of hosts."""

from __future__ import annotations

import sys

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.base import Host
from pbxfleet.model.target import ExpectedListener, InstanceTarget

# The interpreter itself: a version manager's shim would be a second process in between.
PYTHON = getattr(sys, "_base_executable", sys.executable)
IDLE = "import time\nwhile True: time.sleep(60)"


def instance(
    name: str,
    *,
    cpu: int | None = None,
    listeners: tuple[ExpectedListener, ...] = (),
    directory: str | None = None,
    executable: str = "pbxctrl",
) -> InstanceTarget:
    """An instance with the usual paths and nothing else declared."""
    home = HostPath(directory or f"/usr/local/pbx-{name}")
    return InstanceTarget(
        name=name,
        directory=home,
        service=f"pbx-{name}",
        executable=join(home, executable),
        executable_digest=Digest("sha256:" + "0" * 64),
        pid_file=HostPath(f"/run/pbx-{name}.pid"),
        cpu=cpu,
        listeners=listeners,
        addresses=tuple(dict.fromkeys(listener.address for listener in listeners)),
        rtp_address=None,
        rtp=None,
        peer=None,
        origin=f"desired/instances/{name}.toml:1:1",
    )


def script(body: str = IDLE) -> bytes:
    """A throw-away pbxctrl: a Python script that starts fast and knows no options."""
    return f"#!{PYTHON} -IS\nimport sys\n{body}\n".encode()


def install(host: Host, wanted: InstanceTarget, program: bytes, seed: bytes = b"<pbx/>\n") -> None:
    """Put executable and pbx.xml of an instance in place."""
    host.make_directory(wanted.directory, 0o755, "root:root")
    host.write(wanted.executable, program, 0o755, "root:root")
    host.write(join(wanted.directory, "pbx.xml"), seed, 0o600, "root:root")

"""The host half starts fast: what a command may not need is not loaded with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = frozenset(
    {
        "dataclasses", "hashlib", "json", "logging", "multiprocessing", "pathlib", "shutil",
        "signal", "socket", "struct", "subprocess", "tempfile", "threading", "inspect",
    }
)  # fmt: skip


@pytest.mark.parametrize("services", ["systemd", "sysv", "direct"])
def test_looking_at_a_host_loads_little(
    tmp_path_factory: pytest.TempPathFactory, services: str
) -> None:
    root = tmp_path_factory.mktemp("root")
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from pbxfleet.core.paths import HostPath\n"
        "from pbxfleet.host.local import LocalHost\n"
        f"host = LocalHost({str(root)!r}, {services!r})\n"
        "host.look(HostPath('/f')), host.read(HostPath('/f')), host.names(HostPath('/'))\n"
        "host.runtime(()), host.service_states(())\n"
        "print(*set(sys.modules) - before)\n"
    )
    argv = (
        sys.executable,
        "-IS",
        "-c",
        f"sys = __import__('sys'); sys.path[:0] = {sys.path!r}\n{code}",
    )
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    assert HEAVY & set(done.stdout.split()) == set()

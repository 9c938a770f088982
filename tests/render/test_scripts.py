"""Init scripts as text: what a linter and several shells say, and what service managers read."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pbxfleet.model.desired import AffinityBy, ServiceBackend
from pbxfleet.render.services import BACKENDS
from support import beds
from support.resolved import Places, Wish, host

DIRECTORIES = ["/usr/local/pbx-acme", "/srv/p b$HOME/`id`;&'\"[1]*\\z\u00fc"]


def script(wish: Wish, affinity: AffinityBy = AffinityBy.UNIT, places: Places = Places()) -> str:  # noqa: B008
    resolved = host([wish], ServiceBackend.SYSV, affinity=affinity, places=places)
    made = BACKENDS[ServiceBackend.SYSV].service_file(resolved, resolved.instances[0])
    assert made is not None and made.mode == 0o755
    return made.content.decode()


@pytest.mark.parametrize("directory", DIRECTORIES)
@pytest.mark.parametrize("cpu", [None, 3])
def test_shellcheck_finds_nothing(tmp_path: Path, directory: str, cpu: int | None) -> None:
    # The one of the virtual environment first: its version is pinned.
    here = Path(sys.executable).with_name("shellcheck")
    program = str(here) if here.exists() else "shellcheck"
    beds.require_programs("shellcheck", program)
    path = tmp_path / "pbx-acme"
    path.write_text(script(Wish("acme", cpu=cpu, directory=directory)), encoding="utf-8")
    done = subprocess.run([program, path], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "ksh", "busybox"])
@pytest.mark.parametrize("directory", DIRECTORIES)
def test_every_shell_that_is_here_can_parse_it(tmp_path: Path, shell: str, directory: str) -> None:
    found = shutil.which(shell) or "/bin/sh"
    argv = [found, "sh", "-n"] if found.endswith("busybox") else [found, "-n"]
    path = tmp_path / "pbx-acme"
    path.write_text(script(Wish("acme", directory=directory)), encoding="utf-8")
    done = subprocess.run([*argv, path], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_values_reach_the_shell_as_they_are(tmp_path: Path, directory: str) -> None:
    places = Places(pid_file="/run/it's {name}.pid", lock_file="/run/lock/$(reboot)-{name}")
    text = script(Wish("acme", cpu=2, directory=directory), places=places)
    assigned = re.findall(r"^(?:PBX_DIR|PROG|PIDFILE|LOCKFILE|CORE|STOP_TIMEOUT)=.*$", text, re.M)
    path = tmp_path / "values"
    names = '"$PBX_DIR" "$PROG" "$PIDFILE" "$LOCKFILE" "$CORE" "$STOP_TIMEOUT"'
    path.write_text("\n".join([*assigned, f"printf '%s\\n' {names}"]), encoding="utf-8")
    done = subprocess.run(["sh", path], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [
        directory,
        f"{directory}/pbxctrl",
        "/run/it's acme.pid",
        "/run/lock/$(reboot)-acme",
        "2",
        "60",
    ]


def headers(text: str) -> dict[str, str]:
    """The LSB header, read the way insserv does: between its marks, one key a line."""
    block = text.partition("### BEGIN INIT INFO\n")[2].partition("### END INIT INFO\n")[0]
    return dict(re.findall(r"^# ([A-Za-z-]+):[ \t]+(.+)$", block, re.M))


def test_the_headers_are_unique_and_complete() -> None:
    acme, beta = headers(script(Wish("acme"))), headers(script(Wish("beta")))
    assert acme["Provides"] == "pbx-acme" and beta["Provides"] == "pbx-beta"
    # Without these two, update-rc.d makes no links and says nothing (insserv: "incomplete").
    assert acme["Default-Start"] == "2 3 4 5" and acme["Default-Stop"] == "0 1 6"
    assert {"Required-Start", "Required-Stop", "Short-Description", "Description"} <= set(acme)
    text = script(Wish("acme"))
    assert re.search(r"^# chkconfig: 2345 20 80$", text, re.M)
    # systemd's generator takes the main process from here; without it there is none.
    assert re.search(r"^# pidfile: /run/pbx-acme\.pid$", text, re.M)


def test_the_core_is_set_by_one_mechanism_only() -> None:
    assert re.search(r"^CORE=1$", script(Wish("acme", cpu=1)), re.M)
    assert re.search(r"^CORE=$", script(Wish("acme", cpu=1), AffinityBy.PBX), re.M)
    assert re.search(r"^CORE=$", script(Wish("acme")), re.M)


def test_nothing_goes_by_the_name_of_the_program() -> None:
    text = script(Wish("acme"))
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert not re.search(r"\b(killproc|pidofproc|pidof|pkill|pgrep|killall|daemon) ", code)
    assert not re.search(r"(?<!_)\bstatus \$", code)

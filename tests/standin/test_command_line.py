"""Options, exit codes and files of a release, as the stand-in's own text promises them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.standin import PATIENCE_S, PORTS, SOURCE, make_release
from support.standin_box import Box


def run(
    *argv: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in argv],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_S,
        cwd=cwd,
        env=env,
    )


def test_version_is_printed(tmp_path: Path) -> None:
    done = run(make_release(tmp_path, "71.2").pbxctrl, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, "pbxctrl 71.2 (stand-in)\n", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bogus"], "unknown option --bogus"),
        (["--help"], "unknown option --help"),
        (["--config", "x"], "unknown option --config"),
        (["--dir=."], "unknown option --dir=."),
        (["pbx-1"], "unknown option pbx-1"),
        (["--version", "-x"], "unknown option -x"),
        (["--dir"], "--dir needs a value"),
        (["--pidfile"], "--pidfile needs a value"),
        (["--http-port", "0"], "--http-port needs a port from 1 to 65535, not '0'"),
        (["--https-port", "65536"], "--https-port needs a port from 1 to 65535, not '65536'"),
        (["--http-port", "127.0.0.1:80"], "needs a port from 1 to 65535, not '127.0.0.1:80'"),
    ],
)
def test_wrong_usage_is_2_and_starts_nothing(
    tmp_path: Path, options: list[str], message: str
) -> None:
    done = run(make_release(tmp_path).pbxctrl, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert not (tmp_path / "pbx.xml").exists()


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = run(make_release(tmp_path).pbxctrl, "--dir", tmp_path / "absent")
    assert done.returncode == 1
    assert "absent: No such file or directory" in done.stderr


@pytest.mark.parametrize("options", [[], ["--dir", "."]])
def test_the_current_directory_is_the_working_directory(box: Box, options: list[str]) -> None:
    argv = [str(box.release.pbxctrl), *options, "--pidfile", "here.pid"]
    assert run(*argv, cwd=box.directory).returncode == 0
    pid = int((box.directory / "here.pid").read_text())
    try:
        assert box.get("/rest/system/session").status == 200
        assert Path(f"/proc/{pid}/cwd").resolve() == box.directory
    finally:
        os.kill(pid, 9)


def test_it_goes_to_the_background_by_itself(box: Box) -> None:
    pid = box.start()
    assert box.pids == [pid]
    assert os.getsid(pid) != os.getsid(0)
    assert os.getpgid(pid) != os.getpgid(0)
    assert box.get("/rest/system/session").status == 200
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"}


def test_it_starts_with_closed_streams(box: Box) -> None:
    shell = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
    assert run(*shell, *box.argv()).returncode == 0
    assert box.get("/rest/system/session").status == 200


def test_no_daemon_stays_in_front_and_in_the_group(box: Box) -> None:
    popen = box.start_in_front()
    box.wait_listening()
    assert box.pids == [popen.pid] == [box.pid]
    assert os.getpgid(popen.pid) == os.getpgid(0)
    popen.terminate()
    assert popen.wait(PATIENCE_S) == 0


def test_process_lists_show_pbxctrl_however_it_is_run(box: Box) -> None:
    interpreter, options = box.release.pbxctrl.read_text().split("\n", 1)[0][2:].split()
    popen = box.start_in_front(under=(interpreter, options))
    box.wait_listening()
    assert Path(f"/proc/{popen.pid}/comm").read_text() == "pbxctrl\n"


@pytest.mark.parametrize("option", ["--http-port", "--https-port"])
def test_a_port_of_the_command_line_is_stronger_than_pbx_xml(
    make_box: Callable[..., Box], option: str
) -> None:
    # A bare port is every address, so the port that another one holds tells which was used.
    holder, box = make_box(), make_box()
    holder.configure()
    holder.start()
    box.configure()
    before = box.pbx_xml.read_bytes()
    done = box.run(option, str(PORTS["ip_http_port"]))
    assert done.returncode == 1
    role = option.removeprefix("--").removesuffix("-port")
    assert f"{role}: cannot bind {PORTS['ip_http_port']}: Address already in use" in done.stderr
    assert box.pbx_xml.read_bytes() == before


def test_the_files_of_two_versions_differ(tmp_path: Path) -> None:
    old, new = make_release(tmp_path / "old", "70.5"), make_release(tmp_path / "new", "70.6")
    assert set(old.sha256s) == {"pbxctrl", "pbxctrl.dat"}
    assert not set(old.sha256s.values()) & set(new.sha256s.values())
    assert old.sha256s == make_release(tmp_path / "again", "70.5").sha256s


def test_files_of_two_versions_do_not_start_together(box: Box, tmp_path: Path) -> None:
    newer = make_release(tmp_path / "newer", "70.6")
    newer.dat.replace(box.release.dat)
    done = box.run()
    assert done.returncode == 1
    assert "pbxctrl.dat is for version 70.6, not version 70.5" in done.stderr
    box.release.dat.unlink()
    done = box.run()
    assert done.returncode == 1
    assert "pbxctrl.dat cannot be read: No such file or directory" in done.stderr


def test_the_package_data_runs_as_it_is(box: Box, tmp_path: Path) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    interpreter = box.release.pbxctrl.read_text().split("\n", 1)[0][2:].split()[0]
    (path / "python3").symlink_to(interpreter)
    done = run(SOURCE / "pbxctrl", "--version", env={"PATH": f"{path}:{os.environ['PATH']}"})
    assert (done.returncode, done.stdout) == (0, "pbxctrl 70.5 (stand-in)\n")


def test_a_pid_file_that_cannot_be_written_is_a_refusal(box: Box) -> None:
    box.pidfile = box.directory / "absent" / "pid"
    done = box.run()
    assert done.returncode == 1
    assert "the PID file cannot be written: No such file or directory" in done.stderr
    assert box.pids == []

"""Rendered units on a booted host with a real systemd."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pbxfleet.model.desired import ServiceBackend
from support.bed_host import install, listening, wish
from support.nspawn import interpreter_binds
from support.standin import wait_until
from support.systemd_bed import SystemdBed

ACME, BETA, ODD, GAMMA = "203.0.113.10", "2001:db8:1::10", "203.0.113.11", "203.0.113.12"
RHEL = "203.0.113.13"
LIBRARY = Path(__file__).parent / "rhel/functions"
CORE = max(os.sched_getaffinity(0))
ODD_DIRECTORY = "/srv/p b%x/$HOME ;[1]*#~{a}\u00fc"


@pytest.fixture(scope="module")
def bed(systemd: SystemdBed, tmp_path_factory: pytest.TempPathFactory) -> SystemdBed:
    """Three instances, enabled and started: one pinned, one on IPv6, one in an odd directory."""
    wishes = (
        wish("acme", ACME, cpu=CORE),
        wish("beta", BETA),
        wish("odd", ODD, directory=ODD_DIRECTORY),
    )
    install(systemd, tmp_path_factory.mktemp("s"), ServiceBackend.SYSTEMD, *wishes)
    systemd.run("systemctl", "daemon-reload")
    systemd.run("systemctl", "enable", "--now", "pbx-acme", "pbx-beta", "pbx-odd")
    return systemd


def wait_listening(bed: SystemdBed, directory: str) -> None:
    wait_until(lambda: directory in listening(bed), f"{directory} listens")


def active(bed: SystemdBed, *units: str) -> list[str]:
    return bed.run("systemctl", "is-active", *units, check=False).stdout.split()


def test_each_instance_runs_on_its_own_address_only(bed: SystemdBed) -> None:
    assert active(bed, "pbx-acme", "pbx-beta", "pbx-odd") == ["active"] * 3
    for directory in ("/usr/local/pbx-acme", "/usr/local/pbx-beta", ODD_DIRECTORY):
        wait_listening(bed, directory)
    assert listening(bed) == {
        "/usr/local/pbx-acme": {ACME},
        "/usr/local/pbx-beta": {BETA},
        ODD_DIRECTORY: {ODD},
    }
    log = bed.run("journalctl", "-b", "-p", "warning", "-u", "pbx-*", "-q", "--no-pager").stdout
    assert log == "", "systemd has something to say about the units"


def test_the_process_is_in_the_foreground_in_its_directory_on_its_core(bed: SystemdBed) -> None:
    for unit, directory, cores in (
        ("pbx-acme", "/usr/local/pbx-acme", str(CORE)),
        ("pbx-odd", ODD_DIRECTORY, None),
    ):
        pid = bed.show(unit, "MainPID")
        status = bed.read(f"/proc/{pid}/status").decode()
        allowed = dict(line.split(":\t", 1) for line in status.splitlines())["Cpus_allowed_list"]
        assert cores is None or allowed == cores
        argv = bed.read(f"/proc/{pid}/cmdline").decode().split("\0")[:-1]
        assert argv[-3:] == ["--no-daemon", "--dir", directory]
        assert bed.run("readlink", f"/proc/{pid}/cwd").stdout.rstrip("\n") == directory


def test_a_killed_instance_comes_back_and_its_sibling_does_not_notice(bed: SystemdBed) -> None:
    before = bed.show("pbx-beta", "MainPID")
    killed = bed.show("pbx-acme", "MainPID")
    bed.run("kill", "-KILL", killed)
    wait_until(lambda: bed.show("pbx-acme", "NRestarts") == "1", "systemd starts it again")
    wait_listening(bed, "/usr/local/pbx-acme")
    assert bed.show("pbx-acme", "MainPID") not in ("0", killed)
    assert bed.show("pbx-beta", "MainPID") == before


def test_stopping_one_leaves_the_others(bed: SystemdBed) -> None:
    before = bed.show("pbx-beta", "MainPID")
    bed.run("systemctl", "stop", "pbx-acme")
    assert active(bed, "pbx-acme", "pbx-beta", "pbx-odd") == ["inactive", "active", "active"]
    assert "/usr/local/pbx-acme" not in listening(bed)
    assert bed.show("pbx-beta", "MainPID") == before
    bed.run("systemctl", "start", "pbx-acme")
    wait_listening(bed, "/usr/local/pbx-acme")


def test_what_is_enabled_comes_up_with_the_machine(bed: SystemdBed) -> None:
    bed.run("systemctl", "disable", "--now", "pbx-odd")
    for restart in (bed.reboot, bed.power_cut):
        restart()
        assert active(bed, "pbx-acme", "pbx-beta", "pbx-odd") == ["active", "active", "inactive"]
        for directory in ("/usr/local/pbx-acme", "/usr/local/pbx-beta"):
            wait_listening(bed, directory)
    assert bed.run("systemctl", "--failed", "--no-legend").stdout == ""


def test_an_init_script_under_systemd_is_a_service_with_a_main_process(
    bed: SystemdBed, tmp_path: Path
) -> None:
    install(bed, tmp_path, ServiceBackend.SYSV, wish("gamma", GAMMA))
    bed.run("update-rc.d", "pbx-gamma", "defaults")
    bed.run("systemctl", "daemon-reload")
    # Called by a person, Debian's library hands over to systemd; called by systemd, the script acts.
    bed.run("/etc/init.d/pbx-gamma", "start")
    wait_listening(bed, "/usr/local/pbx-gamma")
    assert active(bed, "pbx-gamma") == ["active"]
    recorded = bed.read("/run/pbx-gamma.pid").decode().strip()
    assert bed.show("pbx-gamma", "MainPID") == recorded
    assert bed.run("/etc/init.d/pbx-gamma", "status").returncode == 0
    bed.run("/etc/init.d/pbx-gamma", "stop")
    assert "/usr/local/pbx-gamma" not in listening(bed)
    assert bed.run("/etc/init.d/pbx-gamma", "status", check=False).returncode == 3
    bed.reboot()
    wait_listening(bed, "/usr/local/pbx-gamma")
    assert active(bed, "pbx-gamma", "pbx-beta") == ["active", "active"]


def test_an_init_script_with_red_hats_library_under_systemd(
    bed: SystemdBed, tmp_path: Path
) -> None:
    """A person's call goes by way of systemctl, which runs the same script: two code paths, one result."""
    bed.write("/etc/init.d/functions", LIBRARY.read_bytes())
    try:
        install(bed, tmp_path, ServiceBackend.SYSV, wish("rhel", RHEL))
        bed.run("systemctl", "daemon-reload")
        script = "/etc/init.d/pbx-rhel"
        assert "by way of systemctl" in bed.run(script, "start").stdout
        wait_listening(bed, "/usr/local/pbx-rhel")
        assert listening(bed)["/usr/local/pbx-rhel"] == {RHEL}
        recorded = bed.read("/run/pbx-rhel.pid").decode().strip()
        assert bed.show("pbx-rhel", "MainPID") == recorded
        assert (
            "ExecStart={ path=/etc/init.d/pbx-rhel"
            in bed.run("systemctl", "show", "pbx-rhel").stdout
        )
        assert bed.run(script, "status").returncode == 0
        # Without the way round, the script answers for itself, and knows the same process.
        direct = ("env", "SYSTEMCTL_SKIP_REDIRECT=1", script)
        assert f"process {recorded}" in bed.run(*direct, "status").stdout
        before = bed.show("pbx-beta", "MainPID")
        bed.run(script, "stop")
        assert "/usr/local/pbx-rhel" not in listening(bed)
        assert bed.run(*direct, "status", check=False).returncode == 3
        assert bed.show("pbx-beta", "MainPID") == before
        bed.run(*direct, "start")
        wait_listening(bed, "/usr/local/pbx-rhel")
        bed.run(*direct, "stop")
    finally:
        bed.run("rm", "/etc/init.d/functions")


def test_the_installed_program_runs_on_the_host(tmp_path: Path) -> None:
    with SystemdBed(tmp_path, binds=interpreter_binds()) as host:
        host.start()
        said = host.python("-c", "import lxml.etree, pbxfleet.model.manifest as m; print(m.FORMAT)")
        assert said.stdout == "1\n"

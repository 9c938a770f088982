"""A hardened unit under a real systemd: what a PBX does still works, and what it has no need of does not."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from pbxfleet.model.desired import ServiceBackend
from support.bed_host import PYTHON, install, listening, wish
from support.standin import bound_to, wait_until
from support.systemd_bed import SystemdBed

ODD = '/etc/pbx "l o g" %n\\'  # in a unit each of these signs means something
ACME, PROBE, OPEN = "203.0.113.10", "203.0.113.11", "203.0.113.12"
CORE = max(os.sched_getaffinity(0))
LOW = bound_to(ACME) | {"ip_http_port": f"{ACME}:80", "log_filename": "/var/log/acme.log"}

# In place of the executable: tries one thing after the other, and writes down how each of them ended.
TRIES = """#!{python}
import ctypes, json, os, socket, sys, time
os.chdir(sys.argv[sys.argv.index("--dir") + 1])
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), name)
def write(path):
    with open(path, "w") as file:
        file.write("x")
    os.remove(path)
def listen(port):
    with socket.socket() as s:
        s.bind(("{address}", port))
        s.listen()
def replace():
    with open("pbxctrl.new", "wb") as new, open("pbxctrl", "rb") as old:
        new.write(old.read())
    os.chmod("pbxctrl.new", 0o755)
    os.rename("pbxctrl.new", "pbxctrl")
tries = dict(
    port_80=lambda: listen(80),
    netlink=lambda: socket.if_nameindex(),
    priority=lambda: os.setpriority(os.PRIO_PROCESS, 0, -11),
    realtime=lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)),
    affinity=lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
    own_upgrade=replace,
    own_file=lambda: write("written"),
    failover_file=lambda: write("/etc/pbx/written"),
    log=lambda: write("/var/log/written"),
    log_in_odd_folder=lambda: write({odd!r} + "/written"),
    temporary=lambda: write("/tmp/written"),
    proc_stat=lambda: open("/proc/stat").close(),
    system_file=lambda: write("/usr/bin/written"),
    sibling=lambda: write("/usr/local/pbx-acme/written"),
    settings_of_system=lambda: write("/etc/written"),
    home=lambda: open(os.path.expanduser("~root") + "/.profile").close(),
    tunable=lambda: open("/proc/sys/kernel/domainname", "w").close(),
    packet_socket=lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    namespace=lambda: call("unshare", 0x20000),
    mount=lambda: call("mount", b"none", b"/mnt", b"tmpfs", 0, None),
    clock=lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    node=lambda: os.mknod("/var/log/node", 0o20600, os.makedev(1, 3)),
)
done = {{}}
for name, attempt in tries.items():
    try:
        attempt()
        done[name] = "done"
    except OSError as error:
        done[name] = "refused"
with open("done.json", "w") as file:
    json.dump(done, file)
time.sleep(3600)
"""
WORKS = (
    "port_80",
    "netlink",
    "priority",
    "realtime",
    "affinity",
    "own_upgrade",
    "own_file",
    "failover_file",
    "log",
    "log_in_odd_folder",
    "temporary",
    "proc_stat",
)


@pytest.fixture(scope="module")
def bed(systemd: SystemdBed, tmp_path_factory: pytest.TempPathFactory) -> SystemdBed:
    """A stand-in PBX and two probes, one of them not hardened."""
    acme = wish("acme", ACME, cpu=CORE, settings=LOW)
    probe = wish("probe", PROBE, peer="other", settings={"log_filename": f"{ODD}/probe.log"})
    systemd.path(ODD).mkdir()
    install(systemd, tmp_path_factory.mktemp("s"), ServiceBackend.SYSTEMD, acme, probe)
    folder = tmp_path_factory.mktemp("o")
    install(systemd, folder, ServiceBackend.SYSTEMD, wish("open", OPEN), hardening=False)
    for name, address in (("probe", PROBE), ("open", OPEN)):
        tries = TRIES.format(python=PYTHON, address=address, odd=ODD)
        systemd.write(f"/usr/local/pbx-{name}/pbxctrl", tries, 0o755)
    systemd.run("systemctl", "daemon-reload")
    systemd.run("systemctl", "start", "pbx-acme", "pbx-probe", "pbx-open")
    return systemd


def tried(bed: SystemdBed, name: str) -> Mapping[str, str]:
    path = f"/usr/local/pbx-{name}/done.json"
    wait_until(lambda: bed.path(path).exists() and bed.read(path), f"{name} has tried everything")
    found: Mapping[str, str] = json.loads(bed.read(path))
    return found


def test_what_a_pbx_does_works_and_the_rest_is_refused(bed: SystemdBed) -> None:
    done = tried(bed, "probe")
    assert done == {name: "done" if name in WORKS else "refused" for name in done}
    assert set(WORKS) < set(done)


def test_without_hardening_nothing_is_refused_by_the_unit(bed: SystemdBed) -> None:
    done = tried(bed, "open")
    assert {name for name, how in done.items() if how == "done"} > set(WORKS) | {
        "system_file",
        "sibling",
        "home",
        "packet_socket",
        "namespace",
        "mount",
    }


def test_the_stand_in_does_all_it_does(bed: SystemdBed) -> None:
    directory = "/usr/local/pbx-acme"
    wait_until(lambda: listening(bed).get(directory) == {ACME}, "it listens on its address")
    sockets = bed.run("ss", "-Hlnt").stdout
    assert f"{ACME}:80 " in sockets, "a port below 1024"
    pid = bed.show("pbx-acme", "MainPID")
    allowed = [w for w in bed.read(f"/proc/{pid}/status").decode().splitlines() if "allowed_l" in w]
    assert allowed[0].endswith(f"\t{CORE}")
    assert bed.read("/var/log/acme.log"), "its log lies outside its directory"
    choices = {"standin_rewrite": "exit", "standin_add": "ended_in_order=yes"}
    bed.write(f"{directory}/standin.json", json.dumps(choices))
    for _ in range(2):  # the first end rewrites pbx.xml, the second start reads it
        bed.run("systemctl", "restart", "pbx-acme")
        wait_until(lambda: listening(bed).get(directory) == {ACME}, "it listens again")
    assert b"<ended_in_order>yes" in bed.read(f"{directory}/pbx.xml")


def test_an_upgrade_from_within_is_what_runs_next(bed: SystemdBed, tmp_path: Path) -> None:
    before = tried(bed, "probe")
    inode = bed.path("/usr/local/pbx-probe/pbxctrl").stat().st_ino
    bed.run("systemctl", "restart", "pbx-probe")
    wait_until(
        lambda: bed.path("/usr/local/pbx-probe/pbxctrl").stat().st_ino != inode,
        "the file is another one",
    )
    assert tried(bed, "probe") == before

"""A program that runs inside a booted host: what is really there, as one JSON document on stdout.

It is told where the instances are, as JSON, and reads /proc, `ss` and the service manager by itself: nothing
of the product is used, so that the product's own view cannot hide a fault of the product.
"""

from __future__ import annotations

import glob
import http.client
import json
import os
import re
import socket
import subprocess
import sys

IOPRIO_GET = {"x86_64": 252, "aarch64": 31}
NAMES = re.compile(r"<(\w+)[^>]*>([^<]*)</\1>")


def main() -> None:
    """Answer for every instance of the request: {services, instances: {name: {directory, address}}}."""
    request = json.loads(sys.argv[1])
    wanted = request["instances"]
    groups = processes()
    sockets = bound()
    services = {"systemd": units, "sysv": scripts}[request["services"]](sorted(wanted))
    found = {}
    for name, where in wanted.items():
        members = groups.pop(where["directory"], [])
        found[name] = {
            "roots": roots(members),
            "processes": sorted(f"{p['pid']} since {p['started']}" for p in members),
            "main": min((p["pid"] for p in members), default=0),
            "cpus": sorted({p["cpus"] for p in members}),
            "urgency": sorted({p["urgency"] for p in members}),
            "sockets": sorted(s for p in members for s in sockets.get(p["pid"], ())),
            "settings": settings(f"{where['directory']}/pbx.xml"),
            "release": release(where["directory"]),
            "answers": answers(where["address"]) if members else [],
            **services[name],
        }
    host = {"strays": sorted(groups), "urgency": urgency(1)}
    json.dump({"instances": found, **host}, sys.stdout)


def processes() -> dict[str, list[dict[str, object]]]:
    """PBX processes by their working directory as it stands in their arguments."""
    found: dict[str, list[dict[str, object]]] = {}
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            argv = read(f"{folder}/cmdline").split("\0")
            stat = read(f"{folder}/stat").rpartition(")")[2].split()
            status = read(f"{folder}/status")
        except OSError:
            continue
        if "--dir" not in argv or not argv[argv.index("--dir") - 1 :] or stat[0] in "ZX":
            continue
        if not any(word.endswith("/pbxctrl") for word in argv[: argv.index("--dir")]):
            continue
        pid = int(os.path.basename(folder))
        cpus = re.findall(r"^Cpus_allowed_list:\s*(\S+)$", status, re.M)[0]
        one = {"pid": pid, "parent": int(stat[1]), "started": int(stat[19]), "cpus": cpus}
        one["urgency"] = urgency(pid)
        found.setdefault(argv[argv.index("--dir") + 1], []).append(one)
    return found


def urgency(pid: int) -> str:
    """How much of the machine a process may take before others."""
    stat = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return f"nice {stat[16]} policy {stat[38]} io {io_class(pid)}"


def io_class(pid: int) -> int:
    """The class of a process's reads and writes: 0 none was chosen, 3 idle."""
    import ctypes

    number = IOPRIO_GET[os.uname().machine]
    return ctypes.CDLL(None, use_errno=True).syscall(number, 1, pid) >> 13


def roots(members: list[dict[str, object]]) -> int:
    """How many process trees there are: more than one fights over one directory."""
    pids = {p["pid"] for p in members}
    return sum(1 for p in members if p["parent"] not in pids)


def bound() -> dict[int, list[str]]:
    """Listening TCP and bound UDP sockets by process: `tcp 203.0.113.10:80`."""
    found: dict[int, list[str]] = {}
    for line in run("ss", "-Hlntup").stdout.splitlines():
        words = line.split()
        for pid in set(re.findall(r"pid=(\d+),", line)):
            found.setdefault(int(pid), []).append(f"{words[0]} {words[4]}")
    return found


def units(names: list[str]) -> dict[str, dict[str, object]]:
    """What systemd says of each."""
    asked = ("--property=ActiveState,SubState,UnitFileState,MainPID", "--")
    said = run("systemctl", "show", *asked, *(f"pbx-{name}" for name in names)).stdout
    found = {}
    for name, block in zip(names, said.strip().split("\n\n"), strict=True):
        fields = dict(line.split("=", 1) for line in block.splitlines())
        state = f"{fields['ActiveState']} ({fields['SubState']})"
        active, enabled = fields["ActiveState"] == "active", fields["UnitFileState"] == "enabled"
        found[name] = {"active": active, "enabled": enabled, "state": state}
    return found


def scripts(names: list[str]) -> dict[str, dict[str, object]]:
    """What each script says of itself, and the links of the runlevel that the host is in."""
    level = run("runlevel").stdout.split()[-1]
    found = {}
    for name in names:
        script = f"/etc/init.d/pbx-{name}"
        state = run(script, "status").returncode if os.path.exists(script) else 3
        links = glob.glob(f"/etc/rc{level}.d/S[0-9][0-9]pbx-{name}")
        found[name] = {"active": state == 0, "enabled": bool(links), "state": f"status {state}"}
    return found


def settings(path: str) -> dict[str, str]:
    """Elements of a pbx.xml, empty where there is none."""
    try:
        return dict(NAMES.findall(read(path)))
    except OSError:
        return {}


def release(directory: str) -> list[str]:
    """The version in the executable and the one in the resources."""
    try:
        says = re.findall(r'^VERSION = "(.*)"$', read(f"{directory}/pbxctrl"), re.M)
        return [*says, read(f"{directory}/pbxctrl.dat").split()[1]]
    except OSError:
        return []


def answers(address: str) -> list[str]:
    """Who answers on the address: the web server, and SIP over UDP."""
    found = []
    try:
        asked = http.client.HTTPConnection(address, 80, timeout=5)
        asked.request("GET", "/rest/system/session")
        found.append(f"http {asked.getresponse().status}")
        asked.close()
    except OSError:
        found.append("http nothing")
    lines = (
        f"OPTIONS sip:{address} SIP/2.0",
        "Via: SIP/2.0/UDP 203.0.113.2:5099;rport;branch=z9hG4bK-1",
        "From: <sip:probe@example.com>;tag=1",
        f"To: <sip:{address}>",
        "Call-ID: 1@probe.example.com",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.settimeout(5)
        try:
            sending.sendto("\r\n".join([*lines, "", ""]).encode(), (address, 5060))
            found.append(f"sip {sending.recv(2000).decode().split()[1]}")
        except OSError:
            found.append("sip nothing")
    return found


def read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)


if __name__ == "__main__":
    main()

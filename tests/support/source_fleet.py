"""A small fleet with something of everything that is rendered, and its text changed at a place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pbxfleet.app.source_map import SourceMap, source_map
from pbxfleet.core.span import Span
from support.pages import laid_over

HOST = """\
address = "203.0.113.2"
addresses = ["203.0.113.10-203.0.113.19", "2001:db8:1::10-2001:db8:1::19"]
cpus = "0-7"
system_cpus = "0-1"
rtp = "49152-64511"
services = "systemd"
affinity = "unit"
stop_timeout = 40
hardening = true
directory = "/usr/local/pbx-{instance}"
pid_file = "/run/vodia/{instance}-{number}.pid"
failover_file = "/etc/pbx/failover-{instance}.conf"
failover_template = "failover.conf"
backup_list = "/etc/pbx/own-{instance}.list"

[network]
backend = "networkd"
interface = "eth0"
network_file = "10-eth0.network"
firewall = "nftables"
prefix_ipv4 = 25

[backup]
directory = "/etc/pbx/save"
consistency = "stop"

[backup.restic]
repository = "/srv/backups"
password_file = "/etc/pbx/restic.password"
keep = { daily = 7, weekly = 4 }
"""
ALPHA = """\
host = "fra1"
number = 1
address = "203.0.113.10"
cpu = 3
release = "70.5"
admin_allow = ["192.0.2.0/24"]
source_address = "203.0.113.10"
backup = { extra = ["/srv/alpha"] }

[failover]
role = "primary"
peer = "beta"

[settings]
sys_name = "Alpha"
log_length = 500
pw_pass = { secret = "alpha/admin" }
"""
BETA = """\
host = "fra1"
number = 2
address = ["203.0.113.11", "2001:db8:1::11"]
cpu = 4
listen = { sip_udp = 5070 }

[failover]
role = "secondary"
peer = "alpha"
"""


IMAGE = f"registry.example.com/debian@sha256:{'5' * 64}"
OF_LINUX = ("affinity", "pid_file", "failover_", "backup_list", "hardening")


def host_of(services: str) -> str:
    """The host's file with another service manager, without what that one does not have."""
    host = HOST.replace('services = "systemd"', f'services = "{services}"')
    if services == "compose":
        return f'{host}\n[compose]\nimage = "{IMAGE}"\n'
    if services == "windows":
        lines = host.partition("\n[network]")[0].split("\n")
        kept = "\n".join(line for line in lines if not line.startswith(OF_LINUX))
        return kept.replace('"/usr/local/pbx-{instance}"', r"'D:\PBX\{instance}'")
    return host


def files_of(services: str = "systemd") -> dict[str, bytes]:
    """The files of the fleet, with another service manager on request."""
    alpha, beta = ALPHA, BETA
    if services != "systemd":
        alpha = alpha.replace('source_address = "203.0.113.10"\n', "")  # of systemd alone
    if services == "windows":
        pair = re.compile(r"\[failover\]\n.*\n.*\n")
        alpha = pair.sub("", re.sub("(?m)^(backup|admin_allow) = .*\\n", "", alpha))
        beta = pair.sub("", beta)
    return laid_over(
        {
            "desired/hosts/fra1.toml": host_of(services).encode(),
            "desired/instances/alpha.toml": alpha.encode(),
            "desired/instances/beta.toml": beta.encode(),
        }
    )


def written(folder: Path, files: Mapping[str, bytes]) -> Path:
    """The folder with these files in it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def map_of(folder: Path, files: Mapping[str, bytes]) -> SourceMap:
    """The source map of these files, written into the folder."""
    return source_map(str(written(folder, files)))


def text_at(files: Mapping[str, bytes], span: Span) -> str:
    """What stands at a place of one line."""
    line = files[span.file].decode().split("\n")[span.line - 1]
    return line[span.column - 1 : span.end_column - 1]


def changed_at(files: Mapping[str, bytes], span: Span) -> dict[str, bytes]:
    """The files with another value of the same kind at a place."""
    lines = files[span.file].decode().split("\n")
    line = lines[span.line - 1]
    new = another(text_at(files, span))
    lines[span.line - 1] = line[: span.column - 1] + new + line[span.end_column - 1 :]
    return {**files, span.file: "\n".join(lines).encode()}


WORDS = {
    "systemd": "sysv",
    "nftables": "off",
    "networkd": "off",
    "unit": "cpuset",
    "stop": "live",
    "primary": "secondary",
    "secondary": "primary",
    "true": "false",
    "false": "true",
    "off": "6900",
}


def another(text: str) -> str:
    """A text that is written in the same way and means something else."""
    inner = text.strip('"')
    if inner in WORDS:
        return text.replace(inner, WORDS[inner])
    if re.fullmatch(r"[0-9]+", inner):
        return text.replace(inner, str(int(inner) + 1))
    if re.fullmatch(r"203\.0\.113\.1[0-9]", inner):
        return text.replace(inner, "203.0.113.17")
    if ":db8:" in inner:
        return text.replace(inner, "2001:db8:1::17")
    if inner == "49152-64511":
        return text.replace(inner, "49160-64509")
    if inner.endswith("/24"):
        return text.replace(inner, "192.0.3.0/24")
    if re.fullmatch(r"[0-9a-f]{64}", inner):
        return text.replace("0", "1")
    return text[:-1] + 'x"' if text.endswith('"') else text + "x"

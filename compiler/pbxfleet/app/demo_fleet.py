"""The fleet of the demo: six instances on loopback addresses, release files made from the stand-in PBX."""

from __future__ import annotations

import os
import sys

from pbxfleet.core.digest import digest_of
from pbxfleet.host.disk import package_path, read_file, write_file

STANDIN = package_path("standin")
INSTANCES = ("ash", "birch", "cedar", "dogwood", "elm", "fir")
# Two demos on one machine do not meet: each has a network of its own, by the number of its process.
ADDRESS = f"127.77.{1 + os.getpid() % 250}.{{}}"
FIRST = 11
HTTP = 18080
WEB_PASSWORD = "reference-password"  # noqa: S105 - of the stand-in's reference file, on loopback
HOST = "sandbox"

FLEET = """\
format = 1
name = "demo"

[defaults]
release = "70.5"
listen = {{ http = 18080, https = 18443, sip_udp = 15060, sip_tcp = 15060, sip_tls = 15061, \
tftp = "off", snmp = "off", ldap = "off" }}

[defaults.settings]
log_duration = 86400
{releases}
[catalogue] # proposed by: pbxfleet learn desired/reference/pbx.xml
sip_udp = "sip_udp_port"
sip_tcp = "sip_tcp_port"
sip_tls = "sip_tls_port"
tftp = "tftp_port"
snmp = "snmp_port"
ldap = "ldap_port"
rtp_bind = "rtp_bind_ip4"
rtp_start = "rtp_port_start"
rtp_end = "rtp_port_end"
affinity = "affinity_mask"

[policy]
deletion_budget = {budget}
"""

RELEASE = """
[releases."{version}"]
pbxctrl = {{ source = "file:../artefacts/{version}/pbxctrl", sha256 = "{pbxctrl}" }}
dat = {{ source = "file:../artefacts/{version}/pbxctrl.dat", sha256 = "{dat}" }}
reference = "reference/pbx.xml"
reference_address = "198.51.100.10"
"""

SANDBOX = f"""\
# This machine, in a sandbox folder: processes are started by pbxfleet itself, on loopback addresses.
addresses = ["{ADDRESS.format(FIRST)}-{ADDRESS.format(FIRST + 9)}"]
rtp = "30000-39999"
services = "direct"
directory = "/usr/local/pbx-{{instance}}"
stop_timeout = 20
"""

INSTANCE = """\
host = "sandbox"
address = "{address}"
{release}
[settings]
sys_name = "{title}"
"""


def make_repository(folder: str) -> None:
    """Write the demo's fleet repository, with two releases that differ by their version only."""
    reference = read_file(f"{STANDIN}/pbx.xml") or b""
    write_file(f"{folder}/desired/reference/pbx.xml", reference, 0o644)
    releases = "".join(_make_release(folder, version) for version in ("70.5", "70.6"))
    write_fleet(folder, releases, budget=1)
    write_file(f"{folder}/desired/hosts/{HOST}.toml", SANDBOX.encode(), 0o644)
    for name in INSTANCES:
        write_instance(folder, name)


def write_fleet(folder: str, releases: str, *, budget: int) -> None:
    """Write fleet.toml."""
    text = FLEET.format(releases=releases, budget=budget)
    write_file(f"{folder}/desired/fleet.toml", text.encode(), 0o644)


def raise_budget(folder: str, budget: int) -> None:
    """Edit the deletion budget in fleet.toml, as a person would."""
    path = f"{folder}/desired/fleet.toml"
    text = (read_file(path) or b"").decode()
    text = text.replace("deletion_budget = 1", f"deletion_budget = {budget}")
    write_file(path, text.encode(), 0o644)


def write_instance(folder: str, name: str, release: str = "") -> None:
    """Write one instance's file; `release` overrides the default of the fleet."""
    line = f'release = "{release}"' if release else ""
    text = INSTANCE.format(address=address_of(name), release=line, title=name.capitalize())
    write_file(f"{folder}/desired/instances/{name}.toml", text.encode(), 0o644)


def address_of(name: str) -> str:
    """The loopback address of a demo instance."""
    return ADDRESS.format(FIRST + INSTANCES.index(name))


def _make_release(folder: str, version: str) -> str:
    """Release files of the stand-in PBX, stamped with this interpreter and the version."""
    script = (read_file(f"{STANDIN}/pbxctrl") or b"").decode()
    lines = script.split("\n")
    # The base interpreter: a copied script must not depend on this virtual environment.
    lines[0] = f"#!{getattr(sys, '_base_executable', sys.executable)} -IS"
    executable = "\n".join(
        f'VERSION = "{version}"' if line.startswith("VERSION = ") else line for line in lines
    ).encode()
    bundle = (read_file(f"{STANDIN}/pbxctrl.dat") or b"").decode()
    dat = f"version {version}\n{bundle.partition(chr(10))[2]}".encode()
    write_file(f"{folder}/artefacts/{version}/pbxctrl", executable, 0o755)
    write_file(f"{folder}/artefacts/{version}/pbxctrl.dat", dat, 0o644)
    return RELEASE.format(
        version=version,
        pbxctrl=digest_of(executable).removeprefix("sha256:"),
        dat=digest_of(dat).removeprefix("sha256:"),
    )

"""The fleet of the demo: six instances on loopback addresses, release files made from the stand-in PBX."""

from __future__ import annotations

import sys

from pbxfleet.core.digest import digest_of
from pbxfleet.host.disk import package_path, read_file, write_file

STANDIN = package_path("standin")
INSTANCES = ("ash", "birch", "cedar", "dogwood", "elm", "fir")
ADDRESS = "127.77.{network}.{number}"
TUTORIAL = 0  # the network of `init --sandbox`; demos have others, so that two of them do not meet
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

SANDBOX = """\
# This machine, in a sandbox folder: processes are started by pbxfleet itself, on loopback addresses.
addresses = ["{first}-{last}"]
rtp = "20000-29999"
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


def make_repository(folder: str, network: int = TUTORIAL) -> None:
    """Write the demo's fleet repository, with two releases that differ by their version only.

    `network` is the third number of its loopback addresses, 0 to 255.
    """
    reference = read_file(f"{STANDIN}/pbx.xml") or b""
    write_file(f"{folder}/desired/reference/pbx.xml", reference, 0o644)
    releases = "".join(_make_release(folder, version) for version in ("70.5", "70.6"))
    write_fleet(folder, releases, budget=1)
    first, last = (ADDRESS.format(network=network, number=FIRST + n) for n in (0, 9))
    host = SANDBOX.format(first=first, last=last)
    write_file(f"{folder}/desired/hosts/{HOST}.toml", host.encode(), 0o644)
    for name in INSTANCES:
        write_instance(folder, name, address_of(name, network))


def write_fleet(folder: str, releases: str, *, budget: int) -> None:
    """Write fleet.toml."""
    text = FLEET.format(releases=releases, budget=budget)
    write_file(f"{folder}/desired/fleet.toml", text.encode(), 0o644)


def raise_budget(folder: str, budget: int) -> None:
    """Edit the deletion budget in fleet.toml, as a person would, who also says that none may be left."""
    path = f"{folder}/desired/fleet.toml"
    text = (read_file(path) or b"").decode()
    text = text.replace(
        "deletion_budget = 1", f'deletion_budget = {budget}\nempty_hosts = ["{HOST}"]'
    )
    write_file(path, text.encode(), 0o644)


def write_instance(folder: str, name: str, address: str, release: str = "") -> None:
    """Write one instance's file; `release` overrides the default of the fleet."""
    line = f'release = "{release}"' if release else ""
    text = INSTANCE.format(address=address, release=line, title=name.capitalize())
    write_file(f"{folder}/desired/instances/{name}.toml", text.encode(), 0o644)


def address_of(name: str, network: int) -> str:
    """The loopback address of a demo instance."""
    return ADDRESS.format(network=network, number=FIRST + INSTANCES.index(name))


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

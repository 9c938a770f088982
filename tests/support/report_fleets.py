"""Fleets for the report page: one small, one large, one empty, one whose names are hostile."""

from __future__ import annotations

from pathlib import Path

from pbxfleet.app.report import fleet_picture, style
from pbxfleet.model.picture import FleetPicture
from pbxfleet.report.page import page
from support.pages import base_fleet

HOST = """\
address = "10.{h}.0.2"
reserve_address = true
addresses = ["10.{h}.0.10-10.{h}.0.50"]
reserved = [{{ addresses = "10.{h}.0.30", reason = "promised to a partner" }}]
cpus = "0-31"
system_cpus = "0-1"
rtp = "30000-61439"
rtp_block = 1024
price = {{ amount = "{price}.00", currency = "EUR" }}
failover_file = "/etc/pbx/failover-{{instance}}.conf"
failover_template = "failover.conf"
"""
HOSTILE = "<script>alert(1)</script>"


def write_fleet(folder: Path, hosts: int, per_host: int) -> Path:
    """A fleet with so many hosts, each with so many instances; the first of each is half of a pair."""
    for name, content in base_fleet().items():
        if "/hosts/" not in name and "/instances/" not in name:
            write(folder / name, content.decode())
    for kind in ("hosts", "instances"):
        (folder / "desired" / kind).mkdir(parents=True, exist_ok=True)
    for h in range(hosts):
        text = HOST.format(h=h, price=180 + h % 3 * 20)
        write(folder / f"desired/hosts/node{h:02}.toml", text)
        for i in range(per_host):
            write(folder / f"desired/instances/{name_of(h, i)}.toml", instance(h, i, hosts))
    return folder


def name_of(h: int, i: int) -> str:
    """The name of an instance."""
    return f"pbx{h:02}-{i:02}"


def instance(h: int, i: int, hosts: int) -> str:
    """The file of an instance."""
    name = name_of(h, i)
    tenants = [f"{chr(97 + t)}.{name}.example.com" for t in range(1 + (h + i) % 4)]
    text = f'host = "node{h:02}"\naddress = "auto"\ncpu = "auto"\nrtp = "auto"\n'
    text += f"tenants = {tenants}\n"
    if i == 0 and h ^ 1 < hosts:
        role = "secondary" if h % 2 else "primary"
        text += f'failover = {{ role = "{role}", peer = "{name_of(h ^ 1, 0)}" }}\n'
    return text


def write(path: Path, text: str) -> None:
    """Write a file and the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def picture_of(folder: Path) -> FleetPicture:
    """The picture of a fleet that has no error."""
    fleet, picture = fleet_picture(str(folder), ())
    assert picture is not None, fleet.diagnostics
    return picture


def page_of(folder: Path) -> bytes:
    """Its page."""
    return page(picture_of(folder), style())


def write_long_names(folder: Path) -> Path:
    """A fleet in which everything that people name is as long as it may be."""
    write_fleet(folder, 1, 1)
    (folder / "desired/hosts/node00.toml").unlink()
    (folder / "desired/instances/pbx00-00.toml").unlink()
    host, label = "h" * 63, "x" * 63
    more = 'addresses = ["2001:db8:aaaa:bbbb:cccc:dddd:eeee:f000-2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"'
    text = HOST.format(h=0, price=180).replace("addresses = [", f"{more}, ", 1)
    write(folder / f"desired/hosts/{host}.toml", text)
    for letter in "pq":
        text = (
            f'host = "{host}"\naddress = ["auto-ipv4", "auto-ipv6"]\ncpu = "auto"\nrtp = "auto"\n'
        )
        text += f'tenants = ["{label}.{label}.{label}.example"]\n'
        write(folder / f"desired/instances/{letter * 63}.toml", text)
    return folder

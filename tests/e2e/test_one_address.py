"""Several instances on one address: compiled, planned, applied and running, each on its own ports."""

from __future__ import annotations

from collections.abc import Callable

from support.e2e import nothing_changes
from support.running_site import LOGIN, RunningSite
from support.standin import Bound, http_get

Make = Callable[..., RunningSite]
PLACES = (("tcp", 0), ("tcp", 1), ("udp", 2), ("tcp", 2), ("tcp", 3))


def on_one_address(site: RunningSite, **ports: str) -> str:
    """Declare these instances on the address of the first; on ports of theirs."""
    address = next(iter(site.addresses.values()))
    host = (site.repo / "desired/hosts/h1.toml").read_text(encoding="utf-8")
    if "ports" not in host:
        site.declare("desired/hosts/h1.toml", f'{host}ports = "12000-12999"\n')
    for name, says in ports.items():
        site.addresses[name] = address
        site.instance(name, says)
    return address


def block(address: str, first: int) -> set[Bound]:
    return {Bound(protocol, address, first + offset) for protocol, offset in PLACES}


def test_blocks_of_ports(running: Make) -> None:
    site = running("ash", "birch", "cedar")
    own = "listen = { http = 18080, https = 18443, sip_udp = 15060, sip_tcp = 15060, sip_tls = 15061 }"
    address = on_one_address(
        site, ash='ports = "auto"', birch='ports = "auto"', cedar=f'rtp = "auto"\n{own}'
    )
    site.up()
    assert site.sockets("ash") == block(address, 12000)
    assert site.sockets("birch") == block(address, 12010)
    assert site.sockets("cedar") == site.expected("cedar")
    ranges = [line for name in site.addresses for line in site.pbx_xml(name).splitlines()
              if "rtp_port_start" in line]  # fmt: skip
    assert len(set(ranges)) == 3
    for port in (12000, 12010, 18080):
        assert http_get(address, port, "/rest/system/status", LOGIN).status == 200
    with nothing_changes(site.repo, site.root):
        assert site.apply().out == "h1: nothing to do\n"
    site.settles()


def test_one_more_moves_nobody(running: Make) -> None:
    site = running("birch", "ash")
    address = on_one_address(site, birch='ports = "auto"', ash='ports = "auto"')
    (site.repo / "desired/instances/ash.toml").unlink()
    site.up()
    pid = site.pid("birch")
    site.instance("ash", 'ports = "auto"')
    site.compile()
    site.apply()
    assert site.pid("birch") == pid
    assert site.sockets("birch") == block(address, 12000)
    assert site.sockets("ash") == block(address, 12010)


def test_one_socket_for_two_is_refused_with_both_places(running: Make) -> None:
    site = running("ash", "birch")
    on_one_address(site, ash='ports = "12000-12009"', birch='ports = "12000-12009"')
    refused = site.run("validate")
    assert refused.code == 1
    assert "BND101" in refused.err
    for name in ("ash", "birch"):
        assert f"desired/instances/{name}.toml:3" in refused.err

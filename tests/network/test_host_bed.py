"""Rendered network files on a booted host: the real tools bring the addresses up and load the rules."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.netns import Namespace
from support.network_bed import HANDS_OFF, NetworkBed
from support.network_fleet import network_files
from support.standin import wait_until

# device: networks of the addresses on it, and its [network]
LINKS = {
    "eth0": (
        "203.0.113",
        "2001:db8:1",
        'backend = "networkd"\nnetwork_file = "10-eth0.network"\nfirewall = "nftables"\n',
    ),
    "eth1": (
        "198.51.100",
        "2001:db8:2",
        'backend = "networkmanager"\ngateway = "198.51.100.1"\n',
    ),
    "eth2": ("192.0.2", "2001:db8:3", 'backend = "netplan"\n'),
}
LONG_S = 90.0  # on a busy machine
PEER, PEER6 = "203.0.113.1", "2001:db8:1::1"
OWN_NETWORKD = """\
[Match]
Name=eth0

[Network]
Address=203.0.113.2/24
Address=2001:db8:1::2/64
IPv6AcceptRA=no
"""
OWN_NETPLAN = """\
network:
  version: 2
  renderer: networkd
  ethernets:
    eth2:
      addresses: [192.0.2.2/24, "2001:db8:3::2/64"]
      accept-ra: false
"""
# The profile that was there first; ours takes its place when the machine starts.
OWN_PROFILE = """\
[connection]
id=own
type=ethernet
interface-name=eth1

[ipv4]
method=manual
address1=198.51.100.2/24
"""
# What an instance does for this test: connect again and again, as it would for mail, and once from the
# address that it has bound, as it would for SIP over TCP.
CALLS = """\
import socket, sys, time
name, own = sys.argv[1:]
while True:
    for port, source, to in ((25, '', '203.0.113.1'), (25, '', '2001:db8:1::1'), (5060, own, '203.0.113.1')):
        try:
            with socket.create_connection((to, port), 1, (source, 0) if source else None) as made:
                made.sendall(name.encode())
        except OSError as error:
            print(error, flush=True)
    time.sleep(0.2)
"""
OWN = {"alpha": "203.0.113.10", "beta": "203.0.113.11", "gamma": "203.0.113.12"}
# name, IPv4 and IPv6 address that its connections come from
EXPECTED = {
    "alpha": {"203.0.113.10", "2001:db8:1::10"},
    "beta": {"203.0.113.12", "2001:db8:1::2"},  # one that another instance has, for IPv4 only
    "gamma": {"203.0.113.2", "2001:db8:1::2"},  # asks for nothing
}


def fleet(device: str) -> dict[str, bytes]:
    """The rendered files of a host whose instances are on the networks of a device."""
    net4, net6, keys = LINKS[device]
    host = f'''\
address = "{net4}.2"
addresses = ["{net4}.10-{net4}.19", "{net6}::10-{net6}::19"]
rtp = "49152-64511"
[network]
interface = "{device}"
standard = ["{net4}.2/24", "{net6}::2/64"]
{keys}'''
    sources = ('source_address = "own"\n', f'source_address = "{net4}.12"\n', "")
    chosen = sources if device == "eth0" else ("", "", "")
    return network_files(
        {
            "desired/hosts/fra1.toml": host,
            "desired/instances/alpha.toml": (
                f'host = "fra1"\naddress = ["{net4}.10", "{net6}::10"]\n{chosen[0]}'
            ),
            "desired/instances/beta.toml": f'host = "fra1"\naddress = "{net4}.11"\n{chosen[1]}',
            "desired/instances/gamma.toml": (
                f'host = "fra1"\naddress = "{net4}.12"\n{chosen[2]}'
                '[settings]\nsys_name = "G"\npw_pass = { secret = "gamma/admin" }\n'
            ),
        }
    )


class Bench:
    """The booted host, the machine at the other end of its cables, and what that one has seen."""

    def __init__(self, bed: NetworkBed, peer: Namespace, seen: Path) -> None:
        self.bed = bed
        self.peer = peer
        self.seen = seen

    def sources(self, name: str, port: int) -> set[str]:
        """Addresses from which `name` has come since `forget`."""
        lines = (line.split() for line in self.seen.read_text(encoding="utf-8").splitlines())
        return {where for at, where, said in lines if (int(at), said) == (port, name)}

    def forget(self) -> None:
        """Start to look anew."""
        self.seen.write_bytes(b"")

    def wait_as_expected(self) -> None:
        """Until all instances have come from everywhere they should, and from nowhere else for a while."""
        self.forget()
        wait_until(self._as_expected, "connections come from where they should", LONG_S)
        self.forget()
        wait_until(lambda: all(len(self.sources(n, 25)) > 1 for n in EXPECTED), "and go on to")
        assert self._as_expected(), self.seen.read_text(encoding="utf-8")

    def _as_expected(self) -> bool:
        found = {name: self.sources(name, 25) for name in EXPECTED}
        if any(found[name] - EXPECTED[name] for name in EXPECTED):
            self.forget()
        return found == EXPECTED


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The operator's own configuration and ours, written before the host boots."""
    peer = Namespace()
    bed = NetworkBed(tmp_path_factory.mktemp("network"))
    seen = tmp_path_factory.mktemp("peer") / "seen"
    try:
        bed.start()
        for device in LINKS:
            bed.cable(device, peer)
            bed.write_all(fleet(device))
        bed.write_all(fleet("eth0"))  # the rules are those of its host
        bed.write("/etc/systemd/network/10-eth0.network", OWN_NETWORKD)
        bed.write("/etc/netplan/01-own.yaml", OWN_NETPLAN, 0o600)
        bed.write("/etc/NetworkManager/conf.d/10-test.conf", HANDS_OFF)
        own = "/etc/NetworkManager/system-connections/own.nmconnection"
        bed.write(own, OWN_PROFILE, 0o600)
        bed.write("/opt/calls.py", CALLS)
        for name, own in OWN.items():
            unit = f"[Service]\nExecStart=/usr/bin/python3 /opt/calls.py {name} {own}\n"
            bed.write(f"/etc/systemd/system/pbx-{name}.service", unit)
        bed.run("systemctl", "enable", "systemd-networkd")
        bed.reboot()
        routes = [f"addr add {a}/32 dev eth0" for a in (PEER,)] + [
            f"addr add {PEER6}/128 dev eth0 nodad"
        ]
        routes += ["link set lo up", "route add 203.0.113.0/24 dev eth0"]
        peer.configure([*routes, "route add 2001:db8:1::/64 dev eth0"])
        sockets = json.dumps([(PEER, 25), (PEER6, 25), (PEER, 5060)])
        witness = Path(__file__).parents[1] / "support" / "witness.py"
        with seen.open("ab") as lines:
            looking = subprocess.Popen(
                peer.inside(sys.executable, str(witness), sockets), stdout=lines
            )
        try:
            yield Bench(bed, peer, seen)
        finally:
            looking.kill()
            looking.wait(30)
    finally:
        bed.stop()
        peer.stop()


@pytest.mark.parametrize("device", LINKS)
def test_the_addresses_are_there_after_a_start_of_the_machine(bench: Bench, device: str) -> None:
    net4, net6, _ = LINKS[device]
    declared = {f"{net4}.{n}/32" for n in (10, 11, 12)} | {f"{net6}::10/128"}
    expected = declared | {f"{net4}.2/24", f"{net6}::2/64"}
    wait_until(lambda: bench.bed.addresses(device) >= expected, f"{device} has its addresses")
    assert bench.bed.addresses(device) == expected


def test_the_host_sends_from_its_own_addresses(bench: Bench) -> None:
    for family, to, own in (("-4", PEER, "203.0.113.2"), ("-6", PEER6, "2001:db8:1::2")):
        ask = ("ip", family, "route", "get", to)
        # An IPv6 address is not used before the kernel knows that nobody else has it.
        wait_until(lambda a=ask, o=own: f" src {o} " in bench.bed.run(*a).stdout, f"{own} is used")


def test_a_new_address_comes_with_a_reload(bench: Bench) -> None:
    path = "/etc/systemd/network/10-eth0.network.d/50-pbxfleet.conf"
    before = bench.bed.read(path)
    try:
        bench.bed.write(path, before + b"\n[Address]\nAddress=203.0.113.13/32\n")
        bench.bed.run("networkctl", "reload")
        wait_until(lambda: "203.0.113.13/32" in bench.bed.addresses("eth0"), "it is there")
    finally:
        bench.bed.write(path, before)
        bench.bed.run("networkctl", "reload")
    wait_until(lambda: "203.0.113.13/32" not in bench.bed.addresses("eth0"), "it is gone")
    assert "203.0.113.10/32" in bench.bed.addresses("eth0")


def test_the_rules_are_loaded_at_the_start_of_the_machine(bench: Bench) -> None:
    assert bench.bed.show("pbxfleet-nftables", "ActiveState") == "active"
    said = bench.bed.run(
        "systemd-analyze", "verify", "pbxfleet-nftables.service", "pbx-alpha.service"
    )
    assert (said.stdout, said.stderr) == ("", ""), "systemd has something to say about the units"
    tables = bench.bed.run("nft", "list", "tables").stdout.splitlines()
    assert {"table inet pbxfleet", "table inet pbxfleet_source"} <= set(tables)


def test_each_instance_comes_from_its_source_address(bench: Bench) -> None:
    bench.bed.run("systemctl", "start", *(f"pbx-{name}" for name in OWN))
    bench.wait_as_expected()
    for name, own in OWN.items():
        assert bench.sources(name, 5060) == {own}, "a bound socket keeps its address"


def test_other_programs_come_from_the_host(bench: Bench) -> None:
    bench.forget()
    calls = ("timeout", "1", "/usr/bin/python3", "/opt/calls.py", "shell", "203.0.113.10")
    bench.bed.run(*calls, check=False)
    wait_until(lambda: len(bench.sources("shell", 25)) == 2, "it came")
    assert bench.sources("shell", 25) == {"203.0.113.2", "2001:db8:1::2"}


def test_a_restart_of_an_instance_keeps_its_source_address(bench: Bench) -> None:
    bench.bed.run("systemctl", "restart", "pbx-alpha", "pbx-beta")
    bench.wait_as_expected()


def test_running_instances_are_taken_in_when_the_rules_are_loaded_anew(bench: Bench) -> None:
    bench.bed.run("nft", "flush", "ruleset")
    wait_until(lambda: bench.sources("alpha", 25) >= {"203.0.113.2"}, "without rules: the host")
    bench.bed.run("systemctl", "reload-or-restart", "pbxfleet-nftables")
    bench.wait_as_expected()


def test_the_rules_come_back_when_those_of_the_distribution_are_loaded(bench: Bench) -> None:
    bench.bed.run("systemctl", "start", "nftables")  # its file begins with `flush ruleset`
    for word in ("reload", "restart"):
        bench.bed.run("systemctl", word, "nftables")
        wait_until(
            lambda: "table inet pbxfleet" in bench.bed.run("nft", "list", "tables").stdout,
            f"the rules are there after a {word}",
        )
        bench.wait_as_expected()


def test_everything_is_there_after_another_start_of_the_machine(bench: Bench) -> None:
    bench.bed.write(
        "/etc/systemd/system/multi-user.target.d/10-test.conf",
        "[Unit]\nWants=pbx-alpha.service pbx-beta.service pbx-gamma.service\n",
    )
    bench.bed.reboot()
    bench.wait_as_expected()

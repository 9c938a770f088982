"""The installed program on a booted host that has a network to be configured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pbxfleet.app.compile import compile_fleet
from support.bed_fleet import ADDRESSES, fleet
from support.netns import Namespace
from support.network_bed import NetworkBed
from support.nspawn import interpreter_binds
from support.standin import wait_until

OWN = "[Match]\nName=eth0\n\n[Network]\nAddress=203.0.113.2/24\nIPv6AcceptRA=no\n"
NETWORK = """
[network]
backend = "networkd"
interface = "eth0"
network_file = "10-eth0.network"
firewall = "nftables"
"""
RULES = "file:/etc/pbxfleet/firewall.nft"


def test_addresses_first_then_instances_then_proof(tmp_path: Path) -> None:
    repository = tmp_path / "fleet"
    fleet(repository, "systemd", NETWORK)
    assert not compile_fleet(str(repository)).failed
    peer = Namespace()
    bed = NetworkBed(tmp_path / "host", binds=(*interpreter_binds(), str(repository)))
    try:
        bed.start()
        bed.cable("eth0", peer)
        bed.run("systemctl", "disable", "--now", "NetworkManager")
        bed.write("/etc/systemd/network/10-eth0.network", OWN)
        bed.run("systemctl", "enable", "--now", "systemd-networkd")
        wait_until(
            lambda: bed.addresses("eth0") == {"203.0.113.2/24"}, "the operator's own address"
        )

        def pbxfleet(*arguments: str, code: int = 0) -> Any:
            argv = ("-m", "pbxfleet", "-C", str(repository), "--json", *arguments)
            done = bed.python(*argv, check=False, timeout_s=120)
            assert done.returncode == code, done
            return json.loads(done.stdout) if done.stdout else None

        # An instance whose address is missing is not started; the host's own files may come first.
        pbxfleet("apply", "fra1", "--auto-approve", code=1)
        pbxfleet("apply", "fra1", "--auto-approve", "--host-only")
        assert not bed.path("/usr/local/pbx-alpha").exists()
        commands = [n["hint"] for n in pbxfleet("plan", "fra1", "--host-only")["notes"]]
        assert commands == [
            "load them: systemctl daemon-reload && systemctl reload-or-restart pbxfleet-nftables"
        ]
        bed.run("networkctl", "reload")
        wanted = {"203.0.113.2/24", *(f"{address}/32" for address in ADDRESSES.values())}
        wait_until(lambda: bed.addresses("eth0") == wanted, "the addresses of instances")
        bed.run("sh", "-c", commands[0].removeprefix("load them: "))
        pbxfleet("apply", "fra1", "--auto-approve")
        assert pbxfleet("plan", "fra1", "--detailed-exitcode")["notes"] == []
        pbxfleet("drift", "fra1")

        bed.run("nft", "flush", "ruleset")
        (item,) = pbxfleet("drift", "fra1", code=2)["items"]
        assert (item["class"], item["resource"]) == ("runtime", RULES)
        bed.reboot()
        wait_until(lambda: bed.addresses("eth0") == wanted, "the addresses after a start")
        wait_until(lambda: not pbxfleet_drifts(bed, repository), "everything is as declared")
    finally:
        bed.stop()
        peer.stop()


def pbxfleet_drifts(bed: NetworkBed, repository: Path) -> bool:
    """Whether `drift` finds anything."""
    argv = ("-m", "pbxfleet", "-C", str(repository), "drift", "fra1")
    return bed.python(*argv, check=False, timeout_s=120).returncode != 0

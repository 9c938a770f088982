"""A systemd host that has every tool for networks, with real interfaces cabled to another machine."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from support.netns import Namespace
from support.systemd_bed import SystemdBed

# NetworkManager would take over every interface of a host; of these, it is for one test only.
HANDS_OFF = "[keyfile]\nunmanaged-devices=*,except:interface-name:eth1\n"


class NetworkBed(SystemdBed):
    """systemd-networkd, netplan, NetworkManager and nftables are there; none has anything to do yet."""

    packages = (*SystemdBed.packages, "netplan.io", "network-manager", "nftables")
    # It configures the network namespace that it is given; that of this machine is out of its reach.
    options = ("--capability=CAP_NET_ADMIN,CAP_NET_RAW",)
    environment = MappingProxyType({"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"})

    def cable(self, device: str, peer: Namespace) -> None:
        """A new interface of the host; the other end, of the same name, is up in `peer`."""
        end = ("peer", "name", device, "netns", str(peer.pid))
        self.outside("ip", "link", "add", device, "type", "veth", *end)
        peer.configure([f"link set {device} up"])

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Put rendered files there, with the modes that these kinds of files have."""
        for path, content in files.items():
            secret = path.startswith(("/etc/netplan/", "/etc/NetworkManager/"))
            self.write(path, content, 0o600 if secret else 0o644)

    def addresses(self, device: str) -> set[str]:
        """Addresses of an interface with prefix lengths, without link-local ones."""
        said = self.run("ip", "-brief", "address", "show", "dev", device).stdout.split()
        return {word for word in said[2:] if "/" in word and not word.startswith("fe80:")}

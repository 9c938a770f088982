"""Addresses, binds and port ranges, as the kernel sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address


class Protocol(StrEnum):
    """Transport of a listener."""

    TCP = "tcp"
    UDP = "udp"


class Family(StrEnum):
    """Which addresses a bind covers when it names none: `any` is IPv4 and IPv6 together."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Bind:
    """One bind of a listener: a literal address, or a wildcard of a family; port 1 to 65535.

    `address` is None exactly when the bind is a wildcard (`5060`, `0.0.0.0:5060`, `[::]:5060`).
    """

    family: Family
    address: Address | None
    port: int

    @property
    def is_wildcard(self) -> bool:
        """Whether the bind takes every address of its family."""
        return self.address is None


@dataclass(frozen=True, slots=True)
class PortRange:
    """UDP ports `first` to `last`, both included, 1 to 65535, `first` at most `last`."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    @property
    def size(self) -> int:
        """Number of ports."""
        return self.last - self.first + 1

    def overlaps(self, other: PortRange) -> bool:
        """Whether both ranges have a port in common."""
        return self.first <= other.last and other.first <= self.last

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last


def joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same numbers in as few ranges as possible, both ends included, in rising order."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


# Linux, net.ipv4.ip_local_port_range when nobody sets it (ip-sysctl in the kernel's documentation).
EPHEMERAL_PORTS = PortRange(32768, 60999)
# Windows, netsh int ipv4 show dynamicport when nobody sets it (Microsoft, KB 929851).
WINDOWS_EPHEMERAL_PORTS = PortRange(49152, 65535)

# RTP and RTCP for each of the two legs of a call: the vendor gives no number, so this is inferred
# (RFC 3550, section 11) and a fleet may say another one.
RTP_PORTS_PER_CALL = 4

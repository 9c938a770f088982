"""What the machine has: its name, its addresses (from the kernel, over netlink) and its cores."""

from __future__ import annotations

import os
import struct

from pbxfleet.core.errors import HostError
from pbxfleet.host.procfs import ipv6_text, parse_core_list
from pbxfleet.host.refusals import refused
from pbxfleet.model.observed import HostFacts

ONLINE = "/sys/devices/system/cpu/online"
BOOT = "/proc/sys/kernel/random/boot_id"

# rtnetlink(7), netlink(7); values from linux/netlink.h, linux/rtnetlink.h and linux/if_addr.h
NETLINK_ROUTE = 0
RTM_NEWADDR, RTM_GETADDR = 20, 22
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
IFA_ADDRESS, IFA_LOCAL = 1, 2
HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, interface
ATTRIBUTE = struct.Struct("=HH")  # length, type
BUFFER_BYTES = 1 << 16


def facts() -> HostFacts:
    """Facts of the machine; addresses in the kernel's order, each once; cores that are on."""
    return HostFacts(os.uname().nodename, addresses(), cores(), boot())


def boot() -> str:
    """What the kernel calls this run of its own (random(4)), "" where there is no such file."""
    try:
        with open(BOOT, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def cores() -> tuple[int, ...]:
    """The cores that are online; those this process may use where the kernel does not say."""
    try:
        with open(ONLINE, encoding="ascii") as file:
            return parse_core_list(file.read())
    except OSError:
        return tuple(sorted(os.sched_getaffinity(0)))


def addresses() -> tuple[str, ...]:
    """Every IPv4 and IPv6 address of an interface in our network namespace, as literal text."""
    import _socket  # the C module: `socket` itself takes 5 ms to load

    request = HEADER.pack(HEADER.size + ADDRESS.size, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, 0)
    found: dict[str, None] = {}
    try:
        netlink = _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW, NETLINK_ROUTE)
        try:
            netlink.settimeout(5)
            netlink.sendall(request + ADDRESS.pack(0, 0, 0, 0, 0))
            done = False
            while not done:
                some, done = parse_addresses(netlink.recv(BUFFER_BYTES))
                found.update(dict.fromkeys(some))
        finally:
            netlink.close()
    except OSError as error:
        raise refused("the kernel's list of addresses", error) from error
    return tuple(found)


def parse_addresses(content: bytes) -> tuple[list[str], bool]:
    """Addresses in one answer of the kernel, and whether it was the last one."""
    found: list[str] = []
    at = 0
    while at + HEADER.size <= len(content):
        length, kind, *_ = HEADER.unpack_from(content, at)
        if kind == NLMSG_DONE:
            return found, True
        if kind == NLMSG_ERROR or length < HEADER.size:
            raise HostError("the kernel's list of addresses", "netlink answered with an error")
        if kind == RTM_NEWADDR:
            address = _address(content[at + HEADER.size + ADDRESS.size : at + length])
            if address:
                found.append(address)
        at += (length + 3) & ~3
    return found, False


def _address(attributes: bytes) -> str:
    """The interface's own address ("" if none): not the peer's, where there are two."""
    values: dict[int, bytes] = {}
    at = 0
    while at + ATTRIBUTE.size <= len(attributes):
        length, kind = ATTRIBUTE.unpack_from(attributes, at)
        if length < ATTRIBUTE.size:
            break
        values[kind] = attributes[at + ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    packed = values.get(IFA_LOCAL) or values.get(IFA_ADDRESS) or b""
    if len(packed) == 4:
        return ".".join(map(str, packed))
    return ipv6_text(packed) if len(packed) == 16 else ""

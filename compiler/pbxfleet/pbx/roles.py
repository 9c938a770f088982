"""What the PBX listens for, and which element names of these settings are confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pbxfleet.model.desired import Role
from pbxfleet.model.net import Protocol

_PORTS = "https://doc.vodia.com/docs/admin-ports"
_SIP = "https://doc.vodia.com/docs/admin-sip-and-audio"
_SNMP = "http://wiki.pbxnsip.com/index.php/SNMP"
_IMAGE = "https://github.com/Nex9/vodia.docker"
_INSTANCES = "https://web.vodia.com/blog/multiple-instances-single-server"
_AFFINITY = "http://wiki.pbxnsip.com/index.php/Processor_Affinity"


class ListenerRow(NamedTuple):
    """One listener. `label` is what the web interface calls it.

    `default_port` is None where no source tells it; `hosted` says whether a hosting service needs
    this listener.
    """

    role: Role
    label: str
    protocols: tuple[Protocol, ...]
    default_port: int | None
    hosted: bool
    source: str


LISTENERS: Mapping[Role, ListenerRow] = {
    row.role: row
    for row in (
        ListenerRow(Role.HTTP, "HTTP Ports", (Protocol.TCP,), 80, True, _PORTS),
        ListenerRow(Role.HTTPS, "HTTPS Ports", (Protocol.TCP,), 443, True, _PORTS),
        ListenerRow(Role.SIP_UDP, "SIP UDP Ports", (Protocol.UDP,), 5060, True, _SIP),
        ListenerRow(Role.SIP_TCP, "SIP TCP Ports", (Protocol.TCP,), 5060, True, _SIP),
        ListenerRow(Role.SIP_TLS, "SIP TLS Ports", (Protocol.TCP,), 5061, True, _SIP),
        # "no need to have the TFTP port open if you're running this as a hosted PBX service"
        ListenerRow(Role.TFTP, "TFTP Port", (Protocol.UDP,), 69, False, _INSTANCES),
        ListenerRow(Role.SNMP, "SNMP Port", (Protocol.UDP,), 161, False, _SNMP),
        # the image exposes 369, perhaps a slip for 389: no port is confirmed
        ListenerRow(Role.LDAP, "LDAP Port", (Protocol.TCP,), None, False, _IMAGE),
    )
}


class MappedRow(NamedTuple):
    """Another setting with a role. `label` is what the web interface calls it."""

    role: Role
    label: str
    source: str


OTHERS: Mapping[Role, MappedRow] = {
    row.role: row
    for row in (
        MappedRow(Role.RTP_BIND, "Bind to specific IP address (IPv4)", _INSTANCES),
        MappedRow(Role.RTP_START, "RTP port start", _INSTANCES),
        MappedRow(Role.RTP_END, "RTP port end", _INSTANCES),
        MappedRow(Role.AFFINITY, "Process Affinity Mask", _AFFINITY),
    )
}

CONFIRMED: Mapping[Role, str] = {
    Role.HTTP: "ip_http_port",
    Role.HTTPS: "ip_https_port",
}
"""Element name by role (https://doc.vodia.com/docs/admin-ports): the only two that are public."""


def label_of(role: Role) -> str:
    """What the web interface of the PBX calls the setting."""
    return LISTENERS[role].label if role in LISTENERS else OTHERS[role].label


def mapping_hint(role: Role) -> str:
    """How to tell the fleet the element name of a role that has no confirmed one."""
    return (
        f'name the element behind "{label_of(role)}" in fleet.toml: '
        f'[catalogue] {role.value} = "..."; pbxfleet learn FILE proposes names'
    )


def affinity_mask(core: int) -> str:
    """Value of the affinity setting that pins the process to one core (0-based).

    A decimal bit mask, 1 for the first CPU (http://wiki.pbxnsip.com/index.php/Processor_Affinity).
    Whether masks beyond 32 or 64 cores are understood is not documented.
    """
    return str(1 << core)

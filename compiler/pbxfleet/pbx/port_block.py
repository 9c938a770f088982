"""Where the listeners of an instance lie in its block of ports, on an address that several share."""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.model.desired import Role

# The variant with one address and other ports is the vendor's
# (https://web.vodia.com/blog/multiple-instances-single-server); which ports is up to the operator. SIP
# over UDP and over TCP have one number, as they have by default. Offsets above these stay free.
OFFSETS: Mapping[Role, int] = {
    Role.HTTP: 0,
    Role.HTTPS: 1,
    Role.SIP_UDP: 2,
    Role.SIP_TCP: 2,
    Role.SIP_TLS: 3,
    Role.SNMP: 4,
    Role.LDAP: 5,
    Role.TFTP: 6,
}
"""Distance of each listener's port from the first port of the block; never changed, only added to."""

ALWAYS = (Role.HTTP, Role.HTTPS, Role.SIP_UDP, Role.SIP_TCP, Role.SIP_TLS)
"""Listeners that a block opens unless a layer says "off"; the others only move if they are on."""

LEAST_BLOCK = 8

"""`addresses`: what partners, mail servers and firewalls of customers have to know."""

from __future__ import annotations

import pytest

from pbxfleet.report.addresses import (
    InstanceAddresses,
    addresses_data,
    addresses_text,
    host_addresses,
)
from support.network_fleet import HOST, resolved_host

ALPHA = 'host = "fra1"\naddress = ["203.0.113.10", "2001:db8:1::10"]\ntenants = ["a.example.com"]\n'
STANDARD6 = '[network]\nstandard = "2001:db8:1::2/64"\n'

# host, alpha: addresses of outgoing TCP, SPF terms, families not known, all that packets come from
CASES = {
    "the host's standard address": (
        HOST,
        ALPHA,
        ("203.0.113.2",),
        ("ip4:203.0.113.2",),
        (6,),
        ("203.0.113.2", "203.0.113.10", "2001:db8:1::10"),
    ),
    "of both families": (
        HOST + STANDARD6,
        ALPHA,
        ("203.0.113.2", "2001:db8:1::2"),
        ("ip4:203.0.113.2", "ip6:2001:db8:1::2"),
        (),
        ("203.0.113.2", "203.0.113.10", "2001:db8:1::2", "2001:db8:1::10"),
    ),
    "its own": (
        HOST + STANDARD6,
        ALPHA + 'source_address = "own"\n',
        ("203.0.113.10", "2001:db8:1::10"),
        ("ip4:203.0.113.10", "ip6:2001:db8:1::10"),
        (),
        ("203.0.113.10", "2001:db8:1::10"),
    ),
    "chosen for one family only": (
        HOST + STANDARD6,
        ALPHA + 'source_address = "203.0.113.11"\n',
        ("203.0.113.11", "2001:db8:1::2"),
        ("ip4:203.0.113.11", "ip6:2001:db8:1::2"),
        (),
        ("203.0.113.10", "203.0.113.11", "2001:db8:1::2", "2001:db8:1::10"),
    ),
    "nothing declared": (
        HOST.partition("\n")[2].replace("reserve_address = true\n", ""),
        ALPHA,
        (),
        (),
        (4, 6),
        ("203.0.113.10", "2001:db8:1::10"),
    ),
}


def alpha(host: str, instance: str) -> InstanceAddresses:
    """What is said of the instance."""
    files = {"desired/hosts/fra1.toml": host, "desired/instances/alpha.toml": instance}
    return host_addresses(resolved_host(files)).instances[0]


@pytest.mark.parametrize("case", CASES)
def test_what_is_sent_from_where(case: str) -> None:
    host, instance, outgoing, spf, unknown, partners = CASES[case]
    found = alpha(host, instance)
    assert (found.outgoing_tcp, found.spf, found.unknown) == (outgoing, spf, unknown)
    assert found.partners == partners


def test_what_others_must_reach() -> None:
    found = alpha(HOST, ALPHA + "rtp = '50000-50003'\nlisten = { https = 'off', snmp = 161 }\n")
    assert [tuple(ports) for ports in found.listens] == [
        ("203.0.113.10", "tcp", 80, 80),
        ("203.0.113.10", "tcp", 5060, 5060),
        ("203.0.113.10", "tcp", 5061, 5061),
        ("203.0.113.10", "udp", 161, 161),
        ("203.0.113.10", "udp", 5060, 5060),
        ("203.0.113.10", "udp", 50000, 50003),
        ("2001:db8:1::10", "tcp", 80, 80),
        ("2001:db8:1::10", "tcp", 5060, 5060),
        ("2001:db8:1::10", "tcp", 5061, 5061),
        ("2001:db8:1::10", "udp", 161, 161),
        ("2001:db8:1::10", "udp", 5060, 5060),
    ]


def test_the_text() -> None:
    files = {"desired/hosts/fra1.toml": HOST, "desired/instances/alpha.toml": ALPHA}
    text = addresses_text([host_addresses(resolved_host(files))])
    assert text.startswith("""\
fra1: sends from 203.0.113.2
  alpha
    outgoing TCP  203.0.113.2   the host's standard address
                  IPv6: not declared (standard in [network])
    SPF           ip4:203.0.113.2   for a.example.com
    comes from    203.0.113.2 203.0.113.10 2001:db8:1::10
    listens on    203.0.113.10 tcp 80,443,5060,5061
    listens on    203.0.113.10 udp 5060,49152-64511
    listens on    2001:db8:1::10 tcp 80,443,5060,5061
    listens on    2001:db8:1::10 udp 5060
  beta
""")


def test_the_data() -> None:
    files = {"desired/hosts/fra1.toml": HOST, "desired/instances/alpha.toml": ALPHA}
    (host,) = addresses_data([host_addresses(resolved_host(files))])
    assert (host["host"], host["standard"]) == ("fra1", ["203.0.113.2"])
    instance = host["instances"][0]
    assert instance["unknown"] == ["ipv6"]
    assert instance["domains"] == ["a.example.com"]
    assert instance["listens"][0] == {
        "address": "203.0.113.10",
        "protocol": "tcp",
        "first": 80,
        "last": 80,
    }

"""The reference file: read with exact places, and what it lets us propose."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pbxfleet.core.diagnostics import Severity
from pbxfleet.core.span import Span
from pbxfleet.model.resolved import Reference
from pbxfleet.pbx.reference import learn, part_of, read_reference

FILE = "desired/reference/pbx-70.xml"
ADDRESSES = (ip_address("198.51.100.10"), ip_address("2001:db8::a"))
CONTENT = b"""<?xml version="1.0" encoding="utf-8"?>
<config>
  <sys_name>Reference</sys_name>
  <pw_pass encrypted="true">c2VjcmV0</pw_pass>
  <ip_http_port>198.51.100.10:80</ip_http_port>
  <ip_https_port>443</ip_https_port>
  <sip_udp_ports>198.51.100.10:5060 [2001:db8::a]:5060</sip_udp_ports>
  <sip_tcp_ports>5060</sip_tcp_ports>
  <tls_transport_port>5061</tls_transport_port>
  <sips_port>198.51.100.10:5061</sips_port>
  <tftp_port></tftp_port>
  <snmp_port>161</snmp_port>
  <snmp_port_2>0.0.0.0:162</snmp_port_2>
  <snmp_trusted>192.0.2.1</snmp_trusted>
  <rtp_ip4>198.51.100.10</rtp_ip4>
  <rtp_port_start>49152</rtp_port_start>
  <rtp_port_end>64511</rtp_port_end>
  <srtp_port_start>1</srtp_port_start>
  <process_affinity></process_affinity>
  <something_else>198.51.100.10:9999</something_else>
  <web_url>http://198.51.100.10/</web_url>
  <max_calls>100</max_calls>
  <log_event_snmp>9</log_event_snmp>
</config>
"""


def reference() -> Reference:
    found = read_reference(FILE, CONTENT)
    assert found.diagnostics == ()
    assert found.value is not None
    return found.value


def test_settings_have_values_and_places() -> None:
    settings = reference().settings
    assert settings["ip_http_port"] == ("198.51.100.10:80", Span(FILE, 5, 17, 5, 33))
    assert settings["pw_pass"] == (None, Span(FILE, 4, 29, 4, 37))
    assert settings["tftp_port"] == ("", Span(FILE, 11, 3, 11, 26))
    assert list(settings)[:3] == ["sys_name", "pw_pass", "ip_http_port"]


def test_a_part_of_a_value_has_its_own_place() -> None:
    value, span = reference().settings["sip_udp_ports"]
    assert value is not None
    assert part_of(span, value, 19, 18) == Span(FILE, 7, 37, 7, 55)
    written_as_references = Span(FILE, 7, 18, 7, 60)
    assert part_of(written_as_references, value, 19, 18) == written_as_references


def test_a_broken_file_is_one_diagnostic_at_its_place() -> None:
    found = read_reference(FILE, b"<config>\n  <a>Q & A</a>\n</config>")
    assert found.value is None
    (problem,) = found.diagnostics
    assert (problem.code, problem.span) == ("XML101", Span(FILE, 2, 8, 2, 9))


@pytest.mark.parametrize(
    ("body", "code", "severity", "span"),
    [
        (b"", "XML120", Severity.WARNING, Span(FILE, 1, 1, 1, 1)),
        (b"<a>1</a><a>2</a>", "XML106", Severity.WARNING, Span(FILE, 2, 12, 2, 13)),
        (b"<a>1</a><a>1.2.3.4:5</a>", "XML106", Severity.ERROR, Span(FILE, 2, 12, 2, 21)),
        (b"<ip_http_port/><ip_http_port/>", "XML106", Severity.ERROR, Span(FILE, 2, 16, 2, 31)),
        (b"<a><b>1</b></a>", "XML108", Severity.ADVICE, Span(FILE, 2, 4, 2, 12)),
        (b"<pw_pass>x</pw_pass>", "XML121", Severity.WARNING, Span(FILE, 2, 10, 2, 11)),
    ],
)
def test_what_is_odd_is_said(body: bytes, code: str, severity: Severity, span: Span) -> None:
    found = read_reference(FILE, b"<c>\n" + body + b"\n</c>")
    (problem,) = found.diagnostics
    assert (problem.code, problem.severity, problem.span) == (code, severity, span)
    assert (found.value is None) == (severity is Severity.ERROR)


def test_an_encrypted_or_empty_secret_is_no_problem() -> None:
    for body in (b'<pw_pass encrypted="true">x</pw_pass>', b"<pw_pass></pw_pass>", b"<pw_pass/>"):
        assert read_reference(FILE, b"<c>" + body + b"</c>").diagnostics == ()


def test_no_diagnostic_shows_a_secret() -> None:
    content = b"<c><pw_pass>hunter2</pw_pass><activation_key>AAA-BBB</activation_key></c>"
    shown = repr(read_reference(FILE, content).diagnostics)
    assert "hunter2" not in shown
    assert "AAA" not in shown


PROPOSALS = """
ip_http_port http confirmed
ip_https_port https confirmed
sip_udp_ports sip_udp likely
sip_tcp_ports sip_tcp possible
sips_port sip_tls likely
tftp_port tftp possible
snmp_port snmp possible
snmp_port_2 snmp possible
rtp_ip4 rtp_bind likely
rtp_port_start rtp_start possible
rtp_port_end rtp_end possible
process_affinity affinity possible
something_else ? unknown
web_url ? unknown
"""


def test_proposals_come_from_values_and_names_and_never_decide() -> None:
    found = learn(reference(), ADDRESSES)
    shown = [f"{one.name} {one.role} {one.confidence}" for one in found]
    assert shown == PROPOSALS.strip().splitlines()
    assert all(one.why for one in found)
    assert all(reference().settings[one.name] == (one.value, one.span) for one in found)


def test_nothing_is_proposed_from_nothing() -> None:
    assert learn(Reference(FILE, b"", {}), ADDRESSES) == ()

"""The two reference configurations: what other parts may rely on, and that the stand-in starts."""

from __future__ import annotations

import hashlib
import re
from xml.etree import ElementTree

import pytest

from support.standin import PORTS, SOURCE, Bound, bound
from support.standin_box import Box

REFERENCES = ("pbx.xml", "pbx-dual.xml")
V4, V6 = "198.51.100.10", "2001:db8::10"
STANDARD = {
    "ip_http_port": 80,
    "ip_https_port": 443,
    "sip_udp_port": 5060,
    "sip_tcp_port": 5060,
    "sip_tls_port": 5061,
    "snmp_port": 161,
    "ldap_port": 389,
}


def settings(name: str) -> dict[str, str]:
    root = ElementTree.fromstring((SOURCE / name).read_bytes())  # noqa: S314
    assert root.tag == "config"
    assert len({element.tag for element in root}) == len(root)
    return {element.tag: element.text or "" for element in root}


def test_the_reference_is_bound_to_its_address() -> None:
    found = settings("pbx.xml")
    assert {name: found[name] for name in STANDARD} == {
        name: f"{V4}:{port}" for name, port in STANDARD.items()
    }
    assert (found["tftp_port"], found["rtp_bind_ip4"]) == ("", V4)
    assert (found["rtp_port_start"], found["rtp_port_end"]) == ("49152", "64511")


def test_the_dual_reference_differs_in_its_binds_only() -> None:
    single, dual = settings("pbx.xml"), settings("pbx-dual.xml")
    assert list(single) == list(dual)
    assert {name: dual[name] for name in dual if dual[name] != single[name]} == {
        name: f"{V4}:{port} [{V6}]:{port}" for name, port in STANDARD.items()
    }


def test_a_default_configuration_knows_every_name_of_the_reference(box: Box) -> None:
    text = (SOURCE / "pbxctrl").read_text(encoding="utf-8")
    defaults = text.split("DEFAULTS = (")[1].split(")\n")[0]
    assert set(re.findall(r"(\w+)=", defaults)) == set(settings("pbx.xml"))


def test_the_secrets_of_the_reference_are_encrypted() -> None:
    digest = hashlib.md5(b"reference-password", usedforsecurity=False).hexdigest()
    text = (SOURCE / "pbx.xml").read_text(encoding="utf-8")
    assert f'<pw_pass encrypted="true">{digest}</pw_pass>' in text
    assert text.count('encrypted="true"') == 2


@pytest.mark.parametrize("name", REFERENCES)
def test_the_stand_in_starts_from_it_once_it_is_rebound(box: Box, name: str) -> None:
    text = (SOURCE / name).read_text(encoding="utf-8").replace(V4, box.address)
    for setting, port in STANDARD.items():
        text = re.sub(rf"(<{setting}>[\d.]+:){port}\b[^<]*", rf"\g<1>{PORTS[setting]}", text)
    box.pbx_xml.write_text(text, encoding="utf-8")
    pid = box.start()
    assert bound(pid) == {
        Bound("udp" if setting in ("sip_udp_port", "snmp_port") else "tcp", box.address, port)
        for setting, port in PORTS.items()
        if setting in STANDARD
    }
    assert box.get("/rest/system/status", "admin:reference-password").status == 200
    login = "admin:reference-password"
    assert box.post("/rest/system/config", {"sys_name": "Reference PBX"}, login).status == 200
    assert box.pbx_xml.read_text(encoding="utf-8") == text

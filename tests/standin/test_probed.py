"""What the stand-in says to those who ask whether it is well: TLS, SNMP, and habits that deceive."""

from __future__ import annotations

import json
import socket
import ssl

import pytest

from pbxfleet.host.certificate import validity
from pbxfleet.host.snmp import CALLS, get_request, value_in
from support.https import TLS
from support.standin import PATIENCE_S, PORTS, http_get
from support.standin_box import Box

SESSION = "/rest/system/session"
HTTP, HTTPS = PORTS["ip_http_port"], PORTS["ip_https_port"]
OPTIONS = (
    "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/{} 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a>;tag=1\r\n"
    "To: <sip:x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


def secured(box: Box, port: int, timeout_s: float = PATIENCE_S) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection((box.address, port), timeout=timeout_s)
    return context.wrap_socket(plain)


def test_https_and_sips_speak_tls_to_whoever_begins_with_it(box: Box) -> None:
    box.start()
    with secured(box, HTTPS) as client:
        client.sendall(f"GET {SESSION} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.1 200"
        assert validity(client.getpeercert(binary_form=True) or b"")[1].startswith("2120")
    with secured(box, PORTS["sip_tls_port"]) as client:
        client.sendall(OPTIONS.format("TLS").encode())
        assert client.recv(14) == b"SIP/2.0 200 OK"
    assert http_get(box.address, HTTPS, SESSION).status == 200


def test_the_certificate_can_be_expired(box: Box) -> None:
    box.behave(tls="expired")
    box.start()
    with secured(box, HTTPS) as client:
        der = client.getpeercert(binary_form=True) or b""
    assert validity(der) == ("20200101000000Z", "20210101000000Z")


def test_the_certificate_can_be_that_of_a_file(box: Box) -> None:
    box.behave(tls=str(TLS / "loopback.pem"))
    box.start()
    with secured(box, HTTPS) as client:
        der = client.getpeercert(binary_form=True) or b""
    assert der == ssl.PEM_cert_to_DER_cert(_certificate((TLS / "loopback.pem").read_text()))


def test_there_can_be_no_tls(box: Box) -> None:
    box.behave(tls="off")
    box.start()
    with pytest.raises(TimeoutError):
        secured(box, HTTPS, 0.5)


def _certificate(text: str) -> str:
    return text[text.index("-----BEGIN CERTIFICATE") :]


def test_snmp_tells_the_calls_to_those_it_trusts(box: Box) -> None:
    box.configure(snmp_trusted="localhost")
    box.start()
    box.post("/standin/calls?n=300")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE_S)
        client.connect((box.address, PORTS["snmp_port"]))
        client.send(b"\x30\x02\x01")
        client.send(get_request(77, CALLS))
        assert value_in(client.recv(1500), 77) == 300
        client.send(get_request(78, "1.3.6.1.4.1.25060.1.99"))
        with pytest.raises(ValueError, match="SNMP error 2"):
            value_in(client.recv(1500), 78)


def test_snmp_tells_nothing_to_strangers(box: Box) -> None:
    box.configure(snmp_trusted="192.0.2.0/24")
    box.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.3)
        client.connect((box.address, PORTS["snmp_port"]))
        client.send(get_request(1, CALLS))
        with pytest.raises(TimeoutError):
            client.recv(1500)


def test_it_can_be_late_deaf_and_ill(box: Box) -> None:
    box.behave(sip="deaf", session="500")
    box.start()
    assert http_get(box.address, HTTP, SESSION).status == 500
    with socket.create_connection((box.address, PORTS["sip_tcp_port"]), 0.3) as client:
        client.sendall(OPTIONS.format("TCP").encode())
        with pytest.raises(TimeoutError):
            client.recv(100)
    box.behave(sip="503")
    with socket.create_connection((box.address, PORTS["sip_tcp_port"]), PATIENCE_S) as client:
        client.sendall(OPTIONS.format("TCP").encode())
        assert client.recv(11) == b"SIP/2.0 503"
    box.behave(late="1000")
    with socket.create_connection((box.address, HTTP), 0.3) as client:
        client.sendall(f"GET {SESSION} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        with pytest.raises(TimeoutError):
            client.recv(100)


def test_it_can_take_changes_otherwise_than_asked(box: Box) -> None:
    box.behave(ignore="sys_name", normalise="log_length=100", hide="syslog_prefix")
    box.start()
    before = box.stored()["sys_name"]
    box.change(sys_name="New", log_length="200", syslog_prefix="a")
    told = json.loads(box.get("/rest/system/config").body)
    assert (told["sys_name"], told["log_length"]) == (before, "100")
    assert "syslog_prefix" not in told
    assert box.stored()["syslog_prefix"] == "a"


def test_it_can_bind_elsewhere(box: Box) -> None:
    box.behave(bind=f"http={box.address}:18081")
    box.start()
    assert http_get(box.address, 18081, SESSION).status == 200

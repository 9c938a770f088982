"""SIP: OPTIONS is answered over UDP and TCP as RFC 3261 and RFC 3581 ask, and nothing else is."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from support.standin import PATIENCE_S, PORTS, sip_options, sip_request
from support.standin_box import Box

UDP, TCP, TLS = PORTS["sip_udp_port"], PORTS["sip_tcp_port"], PORTS["sip_tls_port"]


def fields(message: str) -> dict[str, str]:
    """Header fields of a message without a body; the first one of each name."""
    found: dict[str, str] = {}
    for line in message.split("\r\n")[1:-2]:
        name, _, value = line.partition(": ")
        found.setdefault(name, value)
    return found


def datagram(box: Box, request: bytes) -> tuple[str, tuple[str, int]]:
    """The response to a datagram, and the address and port that it was sent from."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
        client.settimeout(PATIENCE_S)
        client.connect((box.address, UDP))
        client.send(request)
        return client.recv(65535).decode(), client.getsockname()


@pytest.mark.parametrize(("transport", "port"), [("udp", UDP), ("tcp", TCP), ("tcp", TLS)])
def test_options_is_answered(box: Box, transport: str, port: int) -> None:
    box.start()
    response = sip_options(box.address, port, transport)
    assert response.startswith("SIP/2.0 200 OK\r\n")
    found = fields(response)
    assert found["From"] == "<sip:probe@example.com>;tag=1"
    assert found["To"].startswith("<sip:pbx.example.com>;tag=")
    assert found["Call-ID"] == "1@probe.example.com"
    assert found["CSeq"] == "7 OPTIONS"
    assert found["Content-Length"] == "0"


def test_the_response_tells_where_the_request_came_from(box: Box) -> None:
    box.start()
    response, (address, port) = datagram(box, sip_request("OPTIONS", "udp").encode())
    assert fields(response)["Via"] == (
        f"SIP/2.0/UDP 192.0.2.1:5060;rport={port};branch=z9hG4bK-1;received={address}"
    )


def test_every_via_is_returned_in_order(box: Box) -> None:
    box.start()
    vias = "Via: SIP/2.0/UDP a.example.com\r\nv: SIP/2.0/UDP b.example.com\r\n"
    request = sip_request("OPTIONS", "udp", "[::1]").replace("From:", f"{vias}f:")
    response, _ = datagram(box, request.encode())
    returned = [line.split()[2] for line in response.split("\r\n") if line.startswith("Via:")]
    assert [via.split(";")[0] for via in returned] == ["[::1]", "a.example.com", "b.example.com"]
    assert [";received=" in via for via in returned] == [True, False, False]


def test_short_names_folded_lines_and_a_tag_that_is_there(box: Box) -> None:
    box.start()
    request = (
        "OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1\r\n ;branch=1\r\nF: <sip:b>\r\n"
        "t: <sip:a>;Tag=x\r\ni: id\r\ncSeq: 1 OPTIONS\r\n\r\n"
    )
    response, _ = datagram(box, request.encode())
    assert fields(response)["To"] == "<sip:a>;Tag=x"
    assert fields(response)["Via"].startswith("SIP/2.0/UDP 127.0.0.1;branch=1")


def test_other_methods_are_not_allowed(box: Box) -> None:
    box.start()
    response, _ = datagram(box, sip_request("REGISTER", "udp").encode())
    assert response.startswith("SIP/2.0 405 Method Not Allowed\r\n")
    assert fields(response)["Allow"] == "OPTIONS"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"\r\n\r\n",
        b"\x00" * 200,
        b"OPTIONS\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        sip_request("ACK", "udp").encode(),
        sip_request("OPTIONS", "udp").replace("Call-ID", "X-Call-ID").encode(),
        sip_request("OPTIONS", "udp").replace("SIP/2.0\r\n", "HTTP/1.1\r\n", 1).encode(),
    ],
)
def test_what_needs_no_response_gets_none(box: Box, request_bytes: bytes) -> None:
    box.start()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
        client.settimeout(PATIENCE_S)
        client.connect((box.address, UDP))
        client.send(request_bytes)
        client.send(sip_request("OPTIONS", "udp").replace(": 7 ", ": 8 ").encode())
        assert fields(client.recv(65535).decode())["CSeq"] == "8 OPTIONS"


def test_a_stream_holds_several_requests_with_bodies_and_keep_alives(box: Box) -> None:
    box.start()
    one = sip_request("OPTIONS", "tcp")
    two = one.replace("Content-Length: 0", "l: 4").replace(": 7 ", ": 8 ") + "body"
    stream = f"\r\n\r\n{one}{two}{one}".encode()
    with socket.create_connection((box.address, TCP), timeout=PATIENCE_S) as client:
        client.sendall(stream[:50])
        client.sendall(stream[50:-3])
        client.sendall(stream[-3:])
        received = b""
        while received.count(b"\r\n\r\n") < 3:
            received += client.recv(65535)
    numbers = [
        fields(part + "\r\n\r\n")["CSeq"] for part in received.decode().split("\r\n\r\n")[:3]
    ]
    assert numbers == ["7 OPTIONS", "8 OPTIONS", "7 OPTIONS"]


def test_each_of_several_binds_answers(box: Box) -> None:
    box.configure(sip_udp_port=f"{box.address}:15060 {box.address}:15062")
    box.start()
    assert sip_options(box.address, 15060).startswith("SIP/2.0 200 OK")
    assert sip_options(box.address, 15062).startswith("SIP/2.0 200 OK")


@pytest.mark.parametrize("name", ["tftp_port", "snmp_port"])
def test_other_udp_ports_never_answer(box: Box, name: str) -> None:
    box.start()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
        client.connect((box.address, PORTS[name]))
        client.send(b"\x00\x01file\x00octet\x00")
        client.send(sip_request("OPTIONS", "udp").encode())
        # A second service that answered afterwards shows that the first was read and ignored.
        assert sip_options(box.address, UDP).startswith("SIP/2.0 200 OK")
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(100)


def test_ldap_hangs_up(box: Box) -> None:
    box.start()
    with socket.create_connection((box.address, PORTS["ldap_port"]), timeout=PATIENCE_S) as client:
        assert client.recv(100) == b""

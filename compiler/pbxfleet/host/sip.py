"""SIP OPTIONS: any final response proves that somebody serves SIP there (RFC 3261, section 11)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pbxfleet.model.asking import Answer

if TYPE_CHECKING:
    from pbxfleet.host.proven import Proven
    from pbxfleet.host.talk import Talk

TRANSPORTS = {"sip_udp": "UDP", "sip_tcp": "TCP", "sip_tls": "TLS"}
T1_S = 0.5  # section 17.1.1.1; over UDP the request is sent again after T1, 2 T1, 4 T1
T2_S = 4.0
FIRST_FINAL = 200


def options(talk: Talk, proven: Proven, role: str) -> Answer:
    """The status of the first final response; ValueError if what comes is no SIP."""
    token = os.urandom(8).hex()
    request = request_text(proven, talk.own_address, TRANSPORTS[role], token).encode()
    again = role == "sip_udp"
    wait_s = T1_S
    received = b""
    talk.send(request)
    while True:
        try:
            data = talk.receive(within_s=wait_s if again else talk.remaining_s())
        except TimeoutError:
            talk.remaining_s()
            if again:
                talk.send(request)
                wait_s = min(2 * wait_s, T2_S)
            continue
        if not data and not again:
            raise ValueError("the connection was closed without an answer")
        received = data if again else received + data
        status, received = final_status(received, token)
        if status:
            return Answer(status, b"", "")


def request_text(proven: Proven, own: tuple[str, int], transport: str, token: str) -> str:
    """An OPTIONS request; `token` goes into branch, tag and Call-ID."""
    there = f"{_host(proven.address)}:{proven.port}"
    here = f"{_host(own[0])}:{own[1]}"
    scheme = "sips" if transport == "TLS" else "sip"
    lines = (
        f"OPTIONS {scheme}:{there} SIP/2.0",
        f"Via: SIP/2.0/{transport} {here};branch=z9hG4bK{token};rport",
        "Max-Forwards: 70",
        f"From: <{scheme}:pbxfleet@{here}>;tag={token}",
        f"To: <{scheme}:{there}>",
        f"Call-ID: {token}",
        "CSeq: 1 OPTIONS",
        f"Contact: <{scheme}:pbxfleet@{here}>",
        "Accept: application/sdp",
        "User-Agent: pbxfleet",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", ""))


def final_status(received: bytes, token: str) -> tuple[int, bytes]:
    """The final status for our Call-ID, 0 if none has come yet; and what remains to be read.

    ValueError if what came is no SIP response. Bodies are not expected and are skipped over.
    """
    while True:
        received = received.lstrip(b"\r\n")  # keep-alives: RFC 5626, section 4.4.1
        head, blank, rest = received.partition(b"\r\n\r\n")
        if not blank:
            return 0, received
        first = head.split(b"\r\n", 1)[0].split(b" ", 2)
        if len(first) < 2 or first[0] != b"SIP/2.0" or not first[1].isdigit():
            raise ValueError("what answers does not speak SIP")
        status = int(first[1])
        if status >= FIRST_FINAL and token.encode() in head:
            return status, rest
        received = rest


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address

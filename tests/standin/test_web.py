"""The web server: the calls that are known, logins, and clients that misbehave."""

from __future__ import annotations

import json
import socket

import pytest

from support.standin import PATIENCE_S, PORTS, Answer, http_get, http_post, http_request
from support.standin_box import Box

CONFIG = "/rest/system/config"
HTTP, HTTPS = PORTS["ip_http_port"], PORTS["ip_https_port"]


def raw(box: Box, *parts: bytes) -> bytes:
    """Everything the web server says to some bytes, until it closes the connection."""
    with socket.create_connection((box.address, HTTP), timeout=PATIENCE_S) as client:
        for part in parts:
            client.sendall(part)
        received = b""
        while more := client.recv(65536):
            received += more
    return received


def test_a_session_says_what_the_instance_can_without_a_login(box: Box) -> None:
    box.configure(pw_pass="secret")
    box.start()
    for port in (HTTP, HTTPS):
        answer = http_get(box.address, port, "/rest/system/session")
        assert answer.status == 200
        assert {type(flag) for flag in json.loads(answer.body).values()} == {str, bool}


def test_the_status_tells_version_calls_and_uptime(box: Box) -> None:
    box.start()
    box.post("/standin/calls?n=7")
    status = json.loads(box.get("/rest/system/status").body)
    assert (status["version"], status["calls"], status["name"]) == ("70.5", 7, "test")
    assert 0 <= status["uptime"] <= 600


def test_the_configuration_is_one_flat_object(box: Box) -> None:
    box.configure(cdr_url='a&b "c" \\ <d>\té')
    box.start()
    assert json.loads(box.get(CONFIG).body) == box.stored()


def test_a_change_is_partial_and_what_is_unknown_is_ignored(box: Box) -> None:
    box.start()
    before = box.stored()
    members = {"sys_name": "n\u20ac", "log_length": 12, "log_sip_other": True, "no_such": "1"}
    assert box.post(CONFIG, members) == Answer(200, "true")
    wanted = before | {"sys_name": "n\u20ac", "log_length": "12", "log_sip_other": "true"}
    assert json.loads(box.get(CONFIG).body) == wanted
    assert box.stored() == wanted


def test_a_changed_port_is_used_at_the_next_start_only(box: Box) -> None:
    box.start()
    box.change(ip_http_port=f"{box.address}:18099")
    assert box.get("/rest/system/session").status == 200
    assert box.stored()["ip_http_port"] == f"{box.address}:18099"


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"text"', '{"sys_name": null}', '{"sys_name": {}}',
             '{"sys_name": "\\u0000"}', "[" * 100_000]
)  # fmt: skip
def test_a_change_that_is_not_a_flat_object_changes_nothing(box: Box, body: str) -> None:
    box.start()
    before = box.pbx_xml.read_bytes()
    assert http_post(box.address, HTTP, CONFIG, body).status == 400
    assert box.pbx_xml.read_bytes() == before
    assert json.loads(box.get(CONFIG).body)["sys_name"] == "test"


@pytest.mark.parametrize(
    ("login", "status"),
    [("", 401), ("admin:secret", 200), ("admin:", 401), ("Admin:secret", 401), ("secret", 401),
     ("admin:secret:", 401)],
)  # fmt: skip
@pytest.mark.parametrize("path", [CONFIG, "/rest/system/status"])
def test_once_there_is_a_password_it_is_needed(
    box: Box, path: str, login: str, status: int
) -> None:
    box.configure(pw_pass="secret")
    box.start()
    assert box.get(path, login).status == status
    if path == CONFIG:
        assert box.post(path, {"sys_name": "x"}, login).status == status
        assert (box.stored()["sys_name"] == "x") is (status == 200)


@pytest.mark.parametrize("word", [b"", b"Basic", b"Basic !", b"Basic gA==", b"Bearer YWRtaW46cw=="])
def test_a_login_that_is_not_basic_is_none(box: Box, word: bytes) -> None:
    box.configure(pw_pass="s")
    box.start()
    head = b"GET /rest/system/status HTTP/1.1\r\nAuthorization: " + word
    answer = raw(box, head + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/rest/system/snapshot?id=1"),
        ("PUT", CONFIG),
        ("DELETE", CONFIG),
        ("GET", "/rest/system/config/"),
        ("GET", "/standin/calls?n=1"),
    ],
)
def test_everything_else_is_not_found(box: Box, method: str, path: str) -> None:
    box.start()
    assert http_request(method, box.address, HTTP, path) == Answer(404, "")


@pytest.mark.parametrize("query", ["", "?n=", "?n=-1", "?n=x", "?m=1", "?n=\u0661"])
def test_a_count_is_a_number(box: Box, query: str) -> None:
    box.start()
    target = f"/standin/calls{query}".encode()
    assert b" 400 Bad Request\r\n" in raw(box, b"POST " + target + b" HTTP/1.1\r\n\r\n")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /\r\n\r\n", b"400"),
        (b"GET / SIP/2.0\r\n\r\n", b"400"),
        (b"\xff\xfe\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"411"),
    ],
)
def test_odd_requests_get_an_answer(box: Box, request_bytes: bytes, status: bytes) -> None:
    box.start()
    assert raw(box, request_bytes).startswith(b"HTTP/1.1 " + status)
    assert box.get("/rest/system/session").status == 200


def test_a_request_may_come_in_pieces_and_wait_for_the_go_ahead(box: Box) -> None:
    box.start()
    head = b"POST /rest/system/config HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 17\r\n"
    with socket.create_connection((box.address, HTTP), timeout=PATIENCE_S) as client:
        client.sendall(head[:20])
        client.sendall(head[20:] + b"\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b'{"sys_name":')
        client.sendall(b' "y"}')
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    assert box.stored()["sys_name"] == "y"


def test_a_request_without_end_is_cut_off(box: Box) -> None:
    box.start()
    with socket.create_connection((box.address, HTTP), timeout=PATIENCE_S) as client:
        try:
            while client.send(b"x" * 65536):
                pass
        except OSError as problem:
            assert not isinstance(problem, TimeoutError)
    assert box.get("/rest/system/session").status == 200


def test_idle_clients_cannot_keep_others_out(box: Box) -> None:
    box.start()
    idle = [socket.create_connection((box.address, HTTP), timeout=PATIENCE_S) for _ in range(150)]
    assert box.get("/rest/system/session").status == 200
    for client in idle:
        client.close()
    assert box.get("/rest/system/session").status == 200

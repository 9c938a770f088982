"""Webhooks: signed, tried again with longer pauses, over a connection that is verified."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.host.webhook import Hook, headers, hook_of, post
from support.https import CA
from support.receivers import hook

BODY = b'{"outcome": "differences"}'
SECRET = b"s3cret"


def sent(url: str, pauses: list[float], secret: bytes = SECRET) -> None:
    target = Hook(url, secret)
    post(
        target, BODY, headers(target, BODY, "drift.differences", "k1", 1_700_000_000), pauses.append
    )


def test_a_receiver_can_prove_who_sent_it() -> None:
    with hook() as server:
        sent(server.url, [])
    (post_,) = server.posted
    lines = post_.headers
    assert (post_.method, post_.path, post_.body) == ("POST", "/hooks/T0KEN", BODY)
    assert lines["content-type"] == "application/json"
    assert lines["x-pbxfleet-event"] == "drift.differences"
    signed = lines["x-pbxfleet-timestamp"].encode() + b"." + post_.body
    wanted = hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
    assert lines["x-pbxfleet-signature"] == f"sha256={wanted}"


def test_without_a_secret_nothing_is_signed() -> None:
    with hook() as server:
        sent(server.url, [], b"")
    assert "x-pbxfleet-signature" not in server.posted[0].headers


@pytest.mark.parametrize(
    ("answers", "attempts", "pauses"),
    [
        ((204,), 1, []),
        ((500, 204), 2, [1.0]),
        ((503, 502, 204), 3, [1.0, 2.0]),
        ((429, 204), 2, [7.0]),  # as the receiver asks
        ((500, 500, 500, 204), 4, [1.0, 2.0, 4.0]),
    ],
)
def test_it_is_tried_again(answers: tuple[int, ...], attempts: int, pauses: list[float]) -> None:
    waited: list[float] = []
    with hook(*answers) as server:
        sent(server.url, waited)
    assert len(server.posted) == attempts
    assert waited == pauses
    assert {p.headers["idempotency-key"] for p in server.posted} == {"k1"}
    assert len({p.headers["x-pbxfleet-signature"] for p in server.posted}) == 1


@pytest.mark.parametrize(
    ("answer", "attempts", "words"),
    [
        (500, 4, "answered 500; tried 4 times"),
        (404, 1, "answered 404; tried once"),
        (302, 1, "answered 302; tried once"),
    ],
)
def test_an_end_is_made_of_it(answer: int, attempts: int, words: str) -> None:
    with hook(answer) as server, pytest.raises(HostError) as raised:
        sent(server.url, [])
    assert len(server.posted) == attempts, "nor is a redirect followed"
    assert words in str(raised.value)
    assert "T0KEN" not in str(raised.value), "the path may be the secret"


def test_nobody_there() -> None:
    with hook() as server:
        url = server.url
    waited: list[float] = []
    with pytest.raises(HostError, match="tried 4 times"):
        sent(url, waited)
    assert waited == [1.0, 2.0, 4.0]


def test_tls_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    with hook(tls=True) as server:
        with pytest.raises(HostError, match="CERTIFICATE_VERIFY_FAILED"):
            sent(server.url, [])
        assert not server.posted
        monkeypatch.setenv("SSL_CERT_FILE", str(CA))
        sent(server.url, [])
        assert len(server.posted) == 1


@pytest.mark.parametrize("url", ["http://192.0.2.1/x", "ftp://127.0.0.1/x", "//x", "file:/x"])
def test_nothing_goes_over_a_wire_in_clear_text(url: str) -> None:
    with pytest.raises(HostError, match="neither https nor"):
        sent(url, [])


def test_an_address_and_a_secret_from_files(tmp_path: Path) -> None:
    address, secret = tmp_path / "url", tmp_path / "secret"
    for path, content in ((address, "https://hooks.example.com/T\n"), (secret, "s3cret\n")):
        path.write_text(content, encoding="utf-8")
        path.chmod(0o600)
    assert hook_of(f"file:{address}", str(secret)) == Hook("https://hooks.example.com/T", SECRET)
    secret.chmod(0o640)
    with pytest.raises(HostError, match="can be read by others"):
        hook_of(f"file:{address}", str(secret))
    secret.write_text(" \n", encoding="utf-8")
    secret.chmod(0o600)
    with pytest.raises(HostError, match="is empty"):
        hook_of("https://hooks.example.com", str(secret))
    with pytest.raises(HostError, match="is not there"):
        hook_of("https://hooks.example.com", str(tmp_path / "none"))


def test_what_is_no_web_address_is_said_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"the web address: cannot be understood$"):
        sent("https://[T0KEN", [])
    file = tmp_path / "url"
    file.write_bytes(b"\xff\xfe")
    file.chmod(0o600)
    with pytest.raises(HostError, match="holds no web address"):
        hook_of(f"file:{file}", "")

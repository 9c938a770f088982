"""Downloads from a real HTTPS server: what comes whole is digested, everything else is refused."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError, Refused
from pbxfleet.host.download import Limits, download, download_bytes
from pbxfleet.host.store import Store
from support.https import CA, Server, https

SMALL = Limits(largest_bytes=100_000, silent_s=20.0, whole_s=60.0)
IMPATIENT = {
    "/silent": SMALL._replace(silent_s=0.5),
    "/slow": SMALL._replace(whole_s=1.0),
    "/slow-headers": SMALL._replace(whole_s=1.0),
}
CONTENT = bytes(range(256)) * 300


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with https() as server:
        server.files["/good"] = CONTENT
        server.files["/empty"] = b""
        yield server


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CA))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("path", ["/good", "/to-good"])
def test_what_comes_whole_is_written_and_digested(server: Server, path: str) -> None:
    sink = io.BytesIO()
    stored = download(server.url(path), sink, SMALL)
    assert sink.getvalue() == CONTENT
    assert stored == (sha256(CONTENT).hexdigest(), len(CONTENT))


def test_an_empty_file_is_a_file(server: Server) -> None:
    assert download_bytes(server.url("/empty"), SMALL) == b""


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/cut", "ended after 400 of 1000 bytes"),
        ("/cut-in-pieces", "IncompleteRead"),
        ("/large", "has 1099511627776 bytes, at most 100000 are taken"),
        ("/endless", "has more than 100000 bytes"),
        ("/silent", "the server says nothing"),
        ("/slow", "took longer than 1 seconds"),
        ("/slow-headers", "took longer than 1 seconds"),
        ("/to-http", "leads to http://127.0.0.1:9/secret"),
        ("/to-file", "the server answers 302 Found"),
        ("/round-and-round", "the server answers 302"),
        ("/nothing-here", "the server answers 404"),
    ],
)
def test_everything_else_is_refused(server: Server, path: str, why: str) -> None:
    started = time.monotonic()
    with pytest.raises(Refused) as caught:
        download_bytes(server.url(path), IMPATIENT.get(path, SMALL))
    assert time.monotonic() - started < 20  # /slow-headers would go on for half a minute
    assert why in caught.value.message
    assert "token" not in caught.value.message  # what /to-http leads to
    assert "passwd" not in caught.value.message
    assert caught.value.code == "REL110"


def test_a_certificate_that_nobody_vouches_for_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = len(server.asked)
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    with pytest.raises(Refused, match="its certificate is not trusted"):
        download_bytes(server.url("/good"), SMALL)
    assert len(server.asked) == asked


def test_a_certificate_for_somebody_else_is_refused(server: Server) -> None:
    url = server.url("/good").replace("127.0.0.1", "localhost")
    with pytest.raises(Refused, match="its certificate is not trusted"):
        download_bytes(url, SMALL)


def test_nobody_there_and_not_https() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Refused, match="Connection refused"):
        download_bytes(f"https://127.0.0.1:{port}/good", SMALL)
    for url in ("http://127.0.0.1/good", "file:///etc/passwd", "ftp://127.0.0.1/x", "/etc/passwd"):
        with pytest.raises(Refused, match="is not an https address"):
            download_bytes(url, SMALL)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:s3cret@127.0.0.1:9/a?t=s3cret", "https://127.0.0.1:9/a"),
        ("https://me:s3cret@host", "https://host"),
        ("http://me:s3cret@host/a@b", "http://host/a@b"),
    ],
)
def test_a_password_in_an_address_is_neither_sent_nor_shown(url: str, shown: str) -> None:
    with pytest.raises(Refused) as refused:
        download_bytes(url, SMALL)
    assert str(refused.value).startswith(f"{shown}: ")
    assert "s3cret" not in str(refused.value)


def test_a_full_disk_is_the_machines_fault_and_leaves_nothing(
    server: Server, tmp_path: Path
) -> None:
    store = Store(str(tmp_path))
    with (
        pytest.raises(HostError, match="No space left") as caught,
        store.writing(),
        open("/dev/full", "wb", buffering=0) as full,
    ):
        download(server.url("/good"), full, SMALL)
    assert caught.value.code == "HST100"
    assert list(tmp_path.iterdir()) == []


def test_a_store_keeps_only_what_was_placed(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    with store.writing() as stream:
        stream.write(b"half")
    assert store.names() == store.others() == ()
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    stored = store.add(str(file))
    assert store.names() == (stored.sha256,) == (sha256(CONTENT).hexdigest(),)
    assert store.holds(stored.sha256)
    (tmp_path / "store" / stored.sha256).write_bytes(b"other")
    assert not store.holds(stored.sha256)
    (tmp_path / "store" / "notes.txt").write_text("theirs")
    assert store.others() == ("notes.txt",)
    store.remove(stored.sha256)
    store.remove(stored.sha256)
    assert store.names() == ()
    with pytest.raises(HostError):
        store.add(str(tmp_path / "nowhere"))
    assert store.others() == ("notes.txt",)

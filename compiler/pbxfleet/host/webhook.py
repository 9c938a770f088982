"""One POST of a JSON document, signed, over a connection that was verified, and again if it has to be."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pbxfleet.core.errors import HostError

TRIES = 4
TIMEOUT_S = 10.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 20.0
MOST_BYTES = 4096  # of an address or a secret
AGAIN = (408, 425, 429, 500, 502, 503, 504)
OTHERS = 0o077  # permission bits of everybody but the owner
HERE = ("127.0.0.1", "[::1]", "localhost")

Pause = Callable[[float], None]


class Hook(NamedTuple):
    """A web address with what requests to it are signed with; b"" where they are not."""

    url: str
    secret: bytes


class _Answer(NamedTuple):
    status: int
    retry_after_s: float


def headers(hook: Hook, body: bytes, event: str, key: str, now_s: int) -> dict[str, str]:
    """Header lines of a request. The signature is of the time, a full stop and the body.

    HMAC-SHA256 (RFC 2104) in hexadecimal digits. A receiver that also looks at the time cannot be played an
    old message; `Idempotency-Key` is the same for every attempt at one message.
    """
    import hashlib
    import hmac

    found = {
        "Content-Type": "application/json",
        "User-Agent": "pbxfleet",
        "Idempotency-Key": key,
        "X-Pbxfleet-Event": event,
        "X-Pbxfleet-Timestamp": str(now_s),
    }
    if hook.secret:
        signed = hmac.new(hook.secret, b"%d." % now_s + body, hashlib.sha256).hexdigest()
        found["X-Pbxfleet-Signature"] = f"sha256={signed}"
    return found


def hook_of(url: str, secret_file: str) -> Hook:
    """The hook with what lies in its files; HostError if one cannot be read, or others can read it."""
    path = url.removeprefix("file:")
    try:
        address = url if path == url else _secret(path).decode()
    except UnicodeDecodeError:
        raise HostError(path, "holds no web address") from None
    secret = _secret(secret_file) if secret_file else b""
    return Hook(address, secret)


def post(hook: Hook, body: bytes, lines: Mapping[str, str], pause: Pause = time.sleep) -> None:
    """Send it until it is taken (2xx), at most four times, each after a longer pause.

    Redirects are not followed. HostError with the last answer; the address is shown without its path,
    which may be a secret.
    """
    from http.client import HTTPException
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(hook.url)
    except ValueError:
        raise HostError("the web address", "cannot be understood") from None
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _here()):
        raise HostError(shown, "is neither https nor an address of this machine itself")
    wait_s, said = FIRST_PAUSE_S, ""
    for attempt in range(1, TRIES + 1):
        asked_s = 0.0
        try:
            answer = _ask(hook.url, body, lines)
            if 200 <= answer.status < 300:
                return
            said, asked_s = f"answered {answer.status}", answer.retry_after_s
            if answer.status not in AGAIN:
                break
        except (OSError, HTTPException, ValueError) as error:
            said = str(error) or type(error).__name__
        if attempt < TRIES:
            pause(min(max(wait_s, asked_s), LONGEST_PAUSE_S))
            wait_s *= 2
    times = "once" if attempt == 1 else f"{attempt} times"
    raise HostError(shown, f"{said}; tried {times}")


def _here() -> tuple[str, ...]:
    return tuple(name.strip("[]") for name in HERE)


def _ask(url: str, body: bytes, lines: Mapping[str, str]) -> _Answer:
    """One request over a connection of its own. A proxy of the environment is not used."""
    import ssl
    from http.client import HTTPConnection, HTTPSConnection
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    host = parts.hostname or ""
    connection = (
        HTTPSConnection(host, parts.port, timeout=TIMEOUT_S, context=ssl.create_default_context())
        if parts.scheme == "https"
        else HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
    )
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, dict(lines))
        response = connection.getresponse()
        response.read(MOST_BYTES)
        after = response.getheader("Retry-After", "")
        return _Answer(response.status, float(after) if after.isascii() and after.isdigit() else 0)
    finally:
        connection.close()


def _secret(path: str) -> bytes:
    from pbxfleet.host.disk import mode_of_file, read_file

    mode, content = mode_of_file(path), read_file(path)
    if mode is None or content is None:
        raise HostError(path, "is not there, or is no regular file")
    if mode & OTHERS:
        raise HostError(path, f"can be read by others (mode {mode:04o}); chmod 600 closes it")
    value = content[:MOST_BYTES].strip()
    if not value:
        raise HostError(path, "is empty")
    return value

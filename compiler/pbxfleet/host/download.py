"""Downloads over https, in pieces, with limits; never over anything else, not even after a redirect."""

from __future__ import annotations

import http
import http.client
import io
import ssl
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, NamedTuple
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from pbxfleet import __version__
from pbxfleet.core.digest import sha256
from pbxfleet.core.errors import Refused
from pbxfleet.host.store import Stored

FAILED = "REL110"
LARGEST_BYTES = 512 << 20  # release files have tens of megabytes
SILENT_S = 30.0  # so long a server may say nothing
WHOLE_S = 3600.0  # so long a download may take
PIECE_BYTES = 1 << 16


class Limits(NamedTuple):
    """How much and how long: bytes, seconds of silence, seconds in all."""

    largest_bytes: int = LARGEST_BYTES
    silent_s: float = SILENT_S
    whole_s: float = WHOLE_S


DEFAULT = Limits()


def download(url: str, sink: BinaryIO, limits: Limits = DEFAULT) -> Stored:
    """Write what `url` gives into `sink`; its digest and size. Refused (REL110) with the reason.

    Certificates are verified against the system's authorities, or those of SSL_CERT_FILE. A body that
    ends before its announced length is refused.
    """
    shown = _without_secrets(url)
    if not url.startswith("https://"):
        raise _failed(shown, "is not an https address")
    if "@" in _authority(url):
        raise _failed(shown, "holds a user or a password, which is never sent")
    state, size = sha256(), 0
    with _refusing(shown, limits):
        deadline = time.monotonic() + limits.whole_s
        with _opener(deadline).open(_request(url), timeout=limits.silent_s) as answer:
            length = _length(answer)
            if length is not None and length > limits.largest_bytes:
                raise _failed(
                    shown, f"has {length} bytes, at most {limits.largest_bytes} are taken"
                )
            while piece := answer.read1(PIECE_BYTES):  # whatever there is: a slow server is noticed
                state.update(piece)
                size += len(piece)
                if size > limits.largest_bytes:
                    raise _failed(shown, f"has more than {limits.largest_bytes} bytes")
                _write(sink, piece)
        if length is not None and size != length:
            raise _failed(shown, f"ended after {size} of {length} bytes")
    return Stored(state.hexdigest(), size)


def download_bytes(url: str, limits: Limits) -> bytes:
    """What `url` gives, kept in memory; Refused as with `download`."""
    sink = io.BytesIO()
    download(url, sink, limits)
    return sink.getvalue()


class _TooLong(Exception):
    """The deadline has passed."""


class _Timely(io.RawIOBase):
    """Reads from a socket until a deadline: a byte now and then, also of a header, is no way around."""

    def __init__(self, raw: Any, deadline: float) -> None:
        self._raw = raw
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self._deadline:
            raise _TooLong
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimelyHandler(HTTPSHandler):
    """Opens connections of which every answer is read until a deadline only."""

    def __init__(self, deadline: float) -> None:
        self._certificates = ssl.create_default_context()
        super().__init__(context=self._certificates)
        self._deadline = deadline

    def https_open(self, req: Request) -> http.client.HTTPResponse:
        deadline = self._deadline

        class Answer(http.client.HTTPResponse):
            def __init__(self, sock: Any, *args: Any, **more: Any) -> None:
                super().__init__(sock, *args, **more)
                self.fp.close()
                self.fp = io.BufferedReader(_Timely(sock.makefile("rb", 0), deadline))

        def connection(host: str, **options: Any) -> http.client.HTTPSConnection:
            made = http.client.HTTPSConnection(host, **options)
            made.response_class = Answer
            return made

        answer: http.client.HTTPResponse = self.do_open(connection, req, context=self._certificates)
        return answer


class _LocalError(Exception):
    """The machine's own disk said no; that is not the server's fault."""


def _write(sink: BinaryIO, piece: bytes) -> None:
    try:
        sink.write(piece)
    except OSError as error:
        raise _LocalError from error


@contextmanager
def _refusing(shown: str, limits: Limits) -> Iterator[None]:
    """Whatever can go wrong with a connection, as a refusal that names the address."""
    try:
        yield
    except _LocalError as error:
        assert isinstance(error.__cause__, OSError)
        raise error.__cause__ from None
    except _TooLong as error:
        raise _failed(shown, f"took longer than {limits.whole_s:g} seconds") from error
    except urllib.error.HTTPError as error:
        error.close()
        raise _failed(shown, f"the server answers {_status(error.code)}") from error
    except urllib.error.URLError as error:
        raise _failed(shown, _reason(error.reason)) from error
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise _failed(shown, _reason(error)) from error


def _status(code: int) -> str:
    """A status in the words of the standard: those of the server may hold anything."""
    known = {int(status): status.phrase for status in http.HTTPStatus}
    return f"{code} {known.get(code, '')}".rstrip()


def _reason(error: object) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "the server says nothing"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) or type(error).__name__


def _failed(shown: str, why: str) -> Refused:
    return Refused(
        f"{shown}: {why}",
        hint="nothing was stored; a file from elsewhere can be added with pbxfleet release add",
        code=FAILED,
    )


class _HttpsOnly(HTTPRedirectHandler):
    """A redirect to plain http would let anybody on the way choose the file."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if not newurl.lower().startswith("https://"):
            fp.close()
            raise _failed(_without_secrets(req.full_url), f"leads to {_without_secrets(newurl)}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(deadline: float) -> OpenerDirector:
    """Speaks https only, through the proxy of the environment if there is one."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        _TimelyHandler(deadline),
        HTTPDefaultErrorHandler(),
        _HttpsOnly(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _request(url: str) -> Request:
    headers = {"User-Agent": f"pbxfleet/{__version__}", "Accept-Encoding": "identity"}
    return Request(url, headers=headers)  # noqa: S310 - https, as checked


def _length(answer: Any) -> int | None:
    text = answer.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _without_secrets(url: str) -> str:
    """An address for messages: a query may be a token, and before an `@` stand user and password."""
    bare = url.partition("?")[0]
    authority = _authority(bare)
    return bare.replace(authority, authority.rpartition("@")[2], 1)


def _authority(url: str) -> str:
    """User, host and port of an address, as they stand between `//` and the path."""
    rest = url.partition("//")[2]
    ends = [at for at in map(rest.find, "/?#") if at >= 0]
    return rest[: min(ends, default=len(rest))]

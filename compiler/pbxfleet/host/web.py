"""HTTP/1.1 over a proven connection: one request, one answer, no redirect is followed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.model.asking import Answer

if TYPE_CHECKING:
    from pbxfleet.host.talk import Talk


class Request(NamedTuple):
    """What is asked; `authorization` is a whole header value, "" for none, and is never shown."""

    method: str
    path: str
    host: str
    authorization: str
    body: bytes


def exchange(talk: Talk, request: Request) -> Answer:
    """The answer to a request; ValueError where it is no HTTP."""
    from http.client import HTTPException, HTTPResponse

    talk.send(_bytes(request))
    response = HTTPResponse(_Incoming(talk), method=request.method)  # type: ignore[arg-type]
    try:
        response.begin()
        body = response.read()
    except HTTPException as error:
        raise ValueError(f"no HTTP ({type(error).__name__})") from error
    return Answer(response.status, body, "")


def _bytes(request: Request) -> bytes:
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {request.host}"]
    lines += ["Accept: application/json", "Connection: close"]
    if request.authorization:
        lines.append(f"Authorization: {request.authorization}")
    if request.method != "GET":
        lines += ["Content-Type: application/json", f"Content-Length: {len(request.body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


class _Incoming:
    """A socket as HTTPResponse wants one: something to make a file of."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._talk))


class _Reader(io.RawIOBase):
    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._talk.receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)

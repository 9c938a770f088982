"""Bring release files into the artefact store: from the web by their pins, or new ones to be reviewed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pbxfleet.app.release import HERE, OTHER, Releases, local_source, pins, state_of
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.host.disk import is_file
from pbxfleet.host.download import DEFAULT, Limits, download
from pbxfleet.host.store import Stored
from pbxfleet.model.desired import ArtefactPin

WRONG_DIGEST = "REL111"
FETCHED, FAILED = "fetched", "failed"

Say = Callable[[str], None]


class Fetched(NamedTuple):
    """What became of one file: `here` (it was), `fetched`, or `failed` with code and reason."""

    release: str
    file: str
    source: str
    state: str
    size_bytes: int = 0
    code: str = ""
    message: str = ""


def fetch(
    releases: Releases, names: Sequence[str], say: Say, limits: Limits = DEFAULT
) -> tuple[Fetched, ...]:
    """Download what is pinned and not here; one failure does not keep the others from coming."""
    done: dict[str, Fetched] = {}
    found = []
    for release in releases.named(names):
        for file, pin in pins(release):
            digest = pin.sha256.value
            if digest not in done or done[digest].state == FAILED:
                done[digest] = _fetch(releases, release.name, file, pin, limits)
                say(_line(done[digest]))
                found.append(done[digest])
            else:
                found.append(done[digest]._replace(release=release.name, file=file, state=HERE))
    return tuple(found)


def _fetch(
    releases: Releases, release: str, file: str, pin: ArtefactPin, limits: Limits
) -> Fetched:
    result = Fetched(release, file, pin.source.value, HERE)
    state = state_of(releases, pin)
    if state == HERE:
        return result
    try:
        if local_source(releases, pin) is not None:
            why = "is another file" if state == OTHER else "is not here"
            hint = "pbxfleet release add brings a copy from elsewhere into the store"
            raise Refused(f"{pin.source.value} {why}", hint=hint, code="PLN106")
        stored = pinned(releases, pin, limits)
    except (Refused, HostError) as error:
        return result._replace(state=FAILED, code=error.code, message=str(error))
    return result._replace(state=FETCHED, size_bytes=stored.size_bytes)


def pinned(releases: Releases, pin: ArtefactPin, limits: Limits) -> Stored:
    """Download one file; Refused (REL110, REL111) and nothing is stored if it is not the pinned one."""
    store = releases.store
    with store.writing() as stream:
        stored = download(pin.source.value, stream, limits)
        if stored.sha256 != pin.sha256.value:
            raise Refused(
                f"{pin.source.value.partition('?')[0]} has the digest {stored.sha256}, "
                f"{pin.sha256.value} is pinned",
                hint="find out why before you pin another one",
                code=WRONG_DIGEST,
            )
        store.place(stream, stored.sha256)
    return stored


def bring(releases: Releases, source: str, limits: Limits = DEFAULT) -> Stored:
    """Put a local file or an https address into the store under the digest that it turns out to have."""
    store = releases.store
    if source.startswith("https://"):
        with store.writing() as stream:
            stored = download(source, stream, limits)
            store.place(stream, stored.sha256)
        return stored
    if not is_file(source):
        raise Refused(f"{source} is not a file", hint="name a file, or an https address")
    return store.add(source)


def _line(fetched: Fetched) -> str:
    where = f"{fetched.release} {fetched.file}"
    if fetched.state == FAILED:
        return f"error[{fetched.code}]: {where}: {fetched.message}"
    size = f", {fetched.size_bytes} bytes" if fetched.size_bytes else ""
    return f"  {where}: {fetched.state}{size}"

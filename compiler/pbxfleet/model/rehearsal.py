"""What a rehearsal says: where the instances of a lost host start, and what is missing for the rest."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.span import Span


class Seat(NamedTuple):
    """What an instance has on a host; `cpu` and `rtp` are None where it has none.

    `ports` are role and port of its listeners, as text, in the order of the roles' names.
    """

    addresses: tuple[str, ...]
    cpu: int | None
    rtp: str | None
    release: str
    ports: tuple[tuple[str, str], ...]


class Takeover(NamedTuple):
    """A primary is lost and its peer, which is set up already, takes over; `seat` is the peer's."""

    instance: str
    peer: str
    host: str
    seat: Seat


class Bereft(NamedTuple):
    """A secondary is lost: its primary runs on, without a standby."""

    instance: str
    primary: str
    host: str


class Edit(NamedTuple):
    """One change of a desired file: `text` takes the place of what stands at `span`.

    With a `key`, a line with this key and the text as its value follows the line of `span` instead.
    """

    span: Span
    text: str
    key: str = ""


class Start(NamedTuple):
    """An instance that starts on another host. `changes` says in words what is not as before."""

    instance: str
    host: str
    seat: Seat
    changes: tuple[str, ...]
    edits: tuple[Edit, ...]


class Refusal(NamedTuple):
    """Why a host cannot take an instance, whatever room it has."""

    host: str
    why: str


class Stranded(NamedTuple):
    """An instance that has no place; `refusals` are of hosts that cannot take it for another reason
    than lack of room, in order of their names."""

    instance: str
    refusals: tuple[Refusal, ...]


class Lack(NamedTuple):
    """`missing` more of `what` (`free IPv4 address`) on this host; `free` are there."""

    host: str
    what: str
    missing: int
    free: int


class HostRehearsal(NamedTuple):
    """What happens if this host is lost; everything in order of instance names.

    `lacks` is the least that must be added for everything to start, by one of the ways to do it.
    `proven` tells that no better answer exists; without it the search was ended.
    """

    host: str
    instances: int
    takeovers: tuple[Takeover, ...]
    bereft: tuple[Bereft, ...]
    starts: tuple[Start, ...]
    stranded: tuple[Stranded, ...]
    lacks: tuple[Lack, ...]
    proven: bool

    @property
    def survives(self) -> bool:
        """Whether everything that ran on the host runs somewhere else afterwards."""
        return not self.stranded

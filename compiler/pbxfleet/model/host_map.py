"""What stands where on a host: addresses, cores and ports as runs of numbers, and its instances.

Drawings of a host are made of these numbers and of nothing else.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Use(StrEnum):
    """What a slot of a host is: `own` is the host's own address, `system` a core left to it."""

    USED = "used"
    FOREIGN = "foreign"
    OWN = "own"
    SYSTEM = "system"
    RESERVED = "reserved"
    GONE = "gone"
    FREE = "free"


class Run(NamedTuple):
    """The slots `first` to `last`, both included, of one use.

    `names` are the instances that have them or had them, or the program that does; `why` is the
    reason of a reservation. Both may be empty.
    """

    first: int
    last: int
    use: Use
    names: tuple[str, ...] = ()
    why: str = ""

    @property
    def size(self) -> int:
        """Number of slots."""
        return self.last - self.first + 1


class AddressMap(NamedTuple):
    """The assigned addresses of one family (`version` 4 or 6) as numbers: every one in one run."""

    version: int
    runs: tuple[Run, ...]


class PortMap(NamedTuple):
    """RTP ports: `first` to `last` is the axis of all drawings of the host, `runs` fill it.

    A port that instances use on different addresses is in one run with all their names. `pool` is
    what the host hands out, None if it declares nothing.
    """

    first: int
    last: int
    pool: tuple[int, int] | None
    runs: tuple[Run, ...]

    @property
    def size(self) -> int:
        """Number of ports of the axis."""
        return self.last - self.first + 1


class PlacedListener(NamedTuple):
    """A socket of an instance; `address` is literal text, "" for every address of its family."""

    role: str
    protocols: tuple[str, ...]
    address: str
    port: int


class PairedHalf(NamedTuple):
    """What an instance is in its failover pair: `primary` or `secondary`, and where the other one is."""

    role: str
    peer: str
    peer_host: str


class Placed(NamedTuple):
    """One instance and what it has.

    `rtp` are the first and the last port, on `rtp_address` if that is declared. `tenants` are those
    of customers.
    """

    name: str
    addresses: tuple[str, ...]
    cpu: int | None
    listeners: tuple[PlacedListener, ...]
    rtp: tuple[int, int] | None
    rtp_address: str
    release: str
    tenants: tuple[str, ...]
    half: PairedHalf | None


class HostMap(NamedTuple):
    """One host. `cores` is empty where none are declared, `rtp` None where nobody has ports.

    Instances are in the order of their first address, then of their names.
    """

    host: str
    services: str
    standard: tuple[str, ...]
    addresses: tuple[AddressMap, ...]
    cores: tuple[Run, ...]
    rtp: PortMap | None
    instances: tuple[Placed, ...]

"""The ledger as compile writes it, read line by line."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.diagnostics import Outcome
from pbxfleet.model.resolved import Ledger, Resource, Thing
from pbxfleet.schema.holdings import Holding, Tombstone, ledger_of
from pbxfleet.schema.ledger_values import canonical, is_holder, name_and_place
from pbxfleet.source.plain_toml import PlainLine, plain_lines

_BY_WORD = {resource.value: resource for resource in Resource}


def from_lines(file: str, content: str) -> Outcome[Ledger] | None:
    """The ledger of format 2; None where the full reader has more to say.

    One key twice, as after a merge where both sides were kept, gives both instances the thing: who
    resolves the fleet tells it then (ALC104). Problems: ALC107.
    """
    lines = plain_lines(file, content, _is_known)
    if not lines or lines[0][:4] != ("", "format", ("2",), True):
        return None
    reading = _Reading()
    if not all(map(reading.line, lines[1:])):
        return None
    return ledger_of(reading.holdings, reading.removed)


class _Reading:
    """What the lines say so far; headers and names are looked at once, however often they come."""

    def __init__(self) -> None:
        self.holdings: list[Holding] = []
        self.removed: dict[str, Tombstone] = {}
        self._spots: dict[str, _Spot | None] = {}
        self._holders: dict[str, tuple[str, int]] = {}

    def line(self, line: PlainLine) -> bool:
        """Take a line; whether it is understood."""
        if line.is_number:
            return False
        if line.table == "tombstones":
            self.removed[line.key] = Tombstone(line.texts[0] if line.texts else "", line.span)
            return len(line.texts) == 1 and is_holder(line.key)
        if line.table not in self._spots:
            self._spots[line.table] = _spot(line.table)
        spot = self._spots[line.table]
        if spot is None or canonical(spot.resource, line.key) != line.key:
            return False
        thing = Thing(spot.resource, line.key)
        for text in line.texts:
            if text not in self._holders:
                if not is_holder(text):
                    return False
                self._holders[text] = name_and_place(text)
            self.holdings.append(Holding(spot.host, thing, *self._holders[text], line.span))
        return True


class _Spot(NamedTuple):
    """What a header is about."""

    host: str
    resource: Resource


def _is_known(header: str) -> bool:
    return header == "tombstones" or _spot(header) is not None


def _spot(table: str) -> _Spot | None:
    """What `hosts.fra1.cores` is about; None for other headers."""
    parts = table.split(".")
    if len(parts) != 3 or parts[0] != "hosts" or not parts[1] or parts[2] not in _BY_WORD:
        return None
    return _Spot(parts[1], _BY_WORD[parts[2]])

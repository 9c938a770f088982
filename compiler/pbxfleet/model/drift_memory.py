"""What drift remembers from one run to the next: when each difference was seen, and what was told of it.

No value of the host is stored, only a short digest that tells whether a difference is still the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from pbxfleet.core.digest import digest_of
from pbxfleet.model.drift import DriftItem

FORMAT = 2
MOST_GONE = 1000  # findings that are gone and still remembered, so that their return is noticed

Place: TypeAlias = tuple[str, str, str]


class Sighting(NamedTuple):
    """One finding: `state` is a digest of how the place differed when it was last seen.

    `sightings` counts runs in a row, 0 once it is gone. `told` says that this very state was reported.
    """

    state: str
    first_seen: str
    last_seen: str
    sightings: int
    flaps: int
    told: bool


class Memory(NamedTuple):
    """Findings by place; `dates` are those of the first format, by its own keys.

    `notice` is the digest of what was told last of an unfinished run, "" if there was none.
    """

    findings: Mapping[Place, Sighting]
    dates: Mapping[str, str]
    notice: str = ""


NOTHING = Memory({}, {})


def decode_memory(content: bytes | None) -> Memory:
    """The stored memory, of this format or the first; what cannot be understood was never seen.

    A damaged memory forgets when something was seen; it never hides that it is there.
    """
    import json

    try:
        data = json.loads(content or b"{}")
        if data.get("format") != FORMAT:
            dates = {k: v for k, v in data.items() if type(k) is type(v) is str}
            return Memory({}, dates if "format" not in data else {})
        entries, notice = data["findings"], data.get("notice", "")
        return Memory(dict(filter(None, map(_entry, entries))), {}, str(notice))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return NOTHING


def _entry(raw: Any) -> tuple[Place, Sighting] | None:
    if type(raw) is not list or len(raw) != 9:
        return None
    texts, (sightings, flaps), told = raw[:6], raw[6:8], raw[8]
    if not (
        all(type(text) is str for text in texts)
        and type(sightings) is type(flaps) is int
        and min(sightings, flaps) >= 0
        and type(told) is bool
    ):
        return None
    resource, instance, name, state, first_seen, last_seen = texts
    seen = Sighting(state, first_seen, last_seen, sightings, flaps, told)
    return (resource, instance, name), seen


def encode_memory(memory: Memory) -> bytes:
    """The memory as it is stored: JSON, one finding a line, the same bytes for the same memory."""
    import json

    lines = [
        json.dumps([*place, *memory.findings[place]], separators=(",", ":"))
        for place in sorted(memory.findings)
    ]
    body = ",\n".join(lines)
    notice = json.dumps(memory.notice)
    return f'{{"format": {FORMAT}, "notice": {notice}, "findings": [\n{body}\n]}}\n'.encode()


def see(memory: Memory, items: Iterable[DriftItem], now: str) -> Memory:
    """The memory after a run that found `items`; an item that is not there any more is gone.

    Another value at the same place is told again, but goes on being one difference: its age and its
    sightings count on, so that a value that changes every hour is not taken for a new one each time.
    """
    found = {item.place: item for item in items}
    findings = {place: _seen(memory, item, now) for place, item in found.items()}
    gone = [
        (place, seen._replace(sightings=0))
        for place, seen in memory.findings.items()
        if place not in found
    ]
    gone.sort(key=lambda one: (one[1].last_seen, one[0]))
    return Memory({**findings, **dict(gone[-MOST_GONE:])}, {}, memory.notice)


def _seen(memory: Memory, item: DriftItem, now: str) -> Sighting:
    before, state = memory.findings.get(item.place), state_of(item)
    if before is None:
        since = memory.dates.get(_first_key(item))
        return Sighting(state, since or now, now, 1, 0, since is not None)
    if before.sightings == 0:
        return Sighting(state, before.first_seen, now, 1, before.flaps + 1, told=False)
    told = before.told and before.state == state
    return Sighting(state, before.first_seen, now, before.sightings + 1, before.flaps, told)


def state_of(item: DriftItem) -> str:
    """A short digest of how a place differs; the numbers of processes do not count."""
    seen = item.observed
    if item.kind == "runtime" and seen is not None:
        seen = seen.partition(" (")[0]
    text = f"{item.kind}\0{'-' if seen is None else '+' + seen}"
    return digest_of(text.encode("utf-8", "surrogatepass"))[7:23]


def hear(memory: Memory, notice: str) -> Memory:
    """The memory once `notice` ("" for none) has been told; the same one if it was told already."""
    digest = digest_of(notice.encode())[7:23] if notice else ""
    return memory if memory.notice == digest else memory._replace(notice=digest)


def _first_key(item: DriftItem) -> str:
    return "|".join((item.kind, item.resource, item.name, str(item.observed)))


def dated(memory: Memory, item: DriftItem) -> DriftItem:
    """The item with what is remembered of it."""
    seen = memory.findings.get(item.place)
    if seen is None:
        return item
    return item._replace(
        first_seen=seen.first_seen,
        last_seen=seen.last_seen,
        sightings=seen.sightings,
        flaps=seen.flaps,
    )


def is_told(memory: Memory, item: DriftItem) -> bool:
    """Whether this very difference was reported by an earlier run, and was there ever since."""
    seen = memory.findings.get(item.place)
    return seen is not None and seen.told


def tell(memory: Memory, items: Iterable[DriftItem]) -> Memory:
    """The memory once `items` have been reported."""
    told = {
        item.place: memory.findings[item.place]._replace(told=True)
        for item in items
        if item.place in memory.findings
    }
    return memory._replace(findings={**memory.findings, **told})

"""Values that were handed out while some files are not understood: what may be said about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.model.desired import Desired
from pbxfleet.model.resolved import Allocation, Ledger, Thing

# Families of problems between values that can be handed out.
_OF_VALUES = ("BND", "RTP", "NET", "CPU", "DIR")
_OF_THE_LEDGER = "ALC"
# Roles that no file declares, cores that nobody has: a file that is not understood may.
_OF_SILENCE = ("REF105", "CPU105")


def handed_out_now(before: Ledger, after: Ledger) -> dict[str, Allocation]:
    """Instances with values that the ledger did not remember."""
    return {
        name: entry
        for name, entry in after.allocations.items()
        if not set(entry.handed_out) <= _things(before.allocations.get(name))
    }


def _things(entry: Allocation | None) -> set[Thing]:
    return set() if entry is None else set(entry.things)


def certain(
    found: Iterable[Diagnostic], desired: Desired, tentative: Mapping[str, Allocation]
) -> Iterator[Diagnostic]:
    """Only what will still be said when the files that are not understood are mended.

    Their instances may have the very address, port or core that another one was handed out here.
    """
    gaps, files = desired.gaps, desired.instances
    entries = {files[name].span.file: entry for name, entry in tentative.items() if gaps.claims}
    for one in found:
        if gaps.ledger and one.code.startswith(_OF_THE_LEDGER):
            continue
        if one.code in _OF_SILENCE and (gaps.hosts or gaps.instances):
            continue
        if not (one.code.startswith(_OF_VALUES) and _rests_on(one, entries)):
            yield one


def _rests_on(one: Diagnostic, entries: Mapping[str, Allocation]) -> bool:
    """Whether a problem is between instances of which one has new values, or names such a value."""
    files = {span.file for span, _ in one.related} | ({one.span.file} if one.span else set())
    mine = [entries[file] for file in files if file in entries]
    if not mine or len(files) > 1:
        return bool(mine)
    values = [thing.text for entry in mine for thing in entry.handed_out if len(thing.text) > 2]
    return any(value in text for value in values for text in (one.message, one.hint))

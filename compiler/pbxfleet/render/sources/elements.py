"""Lines of a rendered pbx.xml: the declared element that a line holds, and the reference line it was."""

from __future__ import annotations

from collections.abc import Collection
from difflib import SequenceMatcher

from pbxfleet.core.span import Span
from pbxfleet.model.resolved import Reference, ResolvedInstance
from pbxfleet.model.source_map import LineSources, Source, TemplateLine
from pbxfleet.pbx.pbx_xml import read
from pbxfleet.pbx.reference import readable


def element_lines(
    instance: ResolvedInstance,
    reference: Reference,
    content: bytes,
    numbers: Collection[int] | None,
) -> tuple[LineSources, ...]:
    """The sources of these lines (None: of all) of the instance's pbx.xml, compiled from `reference`."""
    lines, before = readable(content).split("\n"), readable(reference.content).split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    kept = _kept(before, lines)
    named = names_by_line(content)
    declared = {setting.name: setting for setting in instance.settings}
    made_by = (instance.span, instance.release.reference.origin)
    found = []
    for number in range(1, len(lines) + 1) if numbers is None else sorted(numbers):
        sources: list[Source] = []
        written = [kept[number]] if number in kept else []
        for name in named.get(number, ()):
            if name in reference.settings:
                written.append(reference.settings[name][1].line)
            if name in declared:
                one = declared[name]
                sources.append(Source(one.origin, one.label, one.overrode))
                sources += _within(instance, one.value, one.origin)
        lines_of_reference = tuple(
            TemplateLine(reference.file, line, own=False) for line in dict.fromkeys(written)
        )
        found.append(
            LineSources(number, lines[number - 1], tuple(sources), lines_of_reference, made_by)
        )
    return tuple(found)


def names_by_line(content: bytes) -> dict[int, list[str]]:
    """Names of the settings that stand on each line of the file; the first line is 1."""
    found: dict[int, list[str]] = {}
    for setting in read(content).settings:
        for number in range(setting.line, setting.end_line + 1):
            found.setdefault(number, []).append(setting.name)
    return found


def _within(instance: ResolvedInstance, value: object, known: Span) -> list[Source]:
    """The instance's addresses that stand in a value which is declared by a port alone."""
    text = value if isinstance(value, str) else ""
    return [
        Source(address.origin, "address", address.overrode)
        for address in instance.addresses
        if str(address.value) in text and address.origin != known
    ]


def _kept(before: list[str], after: list[str]) -> dict[int, int]:
    """Numbers of the reference lines that are still there, by their numbers in the new file."""
    found: dict[int, int] = {}
    for start, there, size in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_matching_blocks():
        found.update({there + n + 1: start + n + 1 for n in range(size)})
    return found

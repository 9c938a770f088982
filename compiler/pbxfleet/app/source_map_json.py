"""The sources of lines of JSON files in the rendered tree: one entry a line, which says what it is about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pbxfleet.core.span import Span, whole_file
from pbxfleet.model.desired import FleetFile, ReleaseFile, Sourced
from pbxfleet.model.resolved import Reference, ResolvedHost, ResolvedInstance
from pbxfleet.model.source_map import LineSources, Source, TemplateLine, place_of


def _line(
    number: int, text: str, sources: Sequence[Source], declared: Sequence[Span]
) -> LineSources:
    return LineSources(number, text, tuple(sources), (), tuple(dict.fromkeys(declared)))


def settings_lines(instance: ResolvedInstance, content: bytes) -> tuple[LineSources, ...]:
    """One declared element a line; the frame belongs to the instance."""
    known = {setting.name: setting for setting in instance.settings}
    found = []
    for number, text in enumerate(content.decode().splitlines(), 1):
        setting = known.get(_loaded(text).get("name", ""))
        sources = []
        if setting is not None:
            sources = [Source(setting.origin, setting.label, setting.overrode)]
        found.append(_line(number, text, sources, [instance.span]))
    return tuple(found)


def _loaded(text: str) -> dict[str, Any]:
    """The object on a line of a rendered JSON file; nothing if the line is not one."""
    try:
        data = json.loads(text.strip().rstrip(","))
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def key_lines(
    host: ResolvedHost, references: Mapping[str, Reference], content: bytes
) -> tuple[LineSources, ...]:
    """Names of settings, from the list that a release names."""
    texts = content.decode().splitlines()
    for release in host.releases.declared:
        table = references[release.name].known if release.name in references else None
        if table is not None and release.settings is not None and set(table.names) == set(texts):
            places = [table.names[text] for text in texts]
            return tuple(
                LineSources(
                    number,
                    text,
                    (Source(place, "name of a setting"),),
                    (TemplateLine(table.file, place.line, own=False),),
                    (release.settings.origin,),
                )
                for number, (text, place) in enumerate(zip(texts, places, strict=True), 1)
            )
    raise AssertionError("a list of settings that no release has")


def manifest_lines(host: ResolvedHost, fleet: FleetFile, content: bytes) -> tuple[LineSources, ...]:
    """Each entry by what it is about; everything else by the files of host and fleet."""
    releases = {release.name: release for release in host.releases.declared}
    instances = {instance.name: instance for instance in host.instances}
    whole = [host.file.span, fleet.span]
    of_whole = {"fleet": [Source(fleet.name.origin, "name")], "addresses": _addresses(host)}
    found, block = [], ""
    for number, text in enumerate(content.decode().splitlines(), 1):
        key, _, rest = text.strip().partition(": ")
        key = key.strip('"')
        if rest in ("{", "[") or text in ("},", "],"):
            block = key if rest else ""
        sources, declared = _entry(block, key, rest, text, releases, instances, host)
        sources = sources or ([] if block else of_whole.get(key, []))
        found.append(_line(number, text, sources, declared or whole))
    return tuple(found)


def _addresses(host: ResolvedHost) -> list[Source]:
    """Of the host itself, and of its instances."""
    address = host.file.address
    found = [] if address is None else [Source(address.origin, "address", address.overrode)]
    for instance in host.instances:
        found += [Source(a.origin, "address", a.overrode) for a in instance.addresses]
    return list(dict.fromkeys(found))


def _entry(
    block: str,
    key: str,
    rest: str,
    text: str,
    releases: Mapping[str, ReleaseFile],
    instances: Mapping[str, ResolvedInstance],
    host: ResolvedHost,
) -> tuple[list[Source], list[Span]]:
    data = _loaded(text)
    if "origin" in data and "kind" in data:
        return [], [place_of(place) for place in data["origin"]]
    if block == "inputs" and rest.startswith('"'):
        return [], [whole_file(key)]
    if block == "releases" and key in releases:
        pins = (releases[key].pbxctrl.sha256, releases[key].dat.sha256)
        return [Source(pin.origin, "sha256") for pin in pins], [releases[key].span]
    if block == "instances" and key in instances:
        return _of_instance(instances[key]), [instances[key].span]
    value = getattr(host.file, key, None)
    if isinstance(value, Sourced):
        return [Source(value.origin, key, value.overrode)], [host.file.span]
    return [], []


def _of_instance(instance: ResolvedInstance) -> list[Source]:
    found = [Source(a.origin, "address", a.overrode) for a in instance.addresses]
    found.append(Source(instance.directory_origin, "directory"))
    found.append(Source(instance.release_origin, "release"))
    found += [Source(one.origin, f"listen.{one.role}") for one in instance.listeners]
    for what, value in (("cpu", instance.cpu), ("rtp", instance.rtp), ("rtp", instance.rtp_bind)):
        if value is not None:
            found.append(Source(value.origin, what, value.overrode))
    return list(dict.fromkeys(found))

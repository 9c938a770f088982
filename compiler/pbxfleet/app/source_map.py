"""The sources of lines of rendered files, found when somebody asks, one file at a time."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from pbxfleet.app.fleet import Fleet
from pbxfleet.app.source_map_json import key_lines, manifest_lines, settings_lines
from pbxfleet.core.diagnostics import did_you_mean
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span
from pbxfleet.host.disk import absolute, read_file
from pbxfleet.model.manifest import MANIFEST
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.model.source_map import FileSources, place_of
from pbxfleet.model.target import Kind
from pbxfleet.pbx.layout import SETTINGS_FILE
from pbxfleet.pbx.reference import readable


class RenderedFile(NamedTuple):
    """A file of a rendered tree: the host, and its name below `rendered/<host>/`."""

    host: str
    name: str

    @property
    def path(self) -> str:
        """Its name in the repository."""
        return f"rendered/{self.host}/{self.name}"


class SourceMap:
    """Sources of the lines of a sound fleet. Hosts are rendered as they are asked for, and kept."""

    def __init__(self, fleet: Fleet) -> None:
        assert fleet.resolved is not None and fleet.desired is not None, "only of a sound fleet"
        self._fleet = fleet
        self._desired = fleet.desired
        self._hosts = {host.name: host for host in fleet.resolved.hosts}
        self._instances = {i.name: i for host in fleet.resolved.hosts for i in host.instances}
        self._trees: dict[str, Mapping[str, bytes]] = {}

    def content(self, file: RenderedFile) -> bytes:
        """The file as desired/ compiles to it now; Refused with the nearest name if there is none."""
        tree = self._tree(file.host)
        if file.name not in tree:
            hint = did_you_mean(file.name, tree)
            raise Refused(f"{file.path} is not a rendered file", hint=hint, code="MAP101")
        return tree[file.name]

    def has(self, host: str) -> bool:
        """Whether the host is declared, and compiles."""
        return host in self._hosts

    def names(self, host: str) -> tuple[str, ...]:
        """Names of all rendered files of a host."""
        return tuple(self._tree(host))

    def text(self, file: RenderedFile) -> str:
        """The text of the file; Refused as `content`."""
        return text_of(file, self.content(file))

    def lines(self, file: RenderedFile, numbers: Collection[int] | None = None) -> FileSources:
        """The sources of the lines with these numbers, the first is 1 (None: of all lines).

        Refused for a line that is not there.
        """
        content, host = self.content(file), self._hosts[file.host]
        length = _length(file, content)
        for number in numbers or ():
            if not 1 <= number <= length:
                said = f"{file.path} has {length} lines, so that there is no line {number}"
                raise Refused(said, code="MAP102")
        if file.name == MANIFEST:
            found = manifest_lines(host, self._desired.fleet, content)
        elif file.name.startswith("settings/"):
            found = settings_lines(self._instances[_stem(file.name)], content)
        elif file.name.startswith("releases/"):
            found = key_lines(host, self._fleet.references, content)
        else:
            return self._file_lines(file, host, content, length, numbers)
        asked = found if numbers is None else tuple(found[number - 1] for number in sorted(numbers))
        instance = _stem(file.name) if file.name.startswith("settings/") else ""
        return FileSources(file.path, file.host, instance, "", length, asked)

    def paths(self, host: str) -> dict[str, str]:
        """Names of the host's rendered files by their paths on the host."""
        return {r["path"]: r["source"] for r in self.resources(host) if r["source"][:5] == "root/"}

    def settings_files(self, host: str) -> dict[str, str]:
        """Names of the rendered pbx.xml of its instances, by their names."""
        settings = (r for r in self.resources(host) if r["kind"] == Kind.SETTINGS)
        return {resource["instance"]: resource["source"] for resource in settings}

    def resources(self, host: str) -> list[dict[str, Any]]:
        """The resources of the host as its manifest has them."""
        found: list[dict[str, Any]] = json.loads(self._tree(host)[MANIFEST])["resources"]
        return found

    def resource(self, file: RenderedFile) -> dict[str, Any] | None:
        """The resource whose content the file is; None for what is not put on the host."""
        self.content(file)
        return next((r for r in self.resources(file.host) if r["source"] == file.name), None)

    def declared_by(self, file: RenderedFile) -> tuple[Span, ...]:
        """What makes the file be there: of an empty one too, which has no lines."""
        resource = self.resource(file)
        return () if resource is None else tuple(map(place_of, resource["origin"]))

    def _file_lines(
        self,
        file: RenderedFile,
        host: ResolvedHost,
        content: bytes,
        length: int,
        numbers: Collection[int] | None,
    ) -> FileSources:
        from pbxfleet.render.sources.elements import element_lines
        from pbxfleet.render.sources.rendering import Wanted
        from pbxfleet.render.sources.trace import trace

        resource = self.resource(file)
        assert resource is not None, "everything else is JSON"
        owners = [n for n, i in enumerate(host.instances) if i.name == resource["instance"]]
        if resource["kind"] == Kind.SETTINGS:
            instance = host.instances[owners[0]]
            reference = self._fleet.references[instance.release.name]
            lines = element_lines(instance, reference, content, numbers)
        else:
            wanted = Wanted(HostPath(resource["path"]), owners[0] if owners else None)
            traced = trace(self._makings(host), wanted, self._fleet.templates, numbers)
            assert traced is not None and traced.content == content, "rendered the same way"
            lines = traced.lines
        return FileSources(
            file.path, file.host, resource["instance"], resource["id"], length, lines
        )

    def _makings(self, host: ResolvedHost) -> Any:
        from pbxfleet.render.sources.levers import Makings

        peers = {
            i.failover.peer: self._instances[i.failover.peer]
            for i in host.instances
            if i.failover is not None and i.failover.peer in self._instances
        }
        return Makings(self._desired.fleet.name, host, peers)

    def _tree(self, host: str) -> Mapping[str, bytes]:
        if host not in self._hosts:
            hint = did_you_mean(host, self._hosts)
            raise Refused(f"{host} is not a declared host", hint=hint, code="MAP101")
        if host not in self._trees:
            from pbxfleet.app.reading import inputs_of
            from pbxfleet.render.compile import compile_host

            fleet, resolved = self._fleet, self._fleet.resolved
            assert resolved is not None
            rendered = compile_host(
                self._hosts[host],
                resolved.fleet_name,
                resolved.deletion_budget,
                fleet.references,
                fleet.templates,
                inputs_of(fleet, host),
            )
            if rendered.value is None:
                raise Refused("the fleet has errors", hint="run pbxfleet validate")
            self._trees[host] = rendered.value.files
        return self._trees[host]


def source_map(repository: str) -> SourceMap:
    """The sources of everything that `desired/` compiles to; Refused if it has errors."""
    from pbxfleet.app.reading import read_fleet

    fleet = read_fleet(repository)
    if fleet.resolved is None or fleet.desired is None:
        raise Refused(
            "the fleet has errors, so that nobody knows what it compiles to",
            hint="run pbxfleet validate",
        )
    return SourceMap(fleet)


def source_map_of(repository: str, host: str) -> SourceMap:
    """The same for one host, without reading the whole of a large fleet where that can be told."""
    from pbxfleet.app.part_of_fleet import part_of_fleet

    there = read_file(f"{absolute(repository)}/rendered/{host}/{MANIFEST}")
    part = None if there is None else part_of_fleet(repository, host)
    known = None if there is None else source_map_in(part, host, there)
    return source_map(repository) if known is None else known


def source_map_in(fleet: Fleet | None, host: str, manifest: bytes) -> SourceMap | None:
    """The sources of a fleet, or of a part of one, if its host compiles to this very manifest."""
    if fleet is None or fleet.resolved is None or fleet.desired is None:
        return None
    known = SourceMap(fleet)
    # The manifest has the digest of every file: with this one right, all of them are.
    same = known.has(host) and known.content(RenderedFile(host, MANIFEST)) == manifest
    return known if same else None


def text_of(file: RenderedFile, content: bytes) -> str:
    """The text of a rendered file; a pbx.xml has the encoding of its reference file."""
    if file.name.endswith(f"/{SETTINGS_FILE}"):
        return readable(content)
    return content.decode("utf-8-sig", errors="replace")


def _length(file: RenderedFile, content: bytes) -> int:
    text = text_of(file, content)
    return text.count("\n") + (0 if text.endswith("\n") or not text else 1)


def _stem(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".json")

"""Contents of a target: the rendered tree of the repository, and the release files it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import Refused
from pbxfleet.host.clock import today
from pbxfleet.host.disk import digest_of_file, folder_names, read_file
from pbxfleet.model.ignoring import NOTHING_IGNORED, active
from pbxfleet.model.manifest import MANIFEST, decode, decode_fields, fields_digest
from pbxfleet.model.target import Field, Kind, Target


class Tree(Protocol):
    """A compiled target with its contents: the repository's, or that of an earlier generation."""

    host: str

    def fields(self, instance: str) -> tuple[Field, ...]:
        """The declared pbx.xml elements of an instance."""
        ...

    def rendered(self, source: str, digest: Digest) -> bytes:
        """A rendered file; Refused if it is not the one that the manifest names."""
        ...

    def artefact(self, source: str, digest: Digest) -> str:
        """Path on this machine of a release file with this digest; Refused if there is none."""
        ...

    def files(self) -> Iterable[tuple[str, bytes]]:
        """Every file by its name below `rendered/<host>/`, the manifest among them."""
        ...


class RenderedTree:
    """`rendered/<host>/` of a fleet repository, and where its release files lie.

    `artefacts` is another artefact store of this machine, which is looked into first.
    """

    def __init__(self, repository: str, host: str, artefacts: str = "") -> None:
        self.repository = repository
        self._stores = [artefacts] if artefacts else []
        self.folder = f"{repository}/rendered/{host}"
        self.host = host
        self._fields: dict[str, tuple[Field, ...]] = {}
        self._artefacts: dict[tuple[str, Digest], str] = {}
        self._declared: dict[str, Digest | None] = {}
        self._ignoring = NOTHING_IGNORED

    def target(self) -> Target:
        """The compiled target; Refused if the host was never compiled."""
        content = self.content(MANIFEST)
        if content is None:
            raise self._not_compiled()
        target = decode(content)
        self._stores.append(f"{self.repository}/{target.artefacts}")
        self._ignoring = active(target.rules.ignored, today())
        self._declared = {
            r.instance: r.fields_digest
            for r in target.resources.values()
            if r.kind is Kind.SETTINGS
        }
        return target

    def fields(self, instance: str) -> tuple[Field, ...]:
        """The declared pbx.xml elements of an instance; Refused if they are not the manifest's."""
        known = self._fields.get(instance)
        if known is None:
            source = f"settings/{instance}.json"
            known = decode_fields(self._read(source))
            if fields_digest(known) != self._declared.get(instance):
                raise self._other(source)
            known = self._ignoring.fields(instance, known)
            self._fields[instance] = known
        return known

    def rendered(self, source: str, digest: Digest) -> bytes:
        """A rendered file; Refused if it is not the one that the manifest names."""
        content = self._read(source)
        if digest_of(content) != digest:
            raise self._other(source)
        return content

    def artefact(self, source: str, digest: Digest) -> str:
        """Path of a release file with this digest, from its `file:` source or an artefact store.

        It is read once a run, however many instances need it; who copies it compares again.
        """
        known = self._artefacts.get((source, digest))
        if known is None:
            known = self._artefacts[source, digest] = self._find_artefact(source, digest)
        return known

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every rendered file by its name below `rendered/<host>/`, the manifest first."""
        manifest = self._read(MANIFEST)
        yield MANIFEST, manifest
        target = decode(manifest)
        names = {
            r.source for r in target.resources.values() if r.kind in (Kind.FILE, Kind.SETTINGS)
        }
        names |= {f"settings/{instance}.json" for instance in self._declared}
        names |= {release.settings_file for release in target.releases.values() if release.settings}
        for name in sorted(names):
            yield name, self._read(name)

    def _find_artefact(self, source: str, digest: Digest) -> str:
        hexadecimal = digest.removeprefix("sha256:")
        tried = [f"{store}/{hexadecimal}" for store in self._stores]
        if source.startswith("file:"):
            tried.insert(0, f"{self.repository}/desired/{source.removeprefix('file:')}")
        found = {path: digest_of_file(path) for path in tried}
        for path, seen in found.items():
            if seen == digest:
                return path
        wrong = [path for path, seen in found.items() if seen is not None]
        raise Refused(
            f"{wrong[0]} does not have the digest that is pinned"
            if wrong
            else f"release file {source} is not here",
            hint=f"its digest is {digest}; {_how_to_get(source)}",
            code="PLN106",
        )

    def _not_compiled(self) -> Refused:
        from pbxfleet.core.diagnostics import did_you_mean

        message = f"rendered/{self.host}/manifest.json is missing: there is no compiled target"
        declared = folder_names(f"{self.repository}/desired/hosts")
        hosts = {name.rpartition(".")[0] for name in declared if not name.startswith(".")}
        hint = "run pbxfleet compile" if self.host in hosts else did_you_mean(self.host, hosts)
        return Refused(message, hint=hint or "pbxfleet init DIR makes a fleet", code="PLN104")

    def _other(self, source: str) -> Refused:
        return Refused(
            f"rendered/{self.host}/{source} is not what the manifest says",
            hint="run pbxfleet compile",
            code="PLN105",
        )

    def content(self, source: str) -> bytes | None:
        """A file below `rendered/<host>/` as it is, None if it is not there."""
        return read_file(f"{self.folder}/{source}")

    def _read(self, source: str) -> bytes:
        content = self.content(source)
        if content is None:
            raise Refused(
                f"rendered/{self.host}/{source} is missing",
                hint="run pbxfleet compile",
                code="PLN105",
            )
        return content


def _how_to_get(source: str) -> str:
    if source.startswith("https:"):
        return "pbxfleet release fetch brings it"
    return "pbxfleet release add brings a copy from elsewhere into the artefact store"

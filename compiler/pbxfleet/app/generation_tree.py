"""The compiled target of an earlier generation, from the state folder of its host."""

from __future__ import annotations

from collections.abc import Iterable

from pbxfleet.app.generations import unpacked
from pbxfleet.app.live import read_records
from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.host.clock import today
from pbxfleet.host.disk import digest_of_file
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import State, kept_path
from pbxfleet.model.generation import Generation
from pbxfleet.model.ignoring import NOTHING_IGNORED, Ignored, active
from pbxfleet.model.manifest import MANIFEST, decode, decode_fields
from pbxfleet.model.target import FORMER, Field, Target

NO_GENERATION = "PLN170"


class GenerationTree:
    """The compiled target of a generation, from the state folder; `fields` as they are to be restored."""

    def __init__(self, state: State, machine: LocalHost, generation: Generation) -> None:
        self.host = generation.host
        self._files = unpacked(state, generation.number)
        self._machine = machine
        self._state = state
        self._fields: dict[str, tuple[Field, ...]] = {}
        self._ignoring = NOTHING_IGNORED
        self.target = target_of(generation, self._files.get(MANIFEST, b""))

    def fields(self, instance: str) -> tuple[Field, ...]:
        """The elements to restore, or (where nothing was adjusted) those that were declared then."""
        known = self._fields.get(instance)
        if known is None:
            declared = decode_fields(self._read(f"settings/{instance}.json"))
            known = self._ignoring.fields(instance, declared)
            self._fields[instance] = known
        return known

    def adjust(self, instance: str, fields: tuple[Field, ...]) -> None:
        """From now on these are the elements of an instance."""
        self._fields[instance] = self._ignoring.fields(instance, fields)

    def leave_alone(self, rules: Iterable[Ignored]) -> None:
        """From now on elements that these rules are about are written only where pbx.xml is made."""
        self._ignoring = active(tuple(rules), today())

    def rendered(self, source: str, digest: Digest) -> bytes:
        """A rendered file from then, or one from before us that is kept.

        Refused if it is not the one that the manifest names, HostError if it is not kept.
        """
        if source.startswith(FORMER):
            return self._state.kept(digest)
        content = self._read(source)
        if digest_of(content) != digest:
            raise Refused(f"{source} of the generation is damaged", code=NO_GENERATION)
        return content

    def artefact(self, source: str, digest: Digest) -> str:
        """A release file with this digest: kept when it was replaced, or used by another instance."""
        places = [kept_path(digest)]
        for record in read_records(State(self._machine)).values():
            places += [HostPath(r.path) for r in record.resources.values() if r.digest == digest]
        for place in places:
            path = self._machine.root.machine_path(place)
            if digest_of_file(path) == digest:
                return path
        raise Refused(
            f"release file {source} is not on this host any more",
            hint=f"its digest is {digest}; bring it back by applying a target that has it",
            code="PLN106",
        )

    def files(self) -> Iterable[tuple[str, bytes]]:
        """Every file of the target as it was applied then."""
        return self._files.items()

    def _read(self, source: str) -> bytes:
        content = self._files.get(source)
        if content is None:
            raise Refused(f"{source} of the generation is missing", code=NO_GENERATION)
        return content


def target_of(generation: Generation, manifest: bytes) -> Target:
    """The target that this manifest is; Refused if it is not the one that the generation had."""
    if digest_of(manifest) != generation.target:
        raise Refused(
            f"the target of generation {generation.number} is damaged", code=NO_GENERATION
        )
    return decode(manifest)

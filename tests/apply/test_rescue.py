"""What others wrote into a pbx.xml while it was replaced, and a kill left beside it, is never lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pbxfleet.app.memory import HostMemory
from pbxfleet.app.unfinished import unfinished_run
from pbxfleet.apply.inverse import take_back
from pbxfleet.apply.rescue import rescue
from pbxfleet.core.digest import digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import State, kept_path
from pbxfleet.host.temporary import LINK_FROM_BYTES
from pbxfleet.model.journal import PutValuesBack, encode_inverse
from pbxfleet.model.plan import Do
from pbxfleet.model.target import InstanceTarget
from support.targets import Wish, fleet

ALPHA = fleet(Wish("alpha")).target.instances["alpha"]
BEFORE, OURS, THEIRS, LATER = (
    f"<config><sys_name>{name}</sys_name></config>\n".encode()
    for name in ("before", "ours", "theirs", "later")
)


class Bed:
    """A host with a pbx.xml that a killed run had just put into its place, and what it displaced."""

    def __init__(self, folder: Path) -> None:
        self.machine = LocalHost(str(folder), "direct")
        self.state = State(self.machine)
        self.memory = HostMemory(self.state)
        self.instance: InstanceTarget = ALPHA
        self.place = folder / self.instance.directory.lstrip("/")
        self.place.mkdir(parents=True)
        self.path = join(self.instance.directory, "pbx.xml")
        self.file = self.place / "pbx.xml"

    def killed(self, displaced: bytes, *, journal: bool = True) -> None:
        self.file.write_bytes(BEFORE)
        self.memory.keep(digest_of(BEFORE), self.path)
        if journal:
            self.memory.log("begin", format=1, host="fra1", steps=1, target="", services="direct")
            inverse = PutValuesBack(
                self.path, self.instance, digest_of(BEFORE), digest_of(OURS), {"sys_name": "x"}
            )
            self.memory.log(
                "step",
                number=1,
                wave="alpha",
                do=Do.MERGE,
                path=self.path,
                inverse=encode_inverse(inverse),
            )
        self.file.write_bytes(OURS)
        beside = self.place / f".pbxfleet-displaced-{self.file.stat().st_ino}-1-0"
        beside.write_bytes(displaced)
        beside.chmod(0o640)

    def rescue(self) -> tuple[str, ...]:
        run = unfinished_run(self.state)
        entries = () if run is None else run.entries
        return rescue(self.machine, self.memory, [self.instance.directory], entries)

    def saved(self) -> list[bytes]:
        return [self.machine.read(kept) or b"" for _, kept in self.state.saved()]


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    return Bed(tmp_path)


def test_it_goes_back_where_nobody_wrote_since(bed: Bed) -> None:
    bed.killed(THEIRS)
    (said,) = bed.rescue()
    assert said.endswith("what was written while it was replaced is put back")
    assert bed.file.read_bytes() == THEIRS and bed.file.stat().st_mode & 0o7777 == 0o640
    assert os.listdir(bed.place) == ["pbx.xml"] and bed.saved() == []
    assert bed.rescue() == ()


def test_it_is_saved_where_somebody_wrote_since(bed: Bed) -> None:
    bed.killed(THEIRS)
    bed.file.write_bytes(LATER)
    (said,) = bed.rescue()
    assert bed.file.read_bytes() == LATER and bed.saved() == [THEIRS]
    ((path, kept),) = bed.state.saved()
    assert path == bed.path and said.endswith(f"is saved as {kept}")
    bed.state.forget_kept(())
    assert bed.saved() == [THEIRS], "no generation needs it, and it stays"


def test_it_is_saved_where_the_journal_is_gone(bed: Bed) -> None:
    bed.killed(THEIRS, journal=False)
    assert len(bed.rescue()) == 1
    assert (bed.file.read_bytes(), bed.saved()) == (OURS, [THEIRS])


def test_it_is_saved_while_something_runs(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    bed.killed(THEIRS)
    real = bed.machine.runtime

    def unreadable(instances: list[InstanceTarget]) -> object:
        return {n: r._replace(unreadable="process 1") for n, r in real(instances).items()}

    monkeypatch.setattr(bed.machine, "runtime", unreadable)
    bed.rescue()
    assert (bed.file.read_bytes(), bed.saved()) == (OURS, [THEIRS])


def own(bed: Bed) -> None:
    """Killed before the exchange: what is beside is ours, and may be half of nothing that anybody wrote."""
    bed.killed(THEIRS)
    (beside,) = (path for path in bed.place.iterdir() if path != bed.file)
    beside.rename(bed.place / f".pbxfleet-displaced-{beside.stat().st_ino}-1-0")


CLEAN: list[Callable[[Bed], None]] = [
    lambda bed: bed.killed(BEFORE),  # kept before anything was changed
    own,
]


@pytest.mark.parametrize("make", CLEAN)
def test_what_is_known_goes(bed: Bed, make: Callable[[Bed], None]) -> None:
    make(bed)
    assert bed.rescue() == ()
    assert bed.file.read_bytes() == OURS and os.listdir(bed.place) == ["pbx.xml"]
    assert bed.saved() == []


def test_what_is_left_for_a_person_survives_every_kind_of_cleaning(bed: Bed) -> None:
    bed.killed(THEIRS)
    bed.machine.sweep(HostPath(bed.instance.directory))
    assert len(os.listdir(bed.place)) == 2


def test_who_writes_in_place_does_not_change_what_is_kept(bed: Bed) -> None:
    bed.file.write_bytes(BEFORE)
    bed.memory.keep(digest_of(BEFORE), bed.path)
    bed.file.write_bytes(LATER)
    assert bed.memory.kept(digest_of(BEFORE)) == BEFORE


def test_a_large_file_is_kept_without_a_copy(bed: Bed) -> None:
    large = bytes(LINK_FROM_BYTES)
    bed.file.write_bytes(large)
    bed.memory.keep(digest_of(large), bed.path)
    place = bed.machine.root.machine_path(kept_path(digest_of(large)))
    assert os.stat(place).st_ino == bed.file.stat().st_ino


@pytest.mark.parametrize("broken", [None, b"", b"<config><sys_name>ours</sys_na"])
def test_a_file_that_the_instance_destroyed_goes_back_as_a_whole(
    bed: Bed, broken: bytes | None
) -> None:
    bed.file.write_bytes(BEFORE)
    bed.memory.keep(digest_of(BEFORE), bed.path)
    inverse = PutValuesBack(
        bed.path, bed.instance, digest_of(BEFORE), digest_of(OURS), {"sys_name": "x"}
    )
    if broken is None:
        bed.file.unlink()
    else:
        bed.file.write_bytes(broken)
    said = take_back(bed.machine, bed.memory, inverse)
    assert "is put back as it was" in said and bed.file.read_bytes() == BEFORE
    assert bed.saved() == ([] if broken is None else [broken])
    bed.file.unlink()
    bed.file.mkdir()
    with pytest.raises(HostError):
        take_back(bed.machine, bed.memory, inverse)

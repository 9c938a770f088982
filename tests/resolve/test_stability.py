"""Whatever is edited, in whatever order: nobody else moves, and nothing is held twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from pbxfleet.model.resolved import Allocation, Ledger, Thing
from pbxfleet.resolve import resolve
from pbxfleet.resolve.allocate_edit import reallocated, released, renamed
from pbxfleet.resolve.ledger_text import ledger_text
from pbxfleet.schema import read_ledger_file
from support.wishes import NO_LEDGER, fleet, host, instance, reference

REFERENCE = reference()
HOSTS = ("ber1", "fra1")
MACHINE: dict[str, dict[str, Any]] = {
    name: {
        "addresses": [f"{net}.10-{net}.19", f"2001:db8:{part}::10-2001:db8:{part}::1f"],
        "cpus": "0-11",
        "rtp": "50000-60999",
        "rtp_block": 1000,
        "ports": "8000-8099",
        "directory": "/usr/local/pbx-{number}",
    }
    for name, net, part in (("ber1", "192.0.2", "b"), ("fra1", "203.0.113", "f"))
}
NAMES = st.sampled_from([f"i{n}" for n in range(9)])
WISHES = st.fixed_dictionaries(
    {
        "host": st.sampled_from(HOSTS),
        "address": st.sampled_from(["auto", ["auto-ipv6", "auto"], ["auto", "auto-ipv4"]]),
        "cpu": st.sampled_from(["auto", "off"]),
        "ports": st.sampled_from(["auto", "off"]),
    }
)
EDITS = st.one_of(
    st.tuples(st.just("add"), NAMES, WISHES),
    st.tuples(st.just("remove"), NAMES),
    st.tuples(st.just("move"), NAMES, NAMES),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("release"), NAMES),
    st.tuples(st.just("reallocate"), NAMES),
    st.tuples(st.just("reserve"), st.sampled_from(HOSTS), st.integers(10, 19)),
)


@dataclass
class Repository:
    """Desired files, and the ledger that each compile writes and the next one reads."""

    wishes: dict[str, dict[str, Any]] = field(default_factory=dict)
    reserved: dict[str, set[str]] = field(default_factory=lambda: {h: set() for h in HOSTS})
    ledger: Ledger = NO_LEDGER
    policy: str = "keep"

    def compile(self) -> bool:
        """Whether it is accepted; only then the ledger is written."""
        hosts = [host(h, **MACHINE[h], reserved=sorted(self.reserved[h])) for h in HOSTS]
        instances = [instance(name, **{**says}) for name, says in self.wishes.items()]
        resolution = resolve(
            fleet(*hosts, *instances, tombstones=self.policy), REFERENCE, self.ledger
        )
        if resolution.outcome.value is None:
            return False
        text = ledger_text(resolution.ledger)
        read = read_ledger_file("desired/ledger.toml", text)
        assert read.value is not None
        self.ledger = read.value
        return True

    def edit(self, what: str, *words: Any) -> set[str]:
        """Do it, if it can be done; the names of those that it is about."""
        name = words[0]
        match what:
            case "add" if name not in self.wishes:
                self.wishes[name] = dict(words[1])
            case "remove":
                self.wishes.pop(name, None)
            case "move" | "rename" if name in self.wishes and words[1] not in self.known():
                self.wishes[words[1]] = self.wishes.pop(name)
                if what == "move":
                    self.ledger = renamed(self.ledger, name, words[1])
                return {name, words[1]}
            case "release" if name in self.ledger.tombstones:
                self.ledger = released(self.ledger, [name])
            case "reallocate" if name in self.ledger.allocations:
                self.ledger = reallocated(self.ledger, name, None)
            case "reserve":
                text = f"{'192.0.2' if name == 'ber1' else '203.0.113'}.{words[1]}"
                if text not in {t.text for t in self.things()}:
                    self.reserved[name].add(text)
                return set()
        return {name}

    def known(self) -> set[str]:
        return {*self.wishes, *self.ledger.allocations, *self.ledger.tombstones}

    def entries(self) -> dict[str, Allocation]:
        return {**self.ledger.tombstones, **self.ledger.allocations}

    def things(self) -> list[Thing]:
        return [thing for entry in self.entries().values() for thing in entry.things]


def held(entry: Allocation) -> tuple[str, frozenset[Thing]]:
    return entry.host, frozenset(entry.things)


@given(st.lists(EDITS, min_size=1, max_size=12))
def test_no_edit_moves_anybody_else(edits: list[tuple[Any, ...]]) -> None:
    repository = Repository()
    for edit in edits:
        before = {**repository.entries()}
        wishes, reserved = (
            dict(repository.wishes),
            {h: {*r} for h, r in repository.reserved.items()},
        )
        ledger = repository.ledger
        about = repository.edit(*edit)
        if not repository.compile():  # a full host; the edit is taken back
            repository.wishes, repository.reserved, repository.ledger = wishes, reserved, ledger
            continue
        after = repository.entries()
        for name in before.keys() - about:
            assert held(after[name]) == held(before[name]), (edit, name)
        everything = [(e.host, thing) for e in after.values() for thing in e.things]
        assert len(everything) == len(set(everything))
        assert repository.wishes.keys() == repository.ledger.allocations.keys()


@given(st.dictionaries(NAMES, WISHES, min_size=1, max_size=6), st.data())
def test_a_rename_with_move_keeps_and_without_it_leaves_a_tombstone(
    wishes: dict[str, dict[str, Any]], data: st.DataObject
) -> None:
    old = data.draw(st.sampled_from(sorted(wishes)))
    for what in ("move", "rename"):
        repository = Repository(dict(wishes))
        assume(repository.compile())
        before = repository.entries()[old]
        repository.edit(what, old, "new")
        assume(repository.compile())  # the host may be full with what the old one keeps
        if what == "move":
            assert held(repository.ledger.allocations["new"]) == held(before)
            assert old not in repository.known()
        else:
            assert held(repository.ledger.tombstones[old]) == held(before)
            new = repository.ledger.allocations["new"]
            assert new.host != before.host or not {*new.things} & {*before.things}


@given(st.dictionaries(NAMES, WISHES, min_size=1, max_size=6), st.data())
def test_reuse_hands_out_what_is_gone(
    wishes: dict[str, dict[str, Any]], data: st.DataObject
) -> None:
    repository = Repository(dict(wishes), policy="reuse")
    assume(repository.compile())
    gone = data.draw(st.sampled_from(sorted(wishes)))
    before = held(repository.ledger.allocations[gone])
    repository.wishes["new"] = repository.wishes.pop(gone)
    assert repository.compile()
    assert held(repository.ledger.allocations["new"]) == before
    assert repository.ledger.tombstones == {}

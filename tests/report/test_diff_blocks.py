"""Blocks of a diff: nothing is lost, and what is equal is said once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.revisions import Effect
from pbxfleet.model.target import Impact
from pbxfleet.report.diff_blocks import blocks, essence, members, places, restored
from pbxfleet.report.diff_text import diff_text
from support.diffs import diff_of, effect

NAMES = st.sampled_from(["acme", "a", "inst-1", "inst-2", "x{y}", "7"])
VALUES = st.one_of(
    st.none(), st.sampled_from(["", "acme", "PBX inst-1", "PBX inst-2", "{instance}", "}", "7"])
)
EFFECTS = st.lists(
    st.builds(
        lambda name, before, after, impact: effect("h", name, [("f", before, after)], impact),
        NAMES,
        VALUES,
        VALUES,
        st.sampled_from(list(Impact)),
    ),
    max_size=8,
)


@given(EFFECTS)
def test_unfolding_gives_the_original(effects: list[Effect]) -> None:
    found = [(e, restored(block, e)) for block in blocks(effects) for e in block.effects]
    assert sorted((e for e, _ in found), key=repr) == sorted(effects, key=repr)
    assert all(said == essence(e) for e, said in found)


def test_the_same_change_of_many_takes_the_room_of_one() -> None:
    sizes = {
        count: len(
            diff_text(
                diff_of([effect("h", f"inst-{n:04}", [("f", "1", "2")]) for n in range(count)])
            )
        )
        for count in (100, 1000)
    }
    assert abs(sizes[1000] - sizes[100]) < 20


def test_exceptions_stand_apart() -> None:
    effects = [effect("h", f"inst-{n:02}", [("level", "5", "6")]) for n in range(1, 97)]
    effects[40] = effect("h", "inst-41", [("level", "4", "6")])
    found = diff_of(effects)
    titles = [members(block, found.hosts) for block in blocks(found.effects)]
    assert titles == ["all 96 instances but inst-41", "inst-41"]


def test_names_of_several_hosts_are_said_by_host() -> None:
    effects = [effect(f"h{h}", f"c{h}x{i}", [("f", "1", "2")]) for h in range(5) for i in range(8)]
    effects.append(effect("other", "acme", [("f", "1", "2")]))
    (block,) = blocks(effects)
    assert members(block, diff_of(effects).hosts) == "h0..h4: all 8 instances; other: acme"


def test_places_fold_as_the_change_does() -> None:
    effects = [effect("h", f"inst-{n}", [("f", "1", "2")]) for n in range(3)]
    (block,) = blocks(effects)
    found = places(block, 0, 0)
    assert found.place == "desired/instances/{instance}.toml:1:1"
    assert (found.one, found.others) == ("desired/instances/inst-0.toml:1:1", 0)

"""Folding says less and loses nothing: unfolding gives back what there was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.folding import Fold, filled, fold, natural, ranges, spread, unfold


class Item(NamedTuple):
    """A change as a test has it: whose, and what."""

    name: str
    address: str
    fields: tuple[tuple[str, str | None], ...]


def essence(item: Item) -> tuple[object, ...]:
    return ("update", item.fields)


def words(item: Item) -> Mapping[str, str]:
    return {"instance": item.name, "address": item.address}


NAMES = st.sampled_from(["a", "7", "inst-1", "inst-10", "acme", "update", "{instance}"])
ADDRESSES = st.sampled_from(["", "10.0.0.1", "10.0.0.10", "2001:db8::1", "7"])
BRACES = ["{", "}", "{{", "{instance}", "{address}", "{}"]
OWN = ["inst-1", "inst-10", "acme", "a", "7", "10.0.0.1", "10.0.0.10", "2001:db8::1"]
PIECES = st.sampled_from([*BRACES, *OWN, " ", ":", "x", "0", "ä", "%s", "\x00"])
TEXTS = st.lists(PIECES, max_size=5).map("".join)
FIELDS = st.lists(st.tuples(TEXTS, st.none() | TEXTS), max_size=2).map(tuple)
ITEMS = st.lists(st.builds(Item, NAMES, ADDRESSES, FIELDS), max_size=12)


@given(ITEMS)
def test_unfolding_gives_every_item_with_what_it_said(items: list[Item]) -> None:
    found = list(unfold(fold(items, essence, words), words))
    assert sorted(found, key=repr) == sorted(((i, essence(i)) for i in items), key=repr)


@given(ITEMS)
def test_what_is_equal_is_folded_with_and_without_own_words(items: list[Item]) -> None:
    plain = fold(items, essence)
    assert len(plain) == len({essence(item) for item in items})
    assert len(fold(items, essence, words)) <= len(plain)


@given(ITEMS)
def test_folds_are_in_order_of_their_first_items(items: list[Item]) -> None:
    numbered = list(enumerate(items))
    folds = fold(numbered, lambda pair: essence(pair[1]), lambda pair: words(pair[1]))
    firsts = [found.items[0][0] for found in folds]
    assert firsts == sorted(firsts)
    assert all(list(f.items) == sorted(f.items) for f in folds)


def item(number: int, *values: str) -> Item:
    return Item(
        f"inst-{number:02}", f"10.0.0.{number}", tuple((f"f{n}", v) for n, v in enumerate(values))
    )


def numbers(found: tuple[Fold[Item], ...]) -> list[str]:
    return [ranges(i.name for i in f.items) for f in found]


def test_own_names_and_addresses_do_not_stand_in_the_way() -> None:
    items = [item(n, f"PBX inst-{n:02}", f"10.0.0.{n}:5060 [::1]:80") for n in range(1, 97)]
    (found,) = fold(items, essence, words)
    assert found.is_general
    assert found.pattern == (
        "update",
        (("f0", "PBX {instance}"), ("f1", "{address}:5060 [::1]:80")),
    )


def test_exceptions_stand_apart_and_say_what_they_say() -> None:
    items = [item(n, "7" if n != 40 else "{8}") for n in range(1, 97)]
    folds = fold(items, essence, words)
    assert numbers(folds) == ["inst-01..inst-39, inst-41..inst-96", "inst-40"]
    assert filled(folds[1].pattern, {}) == ("update", (("f0", "{8}"),))
    assert not folds[1].is_general


def test_an_own_word_that_stands_there_by_chance_is_no_exception() -> None:
    """The level of all is 7, and one instance is called 7: it says the same as the others."""
    items = [Item(str(n), "", (("name", f"PBX {n}"), ("level", "7"))) for n in range(1, 12)]
    (found,) = fold(items, essence, words)
    assert found.pattern == ("update", (("name", "PBX {instance}"), ("level", "7")))


def test_an_own_word_within_another_word_is_not_its_own() -> None:
    items = [Item("pbx", "", (("f", "pbxes"),)), Item("box", "", (("f", "boxes"),))]
    assert len(fold(items, essence, words)) == 2


def test_a_named_tuple_stays_one() -> None:
    class Pair(NamedTuple):
        name: str
        value: str | None

    (found,) = fold(["a", "b"], lambda name: (Pair(name, None), 3), lambda name: {"instance": name})
    assert found.pattern == (Pair("{instance}", None), 3)
    assert isinstance(found.pattern[0], Pair)


def test_what_many_have_in_common_takes_no_more_room_than_what_few_have() -> None:
    sizes = {
        count: len(repr(fold([item(n, "3") for n in range(count)], essence, words)[0].pattern))
        for count in (2, 1000)
    }
    assert sizes[2] == sizes[1000]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), ""),
        (("b", "a"), "a, b"),
        (("a1", "a2"), "a1, a2"),
        (("a1", "a2", "a3", "a2"), "a1..a3"),
        (("inst-08", "inst-09", "inst-10", "inst-11"), "inst-08..inst-11"),
        (("a8", "a9", "a10", "a11", "a9b"), "a8..a11, a9b"),
        (("h2x1", "h10x1", "h2x3", "h2x2"), "h2x1..h2x3, h10x1"),
        (("1", "2", "3", "05", "06"), "1..3, 05, 06"),
    ],
)
def test_consecutive_names_are_a_range(names: tuple[str, ...], said: str) -> None:
    assert ranges(names) == said
    assert set(spread(said)) == set(names)


@given(st.sets(st.from_regex(r"[a-c]?-?[0-9]{0,3}[ab]?", fullmatch=True).filter(bool)))
def test_a_range_gives_its_names_back(names: set[str]) -> None:
    assert sorted(spread(ranges(names)), key=natural) == sorted(names, key=natural)


@pytest.mark.parametrize("text", ["a..b", "a3..a1", "a1..b3"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        spread(text)

"""Placement is exact: it agrees with trying everything, and a first guess alone would not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.resolve.placement import Needs, Room, Unit, least_missing, most_placed

HOSTS = ("h1", "h2", "h3")
RESOURCES = ("address", "core", "!apart")
needs = st.dictionaries(st.sampled_from(RESOURCES), st.integers(0, 2))
options = st.lists(st.dictionaries(st.sampled_from(HOSTS), needs), max_size=5)
rooms = st.fixed_dictionaries(
    {host: st.dictionaries(st.sampled_from(RESOURCES), st.integers(0, 3)) for host in HOSTS}
)
Price = Callable[[str], int | None]


def units(listed: Sequence[Mapping[str, Needs]]) -> list[Unit]:
    return [Unit(f"u{number}", said) for number, said in enumerate(listed)]


def is_hard(resource: str) -> bool:
    return resource.startswith("!")


def cost_of(us: Sequence[Unit], hosts: Sequence[str], room: Room, price: Price, skip: int) -> int:
    """What one assignment costs; -1 if it cannot be. No host is the empty name."""
    cost, used = skip * hosts.count(""), dict[tuple[str, str], int]()
    for unit, host in zip(us, hosts, strict=True):
        for resource, amount in unit.options[host].items() if host else ():
            used[host, resource] = used.get((host, resource), 0) + amount
    for (host, resource), amount in used.items():
        missing = max(0, amount - room[host].get(resource, 0))
        each = price(resource)
        if missing and each is None:
            return -1
        cost += missing * (each or 0)
    return cost


def cheapest(us: Sequence[Unit], room: Room, price: Price, skip: int) -> int:
    """The least cost of all assignments."""
    ways = product(*([*unit.options, ""] for unit in us))
    costs = (cost_of(us, way, room, price, skip) for way in ways)
    return min(cost for cost in costs if cost >= 0)


@given(options, rooms)
def test_as_many_are_placed_as_can_be(listed: list[Mapping[str, Needs]], room: Room) -> None:
    us = units(listed)
    found = most_placed(us, room)
    assert found.proven
    assert found.cost == len(us) - len(found.where) == cheapest(us, room, lambda _: None, 1)
    hosts = [found.where.get(unit.name, "") for unit in us]
    assert cost_of(us, hosts, room, lambda _: None, 1) == found.cost


@given(options, rooms)
def test_as_little_is_missing_as_can_be(listed: list[Mapping[str, Needs]], room: Room) -> None:
    def price(resource: str) -> int | None:
        return None if is_hard(resource) else 1

    us = units(listed)
    found = least_missing(us, room, is_hard)
    hosts = [found.where.get(unit.name, "") for unit in us]
    left_out = hosts.count("")
    missing = cost_of(us, hosts, room, price, 0)
    # First as few as possible are left out, then as little as possible is missing.
    dear = 1000
    assert left_out * dear + missing == cheapest(us, room, price, dear)
    assert found.proven


@given(options, rooms, st.randoms(use_true_random=False))
def test_the_order_of_the_question_does_not_matter(
    listed: list[Mapping[str, Needs]], room: Room, random: Random
) -> None:
    us = units(listed)
    shuffled = sorted(us, key=lambda _: random.random())
    assert most_placed(us, room) == most_placed(shuffled, room)
    assert least_missing(us, room, is_hard) == least_missing(shuffled, room, is_hard)


def test_who_can_go_anywhere_makes_room_for_who_cannot() -> None:
    """The first host with room for each in turn would leave the second without."""
    choosy = Unit("b", {"h1": {"address": 1}})
    easy = Unit("a", {"h1": {"address": 1}, "h2": {"address": 1}})
    found = most_placed([easy, choosy], {"h1": {"address": 1}, "h2": {"address": 1}})
    assert found.where == {"a": "h2", "b": "h1"}


def test_a_first_guess_is_not_believed() -> None:
    """Both have two hosts to choose from; the first one's first choice is the other's only room."""
    first = Unit("a", {"h1": {"address": 1}, "h2": {"address": 1}})
    second = Unit("b", {"h1": {"address": 1}, "h3": {"address": 1}})
    room = {"h1": {"address": 1}, "h2": {"address": 1}, "h3": {"address": 0}}
    assert most_placed([first, second], room).where == {"a": "h2", "b": "h1"}
    assert least_missing([first, second], room, is_hard).cost == 0


def test_two_resources_that_are_never_on_one_host() -> None:
    room = {"h1": {"address": 9, "core": 0}, "h2": {"address": 0, "core": 9}}
    both = {host: {"address": 1, "core": 1} for host in room}
    us = [Unit(f"u{number}", both) for number in range(9)]
    assert most_placed(us, room).where == {}
    assert least_missing(us, room, is_hard).cost == 9


def test_many_units_on_many_hosts() -> None:
    """Forty of three kinds, a hundred hosts that have room for one of each kind: proven at once."""
    room = {f"h{number:02}": {"address": 3, "core": 2} for number in range(100)}
    kinds: tuple[Needs, ...] = (
        {"address": 1},
        {"address": 1, "core": 1},
        {"address": 2, "core": 1},
    )
    us = [Unit(f"u{n:02}", dict.fromkeys(room, kinds[n % 3])) for n in range(40)]
    found = most_placed(us, room)
    assert (found.cost, found.proven) == (0, True)
    full = {host: {"address": 0, "core": 0} for host in room}
    lacking = least_missing(us, full, is_hard)
    assert (lacking.cost, lacking.proven) == (14 + 13 * 2 + 13 * 3, True)

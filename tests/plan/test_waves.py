"""The order of waves: nobody takes a bind before its holder has let go of it."""

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath
from pbxfleet.model.applied import AppliedRecord, Proof
from pbxfleet.model.observed import ProcessSeen, RuntimeSeen, SocketSeen
from pbxfleet.model.target import ExpectedListener, InstanceTarget
from pbxfleet.plan.waves import holdings, waves


def instance(name: str, *addresses: str, port: int = 80) -> InstanceTarget:
    directory = HostPath(f"/srv/{name}")
    listeners = tuple(ExpectedListener("tcp", a, port) for a in addresses)
    executable = HostPath(f"{directory}/pbxctrl")
    return InstanceTarget(
        name, directory, f"pbx-{name}", executable, Digest(""), HostPath(f"/run/{name}.pid"),
        None, listeners, addresses, None, None, None, "",
    )  # fmt: skip


def record(name: str, *addresses: str) -> AppliedRecord:
    return AppliedRecord(name, instance(name, *addresses), {}, Proof(()))


def running(*addresses: str, port: int = 80) -> RuntimeSeen:
    sockets = tuple(SocketSeen("tcp", a, port, 7) for a in addresses)
    return RuntimeSeen((ProcessSeen((7,), 7, (0,), False, sockets),), "")


def order(now: dict[str, str], before: dict[str, str]) -> tuple[tuple[str, ...], ...]:
    targets = {n: instance(n, a) for n, a in now.items()}
    held = holdings({n: record(n, a) for n, a in before.items()}, {})
    return waves(list(now), [], targets, held)


def test_without_shared_binds_the_names_decide() -> None:
    assert order({"b": "2", "a": "1"}, {}) == (("a",), ("b",))


def test_who_takes_over_a_bind_waits_for_its_holder() -> None:
    assert order({"a": "2", "b": "3"}, {"a": "1", "b": "2"}) == (("b",), ("a",))


def test_two_that_swap_are_interrupted_together() -> None:
    assert order({"a": "2", "b": "1", "c": "3"}, {"a": "1", "b": "2"}) == (("a", "b"), ("c",))


def test_three_in_a_ring_are_interrupted_together() -> None:
    now, before = {"a": "2", "b": "3", "c": "1"}, {"a": "1", "b": "2", "c": "3"}
    assert order(now, before) == (("a", "b", "c"),)


def test_removed_instances_come_first() -> None:
    targets = {"a": instance("a", "1")}
    held = holdings({"z": record("z", "1")}, {})
    assert waves(["a"], ["z"], targets, held) == (("z",), ("a",))


def test_what_processes_hold_counts_where_nothing_was_ever_applied() -> None:
    targets = {"a": instance("a", "2"), "b": instance("b", "3")}
    held = holdings({}, {"a": running("1"), "b": running("2")})
    assert waves(["a", "b"], [], targets, held) == (("b",), ("a",))


def test_a_wildcard_holds_every_address_of_its_family() -> None:
    targets = {"a": instance("a", "192.0.2.1"), "b": instance("b", "192.0.2.2")}
    held = holdings({}, {"b": running("0.0.0.0")})
    assert waves(["a", "b"], [], targets, held) == (("b",), ("a",))
    targets["a"] = instance("a", "2001:db8::1")
    assert waves(["a", "b"], [], targets, held) == (("a",), ("b",))
    assert waves(["a", "b"], [], targets, holdings({}, {"b": running("::")})) == (("b",), ("a",))


def test_another_port_of_the_same_address_is_nobodys_concern() -> None:
    targets = {"a": instance("a", "1", port=81), "b": instance("b", "2")}
    held = holdings({}, {"b": running("1")})
    assert waves(["a", "b"], [], targets, held) == (("a",), ("b",))


names = st.sampled_from("abcdef")
places = st.dictionaries(names, st.sampled_from("123456"), min_size=1)


@given(places, places)
def test_everybody_has_one_turn_and_nobody_is_early(
    now: dict[str, str], before: dict[str, str]
) -> None:
    before = {n: a for n, a in before.items() if n in now}
    turns = {name: turn for turn, group in enumerate(order(now, before)) for name in group}
    assert sorted(turns) == sorted(now)
    for holder, address in before.items():
        for name, wanted in now.items():
            if wanted == address:
                assert turns[holder] <= turns[name]

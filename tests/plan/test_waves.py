"""The order of waves: nobody takes a bind before its holder has let go of it."""

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath
from pbxfleet.model.applied import AppliedRecord, Proof
from pbxfleet.model.target import ExpectedListener, InstanceTarget
from pbxfleet.plan.waves import waves


def instance(name: str, *addresses: str) -> InstanceTarget:
    directory = HostPath(f"/srv/{name}")
    listeners = tuple(ExpectedListener("tcp", a, 80) for a in addresses)
    executable = HostPath(f"{directory}/pbxctrl")
    return InstanceTarget(
        name, directory, f"pbx-{name}", executable, Digest(""), HostPath(f"/run/{name}.pid"),
        None, listeners, addresses, None, None, None, "",
    )  # fmt: skip


def record(name: str, *addresses: str) -> AppliedRecord:
    return AppliedRecord(name, instance(name, *addresses), {}, Proof(()))


def order(now: dict[str, str], before: dict[str, str]) -> tuple[tuple[str, ...], ...]:
    targets = {n: instance(n, a) for n, a in now.items()}
    return waves(list(now), [], targets, {n: record(n, a) for n, a in before.items()})


def test_without_shared_binds_the_names_decide() -> None:
    assert order({"b": "2", "a": "1"}, {}) == (("a",), ("b",))


def test_who_takes_over_a_bind_waits_for_its_holder() -> None:
    assert order({"a": "2", "b": "3"}, {"a": "1", "b": "2"}) == (("b",), ("a",))


def test_two_that_swap_are_interrupted_together() -> None:
    assert order({"a": "2", "b": "1", "c": "3"}, {"a": "1", "b": "2"}) == (("a", "b"), ("c",))


def test_removed_instances_come_first() -> None:
    targets = {"a": instance("a", "1")}
    assert waves(["a"], ["z"], targets, {"z": record("z", "1")}) == (("z",), ("a",))


names = st.sampled_from("abcdef")
places = st.dictionaries(names, st.sampled_from("123456"), min_size=1)


@given(places, places)
def test_everybody_has_one_turn_and_nobody_is_early(
    now: dict[str, str], before: dict[str, str]
) -> None:
    before = {n: a for n, a in before.items() if n in now}
    turns = {name: turn for turn, group in enumerate(order(now, before)) for name in group}
    assert sorted(turns) == sorted(now)
    holders = {}
    for name in sorted(before):
        holders[before[name]] = name  # two holders of one bind never come from one apply
    for name, address in now.items():
        holder = holders.get(address, name)
        assert turns[holder] <= turns[name]

"""Layering: the nearest layer wins, and nothing that it hides is forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.span import Span
from pbxfleet.model.backup import BackupPart
from pbxfleet.model.desired import Layer, Role, Sourced
from pbxfleet.resolve.layers import join
from support.wishes import File, layer

SAYS = st.fixed_dictionaries(
    {},
    optional={
        "release": st.sampled_from(["70.4", "70.5"]),
        "address": st.lists(
            st.sampled_from(["203.0.113.10", "auto", "auto-ipv6"]), min_size=1, max_size=2
        ),
        "cpu": st.sampled_from(["auto", "off", 3]),
        "listen": st.dictionaries(st.sampled_from(["http", "https"]), st.sampled_from([80, "off"])),
        "rtp": st.sampled_from(["auto", "49152-50175"]),
        "failover": st.fixed_dictionaries(
            {}, optional={"role": st.just("primary"), "peer": st.just("beta")}
        ),
        "recordings": st.booleans(),
        "settings": st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["1", "2"])),
        "tenants": st.lists(st.sampled_from(["a.example", "b.example"]), min_size=1, max_size=2),
    },
)


def layers(file: str) -> st.SearchStrategy[Layer]:
    return SAYS.map(lambda says: layer(File(file), **says))


def said(one: Layer) -> dict[str, tuple[object, Span, tuple[Span, ...]]]:
    """Everything that a layer says: value, place and what it hides, by a name for the key."""
    found: dict[str, Sourced[object]] = {}
    single = {
        "release": one.release,
        "cpu": one.cpu,
        "rtp": one.rtp,
        "role": one.failover.role,
        "peer": one.failover.peer,
        "recordings": one.backup.kept.get(BackupPart.RECORDINGS),
    }
    found |= {key: value for key, value in single.items() if value is not None}
    found |= {f"listen.{role}": value for role, value in one.listen.items()}
    found |= {f"settings.{name}": value for name, value in one.settings.items()}
    found |= {f"address.{at}": value for at, value in enumerate(one.address or ())}
    found |= {f"tenants.{at}": value for at, value in enumerate(one.tenants or ())}
    return {key: (value.value, value.origin, value.overrode) for key, value in found.items()}


@given(layers("instance"), layers("host"), layers("fleet"))
def test_joining_is_associative(instance: Layer, host: Layer, fleet: Layer) -> None:
    left = join(join(instance, host), fleet)
    right = join(instance, join(host, fleet))
    assert said(left) == said(right)


@given(layers("instance"))
def test_a_silent_layer_changes_nothing(instance: Layer) -> None:
    assert said(join(instance, Layer())) == said(join(Layer(), instance)) == said(instance)


@given(layers("instance"), layers("host"))
def test_the_nearer_layer_wins_and_keeps_what_it_hides(instance: Layer, host: Layer) -> None:
    near, far, both = said(instance), said(host), said(join(instance, host))
    lists = ("address", "tenants")
    for key, (value, origin, overrode) in both.items():
        group = key.partition(".")[0]
        if key in near:
            assert (value, origin) == near[key][:2]
            hidden = far.get(f"{group}.0" if group in lists else key)
            assert overrode == (() if hidden is None else (hidden[1],))
        else:
            assert (value, origin, overrode) == far[key]
            assert not (group in lists and f"{group}.0" in near)


def test_one_port_of_the_fleet_can_be_changed_without_the_others() -> None:
    fleet = layer(File("fleet"), listen={"http": 80, "https": 443})
    joined = join(layer(File("instance"), listen={"http": 8080}), fleet)
    assert {role: wish.value for role, wish in joined.listen.items()} == {
        Role.HTTP: 8080,
        Role.HTTPS: 443,
    }

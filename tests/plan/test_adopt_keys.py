"""Which drift has a key of the format, and which edit is not made."""

from __future__ import annotations

import pytest

from pbxfleet.app.adopt_drift import written
from pbxfleet.app.adopt_wishes import Words, found_in
from pbxfleet.app.fleet import Fleet
from pbxfleet.app.reading import read_fleet
from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span
from pbxfleet.model.adopting import Adoption, AdoptLayer, Wish
from pbxfleet.model.plan import Change, FieldDelta, Status, Verb
from pbxfleet.model.target import Impact, Kind
from pbxfleet.plan.diff import Difference
from pbxfleet.plan.releases import How, Switch
from support.adopt_site import made


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return read_fleet(str(made(tmp_path_factory.mktemp("keys")).repo))


def test_an_edit_that_does_not_reach_the_instance_is_not_made(fleet: Fleet) -> None:
    place = Span("desired/fleet.toml", 1, 1, 1, 1)
    wish = Wish("alpha", "settings:x", "sys_name", ("settings", "sys_name"), "Other", place)
    keys = ("defaults", *wish.keys)
    one = Adoption("desired/fleet.toml", AdoptLayer.FLEET, keys, "Other", (wish,), "asked for")
    done = written(fleet, [one], AdoptLayer.FLEET)
    assert done.adoptions == () and done.left_out[0].why == "a nearer layer says otherwise"


@pytest.mark.parametrize(("name", "value"), [("pw_pass", "in clear"), ("sys_name", "(secret)")])
def test_a_secret_is_never_adopted_wherever_it_shows(fleet: Fleet, name: str, value: str) -> None:
    assert fleet.resolved is not None
    instances = {one.name: one for one in fleet.resolved.hosts[0].instances}
    field = FieldDelta(name, value, "declared", Status.DRIFT, "desired/x:1:1")
    path = HostPath("/usr/local/pbx-alpha/pbx.xml")
    change = Change(
        "settings:x", Kind.SETTINGS, "alpha", path, Status.DRIFT, Verb.UPDATE, Impact.RESTART, "",
        (field,), (),
    )  # fmt: skip
    found = found_in(Difference((change,), ()), Words({}, instances))
    assert found.wishes == () and "a secret is never adopted" in found.left_out[0].why


def test_cores_and_releases_have_keys_and_services_have_none(fleet: Fleet) -> None:
    assert fleet.resolved is not None
    instances = {one.name: one for one in fleet.resolved.hosts[0].instances}
    fields = tuple(
        FieldDelta(name, before, "", Status.DRIFT, "desired/x:1:1")
        for name, before in (("cpu", "5"), ("enabled", "no"), ("process", "restarted"))
    )
    change = Change(
        "service:pbx-beta", Kind.SERVICE, "beta", HostPath("/x"), Status.DRIFT, Verb.ENABLE,
        Impact.NONE, "", fields, (),
    )  # fmt: skip
    several = change._replace(fields=(fields[0]._replace(before="2-5"),))
    replaced = Switch("alpha", "artefact:/x", How.REPLACED, "70.6", "70.5", "up")
    unknown = replaced._replace(instance="gamma", before="")
    words = Words({}, instances)
    found = found_in(Difference((change,), (), (replaced, unknown)), words)
    assert [(w.instance, w.keys, w.value) for w in found.wishes] == [
        ("alpha", ("release",), "70.6"),
        ("beta", ("cpu",), "5"),
    ]
    why = {one.name: one.why for one in found.left_out}
    assert "no key says otherwise" in why["enabled"] and "does not declare" in why["release"]
    (left,) = found_in(Difference((several,), ()), words).left_out
    assert "several cores" in left.why

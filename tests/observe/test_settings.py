"""Reading a live pbx.xml as far as it is declared, and trying out what would be written."""

from __future__ import annotations

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.model.applied import AppliedResource
from pbxfleet.model.observed import SettingsSeen
from pbxfleet.model.target import SEEDED, Field, Impact
from pbxfleet.observe.observe import known_instances, read_settings
from support.machine import Machine, applied, records_on
from support.targets import Wish, fleet

PATH = HostPath("/srv/pbx.xml")


def field(
    name: str, value: str | None, ownership: str = "owned", secret: str | None = None
) -> Field:
    return Field(name, value, secret, ownership, Impact.RESTART, name, "x:1:1", ())


def applied_with(**fields: str | None) -> AppliedResource:
    return AppliedResource("settings", PATH, "", 0o600, "", None, fields, None)


def seen(text: str, *fields: Field, before: AppliedResource | None = None) -> SettingsSeen:
    machine = Machine()
    machine.write(PATH, text.encode(), 0o600, "root:root")
    return read_settings(machine, PATH, fields, before)


def test_every_declared_name_has_a_value() -> None:
    found = seen("<c><a>1</a><b/><x>9</x></c>", field("a", "1"), field("b", ""), field("n", None))
    assert found == SettingsSeen({"a": "1", "b": "", "n": None}, frozenset(), "", "")


def test_an_encrypted_element_has_no_value() -> None:
    found = seen('<c><a encrypted="true">9f</a></c>', field("a", "1"))
    assert found.opaque == {"a"} and found.values == {"a": None} and not found.refused


def test_a_problem_has_its_place() -> None:
    assert seen("<c>\n <a>\n</c>", field("a", "1")).problem.startswith("/srv/pbx.xml:3:1: ")
    assert seen("", field("a", "1")).problem == "/srv/pbx.xml:1:1: the file is empty"


def test_a_file_that_vanished_or_may_not_be_read_is_a_problem() -> None:
    machine = Machine()
    assert read_settings(machine, PATH, (), None).problem == "the file vanished while it was read"

    class Forbidden(Machine):
        def read(self, path: HostPath) -> bytes | None:
            raise HostError(path, "permission denied", 13)

    assert read_settings(Forbidden(), PATH, (), None).problem == "/srv/pbx.xml: permission denied"


def test_an_edit_that_would_be_refused_is_found() -> None:
    assert "holds other elements" in seen("<c><a><b/></a></c>", field("a", "1")).refused
    assert "occurs more than once" in seen("<c><a>1</a><a>2</a></c>", field("a", "2")).refused
    assert "occurs more than once" in seen("<c><a>1</a><a>2</a></c>", field("a", "1")).refused
    assert "cannot write" in seen("<c><a>1</a></c>", field("a", "\x01")).refused
    assert "cannot be the name" in seen("<c/>", field("1a", "x")).refused


def test_what_would_not_be_written_need_not_be_writable() -> None:
    twice = "<c><a>1</a><a>2</a></c>"
    assert not seen(twice, field("a", "3", SEEDED)).refused
    assert not seen(twice, field("a", None, secret="s")).refused
    assert not seen("<c/>", field("1a", None)).refused
    assert not seen(
        "<c/>", field("1a", "x", SEEDED), before=applied_with(**{"1a": "seeded"})
    ).refused


def test_instances_are_the_declared_ones_then_the_remembered_ones() -> None:
    two = fleet(Wish("alpha"), Wish("zeta", "192.0.2.11"))
    machine = applied(two)
    records = records_on(machine)
    one = fleet(Wish("mike", "192.0.2.12"))
    names = [i.name for i in known_instances(one.target, records)]
    assert names == ["mike", "alpha", "zeta"]


def test_a_retired_instance_is_forgotten_where_another_has_its_directory() -> None:
    records = records_on(applied(fleet(Wish("alpha"))))
    retired = {"alpha": records["alpha"]._replace(resources={})}
    heir = fleet(Wish("beta", directory="/srv/pbx-alpha"))
    assert [i.name for i in known_instances(heir.target, records)] == ["beta", "alpha"]
    assert [i.name for i in known_instances(heir.target, retired)] == ["beta"]
    other = fleet(Wish("beta"))
    assert [i.name for i in known_instances(other.target, retired)] == ["beta", "alpha"]

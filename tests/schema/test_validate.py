"""All files at once: which belong to the format, what is missing, how much work it is."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from pbxfleet.schema import validate
from pbxfleet.source.load import load
from pbxfleet.source.nodes import MappingNode
from support.fleetfiles import files_below, read_desired
from support.tree import ROOT

BASE = files_below(ROOT / "tests" / "golden" / "broken" / "_base")
INSTANCE = b'host = "fra1"\nlisten = { http = 80, https = 443 }\n[settings]\nsys_name = "x"\n'


def documents(files: dict[str, bytes]) -> dict[str, MappingNode]:
    return {name: root for name, text in files.items() if (root := load(name, text).value)}


def test_the_example_fleet_is_valid() -> None:
    files = {f"desired/{name}": text for name, text in files_below(ROOT / "desired").items()}
    assert read_desired(files).diagnostics == ()


def test_a_fleet_needs_its_file() -> None:
    (problem,) = validate({}).outcome.diagnostics
    assert (problem.code, str(problem.span)) == ("FMT101", "desired/fleet.toml:1:1")


def test_a_file_that_could_not_be_read_is_there() -> None:
    found = validate(documents({"desired/hosts/fra1.toml": b'cpus = "0-3"'}), BASE).outcome
    assert found.diagnostics == ()
    assert found.value is None


def test_other_suffixes_of_the_same_name_are_found_even_if_they_could_not_be_read() -> None:
    names = [*BASE, "desired/instances/a.yml", "desired/instances/a.yaml"]
    found = validate(documents(BASE), names).outcome
    assert [(d.code, str(d.span)) for d in found.diagnostics] == [
        ("FMT112", "desired/instances/a.yml:1:1")
    ]


@pytest.mark.parametrize(
    "name",
    ["a", "7", "a-b", "a" * 63, "0-0", "x--y"],
)
def test_good_names(name: str) -> None:
    found = read_desired({**BASE, f"desired/instances/{name}.toml": INSTANCE})
    assert found.diagnostics == ()
    assert found.value is not None and list(found.value.instances) == [name]


@pytest.mark.parametrize(
    "name", ["A", "a_b", "a.b", "-a", "a-", "é", "a b", "a" * 64, "\N{DIGIT ONE}é"]
)
def test_bad_names(name: str) -> None:
    found = read_desired({**BASE, f"desired/instances/{name}.toml": INSTANCE})
    assert [d.code for d in found.diagnostics] == ["FMT111"]


def test_both_formats_can_be_mixed_and_names_are_sorted() -> None:
    found = read_desired({
        **BASE,
        "desired/instances/c.toml": INSTANCE,
        "desired/instances/a.yml": b"host: fra1\n",
        "desired/instances/b.yaml": b"host: fra1\n",
        "desired/hosts/ber1.yaml": b"cpus: 0-3\n",
    })  # fmt: skip
    assert found.value is not None
    assert list(found.value.instances) == ["a", "b", "c"]
    assert list(found.value.hosts) == ["ber1", "fra1"]


def test_a_yaml_fleet() -> None:
    text = b'{format: 1, name: example, $schema: "x", releases: {}}'
    found = read_desired({"desired/fleet.yaml": text})
    assert found.diagnostics == ()
    assert found.value is not None and found.value.fleet.releases == {}


def test_warnings_alone_do_not_withhold_the_value() -> None:
    found = read_desired({**BASE, "desired/hosts/notes.txt": b"x"})
    assert [d.code for d in found.diagnostics] == ["FMT113"]
    assert found.value is not None


def test_a_file_of_nothing_but_mistakes_has_a_list_that_ends() -> None:
    text = "host: fra1\n" + "".join(f"k{i}: 1\n" for i in range(80))
    found = read_desired({**BASE, "desired/instances/a.yaml": text.encode()}).diagnostics
    assert len(found) == 50
    assert found[-1].hint.endswith("; 30 more problems of this file are not listed")


def test_messages_about_long_texts_are_short() -> None:
    text = f"host: fra1\n{'k' * 999}: 1\naddress: {'1' * 100_000}\nrtp: {'x' * 100_000}\n"
    found = read_desired({**BASE, "desired/instances/a.yaml": text.encode()}).diagnostics
    assert [d.code for d in found] == ["FMT104", "FMT116", "FMT117"]
    assert max(len(d.message) + len(d.hint) for d in found) < 800


def calls_of(function: Callable[[], object]) -> int:
    count = 0

    def tick(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(tick)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def test_work_grows_with_the_number_of_files_and_no_faster() -> None:
    def fleet(n: int) -> dict[str, MappingNode]:
        instances = {f"desired/instances/i{i}.toml": INSTANCE for i in range(n)}
        return documents({**BASE, **instances})

    small, large = fleet(50), fleet(200)
    validate(small)
    few, many = (calls_of(lambda d=d: validate(d)) for d in (small, large))  # type: ignore[misc]
    assert many <= 4.4 * few

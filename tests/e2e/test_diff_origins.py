"""`pbxfleet diff` names for each differing line of a file where it comes from, on the side that has it."""

from __future__ import annotations

from typing import Any

import pytest

from pbxfleet.app.diff_origins import Most
from support.git_fleet import GitFleet
from support.source_fleet import files_of, written

ALPHA = "desired/instances/alpha.toml"
FLEET = "desired/fleet.toml"
HOST = "desired/hosts/fra1.toml"
TEMPLATE = "desired/failover.conf"
UNIT = "file:/etc/systemd/system/pbx-alpha.service"
FAILOVER = "file:/etc/pbx/failover-alpha.conf"
LIST = "file:/etc/pbx/own-alpha.list"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> GitFleet:
    """Something of everything that is rendered; each commit changes one place."""
    folder = tmp_path_factory.mktemp("origins")
    template = b"role = {{ role }}\npeer = {{ peer_url }}\n"
    source = written(folder / "source", {**files_of(), TEMPLATE: template})
    made = GitFleet(folder / "fleet", source=source)
    made.edit(TEMPLATE, "peer = ", "partner = ")
    made.compiled_commit("Word the template")
    made.edit(FLEET, "http = 80,", "http = 8080,")
    made.compiled_commit("Move the port")
    made.edit(ALPHA, "cpu = 3", "cpu = 5")
    made.edit(ALPHA, '"/srv/alpha"', '"/srv/other"')
    made.compiled_commit("Give alpha another core")
    made.edit(HOST, "stop_timeout = 40", "# longer\nstop_timeout = 50")
    made.compiled_commit("Wait longer")
    return made


def lines(data: Any, resource: str) -> dict[str, list[tuple[str, str]]]:
    """By sign, the differing lines of a file with their first places."""
    found: dict[str, list[tuple[str, str]]] = {"-": [], "+": [], " ": []}
    for effect in data["effects"]:
        for file in effect["lines"]:
            if file["resource"] == resource:
                for line in file["lines"]:
                    place = line["origin"][0] if line["origin"] else ""
                    found[line["sign"]].append((line["text"], place))
    assert not any(place for _, place in found.pop(" "))
    assert found["-"] or found["+"], resource
    return found


def line_of(fleet: GitFleet, revision: str, name: str, text: str) -> int:
    """The number of the line that begins so at a revision."""
    all_lines = fleet.git("show", f"{revision}:{name}").split("\n")
    (number,) = [n for n, line in enumerate(all_lines, 1) if line.startswith(text)]
    return number


CASES = {  # the file, the commit, a word of the line, its source and how that begins on both sides
    "a template": (FAILOVER, 3, ("peer", "partner"), TEMPLATE, ("peer", "partner")),
    "the fleet's defaults": (FAILOVER, 2, ("partner", "partner"), FLEET, ("listen", "listen")),
    "an instance, in its unit": (UNIT, 1, ("CPUAff", "CPUAff"), ALPHA, ("cpu", "cpu")),
    "an instance, in its list": (LIST, 1, ("/srv/a", "/srv/o"), ALPHA, ("backup", "backup")),
    "a host": (UNIT, 0, ("TimeoutStop", "TimeoutStop"), HOST, ("stop_t", "stop_t")),
}


@pytest.mark.parametrize("case", CASES)
def test_a_line_names_its_place_and_commit_on_both_sides(fleet: GitFleet, case: str) -> None:
    resource, back, words, source, begins = CASES[case]
    sides = f"HEAD~{back + 1}", f"HEAD~{back}"
    data = fleet.diff(*sides)
    commit = fleet.git("rev-parse", sides[1])[:10]
    found = lines(data, resource)
    for sign, side, at, word, begin in zip(
        "-+", ("before", "after"), sides, words, begins, strict=True
    ):
        ((_, place),) = [line for line in found[sign] if line[0].startswith(word)]
        number = line_of(fleet, at, source, begin)
        assert place.rpartition(":")[0] == f"{source}:{number}"
        (by,) = [w for w in data["written"] if (w["place"], w["side"]) == (place, side)]
        assert (by["commit"], by["author"]) == (commit, "A. Author")
        assert by["removed"] is (sign == "-")


def test_every_differing_line_of_a_long_way_has_a_place(fleet: GitFleet) -> None:
    data = fleet.diff("HEAD~4", "HEAD")
    for block in data["blocks"]:
        (effect,) = [
            e
            for e in data["effects"]
            if f"{e['host']}/{e['instance']}" == (block["instances"] or ["fra1/"])[0]
        ]
        for file in effect["lines"]:
            assert all(line["origin"] for line in file["lines"] if line["sign"] != " ")


def test_places_stand_beside_the_lines_in_every_form(fleet: GitFleet) -> None:
    number = line_of(fleet, "HEAD", HOST, "stop_t")
    commit = fleet.git("rev-parse", "HEAD")[:10]
    place = f"TimeoutStopSec=50   {HOST}:{number}:16 ({commit} 2021-03-04 A. Author: Wait longer)"
    for form in ("human", "markdown", "html"):
        assert place in fleet.run("HEAD~1", "HEAD", "--format", form).out, form


def test_what_is_equal_in_several_instances_stays_one_block(fleet: GitFleet) -> None:
    data = fleet.diff("HEAD~1", "HEAD")
    assert fleet.diff("HEAD~1", "HEAD", "--no-checks")["effects"] == data["effects"]
    (block,) = [b for b in data["blocks"] if b["instances"]]
    assert block["instances"] == ["fra1/alpha", "fra1/beta"]
    assert not any(line["origin"] for f in block["pattern"]["lines"] for line in f["lines"])
    told = {
        e["instance"]: any(line["origin"] for f in e["lines"] for line in f["lines"])
        for e in data["effects"]
        if e["instance"]
    }
    assert told == {"alpha": True, "beta": False}


@pytest.mark.parametrize(("files", "hosts"), [(1, 5), (20, 0)])
def test_beyond_so_many_files_the_rest_is_counted(
    fleet: GitFleet, monkeypatch: pytest.MonkeyPatch, files: int, hosts: int
) -> None:
    monkeypatch.setattr("pbxfleet.app.diff_origins.FULL", Most(files, hosts, 9))
    data = fleet.diff("HEAD~2", "HEAD~1")
    assert [n for n in data["notes"] if "no sources of lines were looked for" in n]
    told = [
        f["resource"]
        for e in data["effects"]
        for f in e["lines"]
        if any(d["origin"] for d in f["lines"])
    ]
    assert len(told) == min(files, hosts)


def test_beyond_so_many_lines_the_rest_is_counted(
    fleet: GitFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pbxfleet.app.diff_origins.FULL", Most(20, 5, 0))
    data = fleet.diff("HEAD~2", "HEAD~1")
    assert [n for n in data["notes"] if "beyond the first 0 of a file" in n]
    lines = [d for e in data["effects"] for f in e["lines"] for d in f["lines"]]
    assert lines and not any(d["origin"] for d in lines)


def test_a_rendered_file_that_nothing_compiles_to_has_no_sources(fleet: GitFleet) -> None:
    fleet.edit(HOST, "stop_timeout = 50", "stop_timeout = 60")
    fleet.compile()
    manifest = fleet.path("rendered/fra1/manifest.json")
    manifest.write_text(manifest.read_text().replace('"fleet": "example"', '"fleet": "other"'))
    data = fleet.diff("HEAD")
    assert data["hosts"][0]["after"] == "rendered"
    assert [n for n in data["notes"] if "sources of lines are not known" in n]
    ((_, place),) = lines(data, UNIT)["+"]
    assert place == ""
    fleet.git("checkout", "-q", "--", ".")


def test_of_a_large_fleet_a_part_is_read(fleet: GitFleet, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fleet.diff("HEAD~4", "HEAD", "--no-checks")
    monkeypatch.setattr("pbxfleet.app.part_of_fleet.WORTH_IT", 0)
    monkeypatch.setattr("pbxfleet.app.two_targets.WORTH_IT", 0)
    monkeypatch.setattr("pbxfleet.app.two_targets._OneSide.fleet", None)
    assert fleet.diff("HEAD~4", "HEAD", "--no-checks") == whole

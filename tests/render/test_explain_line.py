"""What explain says of a line: in every way of naming it, stale, pending, applied, and with secrets."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pbxfleet.app.compile import compile_fleet
from pbxfleet.app.explain_line import explain_line, line_data, line_text
from pbxfleet.core.errors import Refused
from support.source_fleet import files_of, written

UNIT = "rendered/fra1/root/etc/systemd/system/pbx-alpha.service"
HERE = "/nowhere"  # no state folder is there


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = written(tmp_path / "fleet", files_of())
    assert not compile_fleet(str(folder)).failed
    return folder


def number_of(file: Path, text: str) -> int:
    return next(n for n, line in enumerate(file.read_text().split("\n"), 1) if text in line)


def test_a_line_is_found_by_every_name_of_its_file(repository: Path) -> None:
    line = number_of(repository / UNIT, "CPUAffinity")
    names = (UNIT, f"./{UNIT}", "fra1:/etc/systemd/system/pbx-alpha.service")
    texts = {line_text(explain_line(str(repository), f"{name}:{line}", HERE)) for name in names}
    texts.add(line_text(explain_line(str(repository), f"{UNIT}:{line}:5", HERE)))
    assert len(texts) == 1
    text = texts.pop()
    assert "CPUAffinity=3" in text
    assert "desired/instances/alpha.toml:4:7 (cpu)" in text
    assert "template systemd.service.j2:17" in text
    assert "0644 root:root, kept as rendered; a change of it costs: restart" in text
    assert "not known here" in text


def test_a_whole_file_has_each_value_once_with_its_lines(repository: Path) -> None:
    data = line_data(explain_line(str(repository), UNIT, HERE))
    assert data["line"] is None and data["length"] > 30
    whats = [source["what"] for source in data["sources"]]
    assert "cpu" in whats and len(whats) == len(set(whats))
    directory = next(source for source in data["sources"] if source["what"] == "directory")
    assert len(directory["lines"]) > 2


def test_commits_are_named_and_farther_layers_are_overridden(repository: Path) -> None:
    git = [
        "git",
        "-C",
        str(repository),
        "-c",
        "user.name=Operator",
        "-c",
        "user.email=o@example.com",
    ]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Begin with two instances"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    settings = repository / "rendered/fra1/root/usr/local/pbx-beta/pbx.xml"
    line = number_of(settings, "sip_udp_port")
    found = explain_line(str(repository), f"fra1/beta/pbx.xml:{line}", HERE)
    first = found.sources[0]
    assert found.element is not None and found.element.label == "listen.sip_udp"
    assert [layer.wins for layer in first.layers] == [True, False, False]
    assert all(layer.blame is not None for layer in first.layers)
    assert "overrides    desired/fleet.toml:7:" in line_text(found)
    assert "Begin with two instances" in line_text(found)


def test_no_secret_is_printed(repository: Path) -> None:
    settings = repository / "rendered/fra1/root/usr/local/pbx-alpha/pbx.xml"
    line = number_of(settings, "pw_pass")
    for name, words in (("alpha", "the secret alpha/admin"), ("beta", "(secret)")):
        found = explain_line(str(repository), f"fra1/{name}/pbx.xml:{line}", HERE)
        assert words in line_text(found)
        assert "5f4dcc3b5aa765d6" not in str(line_data(found))


def test_a_foreign_element_comes_from_the_reference_alone(repository: Path) -> None:
    settings = repository / "rendered/fra1/root/usr/local/pbx-alpha/pbx.xml"
    line = number_of(settings, "<pw_user>")
    data = line_data(explain_line(str(repository), f"fra1/alpha/pbx.xml:{line}", HERE))
    assert (data["sources"], data["ownership"], data["element"]) == ([], "foreign", None)
    assert data["written_by"][0]["file"] == "desired/reference/pbx.xml"


def test_a_file_that_is_stale_is_explained_by_what_stands_in_it(repository: Path) -> None:
    unit = repository / UNIT
    text = unit.read_text()
    unit.write_text("# a line of somebody else\n" + text.replace("CPUAffinity=3", "CPUAffinity=7"))
    line = number_of(unit, "TimeoutStopSec")
    found = explain_line(str(repository), f"{UNIT}:{line}", HERE)
    assert found.stale and found.text == "TimeoutStopSec=40"
    with pytest.raises(Refused) as refused:
        explain_line(str(repository), f"{UNIT}:{number_of(unit, 'CPUAffinity')}", HERE)
    assert refused.value.code == "MAP103"


@pytest.mark.parametrize(
    ("what", "hint"),
    [
        ("rendered/fra2/manifest.json:1", "fra1"),
        ("rendered/fra1/manifest.jsom:1", "manifest.json"),
        ("fra1:/etc/pbx/backup.lst:1", "/etc/pbx/backup.list"),
        ("fra1/alfa/pbx.xml:1", "alpha"),
        ("rendered/fra1", "rendered/fra1/manifest.json:2"),
        ("/etc/pbx/backup.list:1", "HOST:/etc/pbx/backup.list for"),
    ],
)
def test_an_unknown_place_has_the_nearest_name(repository: Path, what: str, hint: str) -> None:
    with pytest.raises(Refused) as refused:
        explain_line(str(repository), what, HERE)
    assert refused.value.code == "MAP101"
    assert hint in refused.value.hint
